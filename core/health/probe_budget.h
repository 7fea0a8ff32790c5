#pragma once

#include <algorithm>
#include <cstdint>

namespace bulwark {

/// How much the checks that take attacks of their own spend: on each detector, beside what the
/// examined attack takes itself. A plain header: the window's estimate counts by it too.
struct ProbeBudget {
  std::int64_t draws = 10000;         ///< of H28 per image
  std::int64_t noiseImages = 10;      ///< of H28, half of them in, half out
  std::int64_t restarts = 20;         ///< of H23; compared with half as many
  std::int64_t squareQueries = 1000;  ///< of H27 per image

  struct Attack {
    double passes = 0;  ///< forwards and backwards per image, over all its restarts
    double restarts = 1;
    double images = 0;  ///< in and out
    /// There is a score to transfer from (H29), a network with features (H33), a twin (H34).
    bool surrogate = true, features = true, twin = true;
  };
  /// Forwards and backwards of one image, at most.
  double passes(const Attack& attack) const {
    // As it is, twice the steps, all restarts, two radii; planted points in in images only.
    double times = 1.0 + 2.0 + static_cast<double>(restarts) / std::max(1.0, attack.restarts) + 2.0;
    if (attack.surrogate) times += 1.0;
    if (attack.features) times += 0.5;
    if (attack.twin) times += 1.0;
    return (times * attack.passes + static_cast<double>(squareQueries)) * attack.images +
           static_cast<double>(draws * noiseImages);
  }
};

}  // namespace bulwark
