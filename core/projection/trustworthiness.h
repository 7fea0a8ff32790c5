#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "core/base/task.h"

namespace bulwark {

/// Whether points that a layout shows as neighbours are neighbours (Venna and Kaski 2001):
///   T(k) = 1 - 2 / (N k (2 N - 3 k - 1)) sum_i sum_{j in U_k(i)} (r(i, j) - k),
/// U_k(i): those of the k nearest of i in `layout` [N, D] that are not among its k nearest in
/// `points` [N, F]; r(i, j): the rank of j among the neighbours of i in `points`, from 1. 1: all
/// are; about 0.5: a random layout. NaN unless 0 < k < N / 2. N^2 values are held; up to some
/// thousand points.
double trustworthiness(const torch::Tensor& points, const torch::Tensor& layout, std::int64_t k,
                       Task& task);

}  // namespace bulwark
