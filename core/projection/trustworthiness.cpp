#include "core/projection/trustworthiness.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

#include "core/base/error.h"
#include "core/projection/neighbours.h"

namespace bulwark {
namespace {

/// Squared distances, [N, N].
torch::Tensor squaredDistances(const torch::Tensor& points) {
  auto x = points.detach().to(torch::kCPU, torch::kFloat64);
  x = x - x.mean(0);
  const auto squares = x.square().sum(1);
  return (squares.unsqueeze(1) + squares.unsqueeze(0) - 2.0 * x.mm(x.t())).contiguous();
}

}  // namespace

double trustworthiness(const torch::Tensor& points, const torch::Tensor& layout, std::int64_t k,
                       Task& task) {
  const torch::NoGradGuard noGrad;
  requirePoints(points);
  requirePoints(layout);
  const std::int64_t count = points.size(0);
  if (layout.size(0) != count) {
    throw Error::badInput("a layout of other points", "projection");
  }
  if (k < 1 || 2 * k >= count) return std::numeric_limits<double>::quiet_NaN();
  const auto high = squaredDistances(points), low = squaredDistances(layout);
  std::vector<std::int64_t> order;
  double penalty = 0.0;
  for (std::int64_t i = 0; i < count; ++i) {
    task.checkpoint();
    const double* far = high.data_ptr<double>() + i * count;
    const double* shown = low.data_ptr<double>() + i * count;
    order.resize(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(i));
    std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k - 1), order.end(),
                     [shown](std::int64_t a, std::int64_t b) {
                       return shown[a] != shown[b] ? shown[a] < shown[b] : a < b;
                     });
    for (std::int64_t n = 0; n < k; ++n) {
      const std::int64_t j = order[static_cast<std::size_t>(n)];
      std::int64_t rank = 1;
      for (std::int64_t other = 0; other < count; ++other) {
        if (other != i && (far[other] < far[j] || (far[other] == far[j] && other < j))) ++rank;
      }
      if (rank > k) penalty += static_cast<double>(rank - k);
    }
  }
  const auto n = static_cast<double>(count), near = static_cast<double>(k);
  return 1.0 - 2.0 / (n * near * (2.0 * n - 3.0 * near - 1.0)) * penalty;
}

}  // namespace bulwark
