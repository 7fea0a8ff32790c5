#pragma once

#include <torch/torch.h>

#include "core/attacks/nearest.h"

namespace bulwark {

/// A boundary f(z) + <w, z - x> = 0 linearised at each row's point x; float64.
struct Boundary {
  torch::Tensor value;     ///< [W]: f at the point
  torch::Tensor normal;    ///< [W, n]: w
  torch::Tensor dual;      ///< [W]: length of w in the dual norm: l2 for l2, l1 for l-inf
  torch::Tensor distance;  ///< [W]: |f| over it; +inf where there is no boundary
};

/// Of a classifier's logits, the nearest of the boundaries f_k = Z_k - Z_y to another class, the
/// first of several equally near; of a single function, that one. `tiny` is added to the dual norms
/// that distances are divided by. Class by class, so that no more than a few copies of the batch
/// are held.
Boundary nearestBoundary(const Sight& sight, Distance distance, double tiny);

}  // namespace bulwark
