#include "core/attacks/square_windows.h"

#include <algorithm>
#include <cmath>

namespace bulwark {
namespace {

/// [height, width], length 1: squares of sides 1, 3, 5, ... around the centre, summed with weights
/// 1, 1/4, 1/9, ...
torch::Tensor rectangles(std::int64_t height, std::int64_t width) {
  auto sum = torch::zeros({height, width}, torch::kFloat64);
  const std::int64_t rings = std::max(height / 2, width / 2) + 1;
  for (std::int64_t k = 0; k < rings; ++k) {
    const std::int64_t top = height / 2 - k, left = width / 2 - k, side = 2 * k + 1;
    sum.slice(0, std::max<std::int64_t>(top, 0), std::min(top + side, height))
        .slice(1, std::max<std::int64_t>(left, 0), std::min(left + side, width))
        .add_(1.0 / static_cast<double>((k + 1) * (k + 1)));
  }
  return sum / sum.norm();
}

}  // namespace

Window randomWindow(std::int64_t side, std::int64_t height, std::int64_t width, Random& random) {
  Window window;
  window.side = side;
  window.top =
      static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(height - side + 1)));
  window.left =
      static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(width - side + 1)));
  return window;
}

double squareShare(double first, std::int64_t number, std::int64_t rescaleTo) {
  if (rescaleTo > 0) {
    number = static_cast<std::int64_t>(static_cast<double>(number) /
                                       static_cast<double>(rescaleTo) * 10000.0);
  }
  double share = first;
  for (const std::int64_t after : {10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000}) {
    if (number > after) share /= 2;
  }
  return share;
}

std::int64_t squareSide(double share, std::int64_t height, std::int64_t width, bool l2) {
  // Half to even, as the released code rounds.
  auto side = static_cast<std::int64_t>(
      std::nearbyint(std::sqrt(share * static_cast<double>(height * width))));
  side = std::max<std::int64_t>(side, l2 ? 3 : 1);
  if (l2 && side % 2 == 0) ++side;
  return std::min({side, height, width});
}

torch::Tensor squareBump(std::int64_t side, bool transposed) {
  auto bump = torch::zeros({side, side}, torch::kFloat64);
  const std::int64_t half = side / 2;
  if (half > 0) bump.slice(0, 0, half).copy_(rectangles(half, side));
  bump.slice(0, half, side).copy_(-rectangles(side - half, side));
  bump = (bump / bump.norm()).to(torch::kFloat32);
  return transposed ? bump.t() : bump;
}

torch::Tensor squareStart(const torch::Tensor& image, const ThreatModel& threat, Seed seed) {
  Random random(seed);
  const auto sign = [&random] { return random.below(2) == 1 ? 1.0 : -1.0; };
  const std::int64_t channels = image.size(0), height = image.size(1), width = image.size(2);
  if (threat.norm != Norm::L2) {
    auto stripes = torch::zeros({channels, 1, width}, torch::kFloat64);
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t column = 0; column < width; ++column) stripes[c][0][column] = sign();
    }
    return image + (stripes * threat.epsilon).to(torch::kFloat32);
  }
  auto delta = torch::zeros({channels, height, width}, torch::kFloat64);
  const std::int64_t side = std::max<std::int64_t>(1, std::min(height, width) / 5);
  const std::int64_t down = std::min<std::int64_t>(5, height / side);
  const std::int64_t across = std::min<std::int64_t>(5, width / side);
  const std::int64_t top = (height - down * side) / 2, left = (width - across * side) / 2;
  for (std::int64_t i = 0; i < down; ++i) {
    for (std::int64_t j = 0; j < across; ++j) {
      const auto bump = squareBump(side, random.below(2) == 1);
      for (std::int64_t c = 0; c < channels; ++c) {
        delta[c]
            .slice(0, top + i * side, top + (i + 1) * side)
            .slice(1, left + j * side, left + (j + 1) * side)
            .copy_(bump * sign());
      }
    }
  }
  return image + (delta * (threat.epsilon / delta.norm())).to(torch::kFloat32);
}

torch::Tensor windowMask(const std::vector<Window>& windows, std::int64_t height,
                         std::int64_t width, const torch::Device& device) {
  const auto count = static_cast<std::int64_t>(windows.size());
  std::vector<std::int64_t> bounds;
  for (const Window& w : windows) {
    for (const auto bound : {w.top, w.top + w.side, w.left, w.left + w.side}) {
      bounds.push_back(bound);
    }
  }
  const auto at = torch::tensor(bounds).view({count, 4, 1, 1, 1}).to(device).unbind(1);
  const auto options = torch::TensorOptions(device).dtype(torch::kInt64);
  const auto rows = torch::arange(height, options).view({1, 1, height, 1});
  const auto columns = torch::arange(width, options).view({1, 1, 1, width});
  return rows.ge(at[0])
      .logical_and(rows.lt(at[1]))
      .logical_and(columns.ge(at[2]).logical_and(columns.lt(at[3])));
}

}  // namespace bulwark
