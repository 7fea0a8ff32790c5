#pragma once

#include <cstdint>
#include <vector>

#include "core/metrics/per_class.h"

namespace bulwark {

/// Images under the class that a classifier puts them into, and how normal they are, part by part.
struct ClassedParts {
  std::vector<std::int64_t> classes;       ///< [N], from 0
  std::vector<std::vector<double>> parts;  ///< [P][N], higher = more normal
};

struct PairScores {
  std::vector<double> in, out;  ///< anomaly scores
};

/// Anomaly scores as the code of Zhao et al. makes them (their equation 5):
///   s = -sum_p w_p (part_p - min) / (max - min),
/// with the smallest and the largest value of the part over the in *and* out images of the image's
/// class. So a score depends on the sets that it is tested with. A part that is the same for all
/// images of a class counts as 0. Throws `Error` on unequal lengths or a value that is not finite.
PairScores transductiveScores(const ClassedParts& in, const ClassedParts& out,
                              const std::vector<double>& weights);

/// The parts of both sets after that normalisation.
struct PairParts {
  ClassedParts in, out;
};
PairParts transductiveParts(const ClassedParts& in, const ClassedParts& out);

/// s = -sum_p w_p part_p, [N], of parts that are normalised already. Throws like the above.
std::vector<double> weightedScores(const ClassedParts& set, const std::vector<double>& weights);

/// Scores sorted by class, for `perClassDetection`; [largest class + 1].
std::vector<ClassScores> byClass(const std::vector<std::int64_t>& inClasses,
                                 const std::vector<double>& in,
                                 const std::vector<std::int64_t>& outClasses,
                                 const std::vector<double>& out);

}  // namespace bulwark
