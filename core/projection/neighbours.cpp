#include "core/projection/neighbours.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace bulwark {
namespace {

/// Values of one block of distances.
constexpr std::int64_t kBlock = 1 << 22;
/// Candidates beyond those wanted: as many could be mistaken for one another by rounding.
constexpr std::int64_t kSpare = 8;

double distanceOf(const double* a, const double* b, std::int64_t features) {
  double sum = 0.0;
  for (std::int64_t f = 0; f < features; ++f) sum += (a[f] - b[f]) * (a[f] - b[f]);
  return std::sqrt(sum);
}

}  // namespace

void requirePoints(const torch::Tensor& points) {
  if (points.dim() != 2) {
    throw Error::badInput("the points to project are no matrix", "projection");
  }
  if (!torch::isfinite(points).all().item<bool>()) {
    throw Error::badInput("the points to project are not all finite", "projection");
  }
}

Neighbours nearestNeighbours(const torch::Tensor& points, std::int64_t k, Task& task) {
  const torch::NoGradGuard noGrad;
  requirePoints(points);
  const std::int64_t count = points.size(0), features = points.size(1);
  if (k < 1 || k >= count) {
    throw Error::badInput("there are no " + std::to_string(k) + " neighbours among " +
                              std::to_string(count) + " points",
                          "projection");
  }
  auto x = points.detach().to(torch::kCPU, torch::kFloat64);
  x = (x - x.mean(0)).contiguous();
  const auto* values = x.data_ptr<double>();
  const auto squares = x.square().sum(1);
  const std::int64_t candidates = std::min(count, k + 1 + kSpare);
  const std::int64_t rows = std::max<std::int64_t>(1, std::min(count, kBlock / count));
  Neighbours found{count, k, {}, {}};
  found.index.reserve(static_cast<std::size_t>(count * k));
  found.distance.reserve(static_cast<std::size_t>(count * k));
  std::vector<std::pair<double, std::int64_t>> near;
  for (std::int64_t begin = 0; begin < count; begin += rows) {
    task.checkpoint();
    const std::int64_t end = std::min(begin + rows, count);
    // |x|^2 is the same for all candidates of a row.
    const auto block = squares.unsqueeze(0) - 2.0 * x.slice(0, begin, end).mm(x.t());
    const auto nearest =
        std::get<1>(block.topk(candidates, 1, /*largest=*/false, /*sorted=*/false)).contiguous();
    const auto* chosen = nearest.data_ptr<std::int64_t>();
    for (std::int64_t i = begin; i < end; ++i) {
      near.clear();
      for (std::int64_t c = 0; c < candidates; ++c, ++chosen) {
        if (*chosen == i) continue;
        near.emplace_back(distanceOf(values + i * features, values + *chosen * features, features),
                          *chosen);
      }
      std::sort(near.begin(), near.end());
      for (std::int64_t j = 0; j < k; ++j) {
        found.distance.push_back(near[static_cast<std::size_t>(j)].first);
        found.index.push_back(near[static_cast<std::size_t>(j)].second);
      }
    }
  }
  return found;
}

}  // namespace bulwark
