#pragma once

#include <limits>
#include <string>

#include "core/attacks/attack.h"
#include "core/attacks/walk.h"

namespace bulwark {

/// How a projected gradient ascent walks; FGSM, BIM and PGD are settings of it.
struct AscentPlan {
  std::string name;  ///< in messages: "pgd"
  ThreatModel threat;
  std::int64_t steps = 1;
  double stepSize = 0.0;  ///< in pixel units
  std::int64_t restarts = 1;
  bool randomStart = false;
  /// Decay mu of the accumulated gradient (Dong et al., CVPR 2018, equation 6); 0: the gradient
  /// of each step alone.
  double momentum = 0.0;
  Kept keeps = Kept::Best;
  double enough = std::numeric_limits<double>::infinity();  ///< see `WalkPlan`
};

/// Ascends the objective within the ball by steps along the gradient's sign (l-inf) or direction
/// (l2), each projected back; the best point per sample over all iterates is kept (see `walk`).
AttackResult ascend(const AscentPlan& plan, Objective& objective, const torch::Tensor& images,
                    const AttackContext& context);

}  // namespace bulwark
