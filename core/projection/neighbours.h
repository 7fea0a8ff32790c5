#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "core/base/task.h"

namespace bulwark {

/// The k nearest other points of each of N points.
struct Neighbours {
  std::int64_t points = 0, k = 0;
  std::vector<std::int64_t> index;  ///< [N, k], by distance
  std::vector<double> distance;     ///< [N, k], Euclidean, ascending
};

/// Throws `Error` (BadInput) unless `points` is a matrix of finite numbers.
void requirePoints(const torch::Tensor& points);

/// Exact, for `points` [N, F] and 1 <= k < N. Blocks of |x|^2 + |y|^2 - 2 xy find a few candidates
/// more than are wanted; their distances are then taken from the differences, so neither
/// cancellation nor the number of threads touches the result. Of points at the same distance those
/// with lower numbers come first. Throws `Error` (BadInput, Cancelled).
Neighbours nearestNeighbours(const torch::Tensor& points, std::int64_t k, Task& task);

}  // namespace bulwark
