#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/metrics/score_levels.h"

namespace bulwark {

/// Scores of one set, sorted once, so that a threshold being dragged costs a binary search.
class SortedScores {
 public:
  SortedScores() = default;
  /// May be empty. Throws `Error` (BadInput) on NaN or an infinite score.
  explicit SortedScores(std::span<const double> scores);

  const std::vector<double>& values() const { return values_; }  ///< ascending
  std::int64_t size() const { return static_cast<std::int64_t>(values_.size()); }
  bool empty() const { return values_.empty(); }
  std::int64_t below(double threshold) const;    ///< scores < threshold
  std::int64_t atMost(double threshold) const;   ///< scores <= threshold
  std::int64_t above(double threshold) const;    ///< scores > threshold
  std::int64_t atLeast(double threshold) const;  ///< scores >= threshold

  /// Smallest score t with at least `share` of the scores <= t; `share` in (0, 1]. Keeps 95 % of
  /// the in set at share 0.95. Throws on an empty set.
  double keepingBelow(double share) const;
  /// Largest score t with at least `share` of the scores >= t: detects 95 % of the out set.
  double keepingAbove(double share) const;

 private:
  std::vector<double> values_;
};

/// What a threshold does with an image that has exactly that score.
enum class TieRule {
  In,   ///< kept as in (the rule of the attractor paper, and of thresholds chosen on the in set)
  Out,  ///< flagged as out (for thresholds chosen on the out set)
};

/// The four counts, named after what was done with which set.
struct ConfusionCounts {
  std::int64_t inKept = 0;
  std::int64_t inFlagged = 0;
  std::int64_t outKept = 0;
  std::int64_t outFlagged = 0;

  // Shares in [0, 1]; NaN where the denominator is zero.
  double accuracy() const;
  double keptIn() const;               ///< recall of in: inKept / in
  double flaggedOut() const;           ///< recall of out: outFlagged / out
  double precision(Positive) const;    ///< share of the images predicted positive that are
  double f1(Positive positive) const;  ///< harmonic mean of precision and recall
};

/// Two binary searches.
ConfusionCounts confusionAt(const SortedScores& in, const SortedScores& out, double threshold,
                            TieRule ties = TieRule::In);

}  // namespace bulwark
