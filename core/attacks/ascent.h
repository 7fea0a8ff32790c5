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

/// Ascends the objective within the ball by steps along the gradient's sign (l-inf) or direction
/// (l2), each projected back; the best point per sample over all iterates is kept (see `walk`).
AttackResult ascend(const AscentPlan& plan, Objective& objective, const torch::Tensor& images,
                    const AttackContext& context);

}  // namespace bulwark
