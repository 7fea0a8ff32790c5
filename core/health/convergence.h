#pragma once

#include <string>
#include <vector>

#include "core/health/target.h"

namespace bulwark {

/// H21, H24, H25 and H35: what the stored numbers tell of the attacks as optimisers.
std::vector<HealthCheck> checkConvergence(const HealthThresholds& thresholds,
                                          const RunFacts& facts);

/// Share of its whole rise that a best value makes in the last 10 steps, or in the last half of
/// fewer than 20; 0 when it does not rise. `best` is non-decreasing.
double lateRise(const std::vector<double>& best);

/// H26: the points at which `attacks` begin on one image, four times; and whether scoring reseeds
/// the global generator, from which other attacks may draw.
HealthCheck checkStarts(const HealthThresholds& thresholds, const Target& target,
                        const std::vector<const Attack*>& attacks, Seed seed);

/// H32: `attack` on s(x) = <w, x> where the box does not bind. Not applicable beyond a radius of
/// 0.3, without a ball, or to an attack that looks for the nearest crossing.
HealthCheck checkLinear(const HealthThresholds& thresholds, const std::string& subject,
                        const Attack& attack, Seed seed, Task& task);

}  // namespace bulwark
