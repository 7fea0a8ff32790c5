#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace bulwark {

/// A new best judged value of one sample, and the step after which it was found.
struct Improvement {
  std::int64_t time = 0;
  double value = 0.0;
};

/// Mean over samples of the best values after 0, 1, ... `last` steps. Samples are added in their
/// order, so the sums do not depend on which was finished first.
std::vector<double> meanTrajectory(const std::vector<std::vector<Improvement>>& improvements,
                                   std::int64_t last);
/// The best value of each sample at `time`.
std::vector<double> valuesAt(const std::vector<std::vector<Improvement>>& improvements,
                             std::int64_t time);

/// One sample that a walk is done with.
struct FinishedSample {
  std::int64_t sample = 0;  ///< position in the set under attack
  std::int64_t passes = 0;  ///< of the batch in which it took part, >= 1
  double value = 0.0;
  bool saturated = false, zeroGradient = false;
  /// Of the nearest crossing; +inf where none was found or looked for.
  double distance = std::numeric_limits<double>::infinity();
  std::int64_t forwards = 0, backwards = 0;  ///< of the whole set, counted when it was done
  std::vector<Improvement> improvements = {};
  torch::Tensor image = {};           ///< [C, H, W] float32, CPU
  torch::Tensor snapshots = {};       ///< [times, C, H, W]; undefined: none are wanted of it
  torch::Tensor snapshotValues = {};  ///< [times] float64
};

/// What is known of a walk that was cut short.
struct FinishedWalk {
  std::vector<FinishedSample> samples = {};
  std::vector<std::uint8_t> settled = {};  ///< which rearrangements of the batch were found exact
};

/// Keeps the finished samples of one attack on one set while it is under way, so that an execution
/// that was cut short goes on where it was.
class AttackProgress {
 public:
  virtual ~AttackProgress() = default;
  /// The attack's next walk begins (an ensemble has several, always in the same order). Returns
  /// what an earlier execution has committed of this walk, if its inputs had the same fingerprint.
  virtual FinishedWalk begin(const std::string& fingerprint) = 0;
  /// Whether enough work has been done since the last commit to be worth one.
  virtual bool due() = 0;
  /// Adds samples to the walk begun last; `settled` replaces what was committed before.
  virtual void commit(const std::vector<FinishedSample>& samples,
                      const std::vector<std::uint8_t>& settled) = 0;
};

}  // namespace bulwark
