#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace bulwark {

/// Maximum-likelihood estimate of the local intrinsic dimensionality (Amsaleg et al., KDD 2015; Ma
/// et al., ICLR 2018) of points [N, D] from the distances r_1 <= ... <= r_k to their k
/// nearest of `references` [M, D]:
///   -(1/k sum_i log(r_i / r_k))^-1,
/// [N], differentiable in `points`; at most 1e6, which it takes where all k are equally far. Ratios
/// below 1e-4 count as that: the distance to a reference that a point coincides with is rounding.
torch::Tensor localDimension(const torch::Tensor& points, const torch::Tensor& references,
                             std::int64_t k);

}  // namespace bulwark
