#pragma once

#include <string>

#include "core/attacks/attack.h"

namespace bulwark {

/// How a projected gradient ascent walks; FGSM and PGD are two settings of it.
struct AscentPlan {
  std::string name;  ///< in messages: "pgd"
  ThreatModel threat;
  std::int64_t steps = 1;
  double stepSize = 0.0;  ///< in pixel units
  std::int64_t restarts = 1;
  bool randomStart = false;
};

/// Ascends the objective within the ball, keeping the best point per sample over all iterates of
/// all restarts, the clean image included.
///
/// One forward per step: the value of iterate k comes out of the pass whose gradient makes iterate
/// k + 1; the last iterate costs one forward without a backward.
///
/// All passes have one constant batch size, W = ceil(N / ceil(N / batchSize)), and sample i is
/// propagated in row i mod W, with or without rank saturation. Rows of a pass do not influence
/// each other, so a sample's values cannot depend on who else has left: S1 is exact by
/// construction, whatever the kernels do with batch sizes and row positions. Where many rows are
/// idle, the ascent first measures on the images at hand whether rows may move (bit for bit the
/// same values and gradients in another row or batch size), and only then fills rows out of turn
/// and shrinks the batch.
AttackResult ascend(const AscentPlan& plan, Objective& objective, const torch::Tensor& images,
                    const AttackContext& context);

}  // namespace bulwark
