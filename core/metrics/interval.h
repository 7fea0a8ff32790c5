#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/random.h"
#include "core/base/task.h"

namespace bulwark {

/// Standard error of the AUROC in closed form (DeLong, DeLong and Clarke-Pearson 1988). Needs two
/// images of each set; throws `Error` otherwise. O(n log n).
double delongStandardError(std::span<const double> in, std::span<const double> out);

/// A uniform index in [0, n).
using IndexSource = std::function<std::uint64_t(std::uint64_t n)>;
IndexSource indexSource(Seed seed);

struct BootstrapOptions {
  int replicates = 1000;  ///< >= 0
  double level = 0.95;    ///< of the interval, in (0, 1)
  Seed seed{0};
  IndexSource indices;   ///< empty: `Random` from `seed`
  Task* task = nullptr;  ///< asked for cancellation between replicates when given
};

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

struct Bootstrap {
  double estimate = 0.0;           ///< on the images themselves
  std::vector<double> replicates;  ///< in the order in which they were drawn
  double mean = 0.0;
  double sampleSd = 0.0;
  Interval interval;  ///< percentile interval
};

/// Stratified percentile bootstrap of the AUROC: both sets resampled separately with replacement.
/// All of the in set is drawn first, then all of the out set, replicate after replicate. The scores
/// are ranked once; a replicate counts multiplicities and costs O(n).
Bootstrap bootstrapAuroc(std::span<const double> in, std::span<const double> out,
                         const BootstrapOptions& options = {});

/// The same images under two detectors (or clean and attacked): the k-th scores belong together.
struct PairedScores {
  std::span<const double> firstIn, firstOut;
  std::span<const double> secondIn, secondOut;
};

/// AUROC of the first minus AUROC of the second on common resamples, in [-1, 1].
struct PairedBootstrap : Bootstrap {
  /// Two-sided: twice the smaller share of replicates on either side of 0 (an exact 0 counts on
  /// both), at most 1.
  double pValue = 1.0;
};

/// Throws `Error` when the two in (or out) sets differ in length.
PairedBootstrap bootstrapDifference(const PairedScores& scores,
                                    const BootstrapOptions& options = {});

/// Percentile by linear interpolation at position (n - 1) q of the sorted values; `q` in [0, 1].
/// Throws on an empty vector.
double percentile(std::vector<double> values, double q);

}  // namespace bulwark
