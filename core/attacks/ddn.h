#pragma once

#include "core/attacks/attack.h"

namespace bulwark {

struct DdnPlan {
  ThreatModel threat;  ///< l2
  std::int64_t steps = 1000;
  std::int64_t starts = 1;  ///< how many the context gives; 1 without given ones: the image
  double gamma = 0.05;      ///< factor by which the radius changes
};

/// Decoupled direction and norm (Rony et al., CVPR 2019, algorithm 1) within a budget: steps of
/// length falling from 1 to 0.01 by a cosine along the gradient, each put on a sphere whose radius
/// shrinks where the last point crossed and grows, up to the budget, where it did not; offsets are
/// rounded to 1/255. Needs a threshold to cross: the context's first.
AttackResult decoupledDirectionAndNorm(const DdnPlan& plan, Objective& objective,
                                       const torch::Tensor& images, const AttackContext& context);

}  // namespace bulwark
