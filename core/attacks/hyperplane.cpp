#include "core/attacks/hyperplane.h"

#include <tuple>

namespace bulwark {

torch::Tensor toHyperplane(const torch::Tensor& points, const torch::Tensor& normals,
                           const torch::Tensor& values, Distance distance) {
  const auto needed = values.abs().unsqueeze(1);
  // The function must fall where it is positive, and rise where it is negative.
  const auto uphill = normals * torch::where(values > 0, -1.0, 1.0).unsqueeze(1);
  const auto slope = uphill.abs();
  auto room = torch::where(uphill > 0, 1 - points, points);
  room = room.masked_fill(slope == 0, 0.0);
  const bool squares = distance == Distance::L2;
  const auto weight = squares ? slope.square() : slope;
  const auto breaks =
      squares ? room / torch::where(slope > 0, slope, torch::ones_like(slope)) : room;

  torch::Tensor sorted, order;
  std::tie(sorted, order) = breaks.sort(1);
  const auto heavy = weight.gather(1, order);
  const auto used = (heavy * sorted).cumsum(1);  // by entries at their break-point
  const auto total = heavy.sum(1, true);
  const auto before = heavy.cumsum(1) - heavy;  // weight of the entries before this one
  const auto usedBefore = used - heavy * sorted;
  // What is reached when lambda is at each break-point; non-decreasing.
  const auto reached = usedBefore + sorted * (total - before);
  const auto count = points.size(1);
  const auto at = (reached < needed).sum(1, true);  // first break-point that suffices
  const auto piece = at.clamp_max(count - 1);
  const auto free = (total - before).gather(1, piece);
  auto lambda = (needed - usedBefore.gather(1, piece)) / free.clamp_min(1e-300);
  // The box does not reach: every entry goes to its side.
  lambda = torch::where(at == count, sorted.narrow(1, count - 1, 1), lambda);
  const auto length = torch::minimum(squares ? lambda * slope : lambda.expand_as(room), room);
  return length * uphill.sign();
}

}  // namespace bulwark
