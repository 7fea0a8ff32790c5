#pragma once

#include <string>
#include <vector>

#include "core/health/target.h"

namespace bulwark {

/// H21, H24, H25 and H35: what the stored numbers tell of the attacks as optimisers.
std::vector<HealthCheck> checkConvergence(const HealthThresholds& thresholds,
                                          const RunFacts& facts);

/// How many of the last steps of a restart of `steps` H24 looks at: 10, or half of fewer than 20.
std::size_t lateSteps(std::size_t steps);

/// Share of the whole rise up to the end of a restart that a best value makes in the restart's last
/// steps, of `restarts` as long as one another the worst; 0 when it does not rise. `best` is
/// non-decreasing and goes over all restarts. Where most restarts find nothing better, the first
/// one speaks for them: the last steps of all would be at rest however short each was.
double lateRise(const std::vector<double>& best, std::size_t restarts = 1);

/// H26: the points at which `attacks` begin on one image, four times; and whether scoring reseeds
/// the global generator, from which other attacks may draw.
HealthCheck checkStarts(const HealthThresholds& thresholds, const Target& target,
                        const std::vector<const Attack*>& attacks, Seed seed);

/// H32: `attack` on s(x) = <w, x> where the box does not bind. Not applicable beyond a radius of
/// 0.3, without a ball, or to an attack that looks for the nearest crossing.
HealthCheck checkLinear(const HealthThresholds& thresholds, const std::string& subject,
                        const Attack& attack, Seed seed, Task& task);

}  // namespace bulwark
