#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bulwark {

/// Which of the two test sets counts as positive. The score is the anomaly score in both cases
/// (higher = more anomalous): Out is found at high scores, In at low ones.
enum class Positive { Out, In };

/// One distinct score and how many images of each set have it.
struct ScoreLevel {
  double score = 0.0;
  std::int64_t in = 0;
  std::int64_t out = 0;
};

/// Both sets sorted together, equal scores merged: all that a rank metric can depend on.
struct ScoreLevels {
  std::vector<ScoreLevel> levels;  ///< by ascending anomaly score
  std::int64_t nIn = 0;
  std::int64_t nOut = 0;
};

/// Throws `Error` (BadInput) naming the set that is empty or holds NaN or an infinite score.
void checkScores(std::span<const double> in, std::span<const double> out);

/// O(n log n). Throws as `checkScores` does.
ScoreLevels scoreLevels(std::span<const double> in, std::span<const double> out);

}  // namespace bulwark
