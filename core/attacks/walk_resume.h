#pragma once

#include <string>
#include <vector>

#include "core/attacks/row_plan.h"
#include "core/attacks/walk.h"

namespace bulwark {

/// What the finished samples of a walk depend on: only a walk with the same may take them over.
std::string walkFingerprint(const WalkPlan& plan, const torch::Tensor& images,
                            const torch::Tensor& clean, const AttackContext& context, double bound,
                            std::int64_t width);

/// What there is to keep of the sample in `row`, which has just been entered into `result`.
FinishedSample finishedSample(const Row& row, const AttackResult& result,
                              const AttackContext& context);

/// Enters samples that an earlier execution has finished into `result`. Returns the passes each of
/// the samples took, 0 for those not finished. Throws `Error` when they cannot be of this walk.
std::vector<std::int64_t> restoreSamples(const FinishedWalk& before, const AttackContext& context,
                                         const std::string& where, AttackResult& result);

}  // namespace bulwark
