#pragma once

#include <torch/torch.h>

#include "core/attacks/nearest.h"

namespace bulwark {

/// The shortest displacements d within the box that reach a hyperplane.
///
/// For points t [W, n] in [0, 1], normals w [W, n] and the values f [W] of a linear function at
/// t: d [W, n] with f + <w, d> = 0 and t + d in [0, 1], of least length in `distance` (Linf or
/// L2); where the box does not reach the hyperplane, the corner of the box nearest to it. All
/// float64. Exact, by sorting (Croce and Hein, ICML 2020, section 3.1 and appendix):
///
///   l-inf: |d_i| = min(lambda, room_i)          l2: |d_i| = min(lambda |w_i|, room_i)
///
/// with room_i to the side of the box in the direction that helps. In both,
/// <|w|, |d|> = sum_i q_i min(lambda, p_i) is piecewise linear in lambda with break-points p_i.
torch::Tensor toHyperplane(const torch::Tensor& points, const torch::Tensor& normals,
                           const torch::Tensor& values, Distance distance);

}  // namespace bulwark
