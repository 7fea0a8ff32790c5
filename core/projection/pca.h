#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "core/base/task.h"

namespace bulwark {

/// The directions in which points vary most (Pearson 1901; Hotelling 1933); float64, on the CPU.
struct PrincipalComponents {
  torch::Tensor mean;         ///< [F]
  torch::Tensor components;   ///< [C, F], orthonormal; the largest entry of each is positive
  torch::Tensor variances;    ///< [C], descending; of the population (divided by N)
  torch::Tensor coordinates;  ///< [N, C]: (x - mean) components^T
};

/// Of `points` [N, F]; C = min(components, N, F). The eigenvectors are those of the smaller of the
/// F x F covariance and the N x N Gram matrix: up to a few thousand points or features. Throws
/// `Error` (BadInput, Cancelled).
PrincipalComponents principalComponents(const torch::Tensor& points, std::int64_t components,
                                        Task& task);

}  // namespace bulwark
