#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/attacks/attack.h"
#include "core/attacks/nearest.h"

namespace bulwark {

struct FabPlan {
  std::string name = "fab";
  ThreatModel threat;  ///< ball of the result; epsilon also bounds the starts of restarts
  Distance distance = Distance::Linf;  ///< that is minimised: Linf or L2
  std::int64_t steps = 100;
  std::int64_t restarts = 1;
  /// FAB-T: one search per likely wrong class, that many; 0: FAB, the nearest class each step. A
  /// score has one boundary, so both are the same there.
  std::int64_t targets = 0;
  double alphaMax = 0.1;                        ///< most that a step leans towards the clean image
  double eta = 1.05;                            ///< share by which a projection is overstepped
  double beta = 0.9;                            ///< how far from the clean image a crossing is left
  std::int64_t gradientBytes = kGradientBytes;  ///< see `NearestPlan`
};

/// Fast adaptive boundary attack (Croce and Hein, ICML 2020).
std::unique_ptr<Attack> makeFab(const FabPlan& plan);

}  // namespace bulwark
