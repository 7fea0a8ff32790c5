#pragma once

#include <torch/torch.h>

namespace bulwark {

/// sum_s c_s exp(q_n . v_s), [N], of queries q [N, E], supports v [S, E] and coefficients c [S, 1]
/// of one floating-point type and device. Differentiable in the queries, once.
///
/// The N x S matrix is never held: blocks of rows that fit the cache (64 MiB on other devices than
/// the CPU) are made one after another, in the backward pass once more.
torch::Tensor kernelSum(const torch::Tensor& queries, const torch::Tensor& supports,
                        const torch::Tensor& coefficients);

/// Its logarithm, finite and with a gradient where the sum is too small for its type. Coefficients
/// that are not negative, one of them positive.
torch::Tensor logKernelSum(const torch::Tensor& queries, const torch::Tensor& supports,
                           const torch::Tensor& coefficients);

}  // namespace bulwark
