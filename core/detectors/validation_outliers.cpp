#include "core/detectors/validation_outliers.h"

#include <cmath>
#include <numeric>
#include <stdexcept>

namespace bulwark {
namespace {

template <class Draw>
torch::Tensor filled(torch::IntArrayRef sizes, const Draw& draw) {
  auto values = torch::empty(sizes, torch::kFloat32);
  auto* data = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) data[i] = static_cast<float>(draw());
  return values;
}

/// 4 x 4 patches in another order; pixels beyond four times the patch stay where they are.
torch::Tensor jigsaw(const torch::Tensor& image, Random& random) {
  const std::int64_t height = image.size(1) / 4, width = image.size(2) / 4;
  std::vector<std::int64_t> order(16);
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(order);
  auto made = image.clone();
  const auto patch = [&](const torch::Tensor& of, std::int64_t place) {
    return of.narrow(1, place / 4 * height, height).narrow(2, place % 4 * width, width);
  };
  for (std::int64_t place = 0; place < 16; ++place) {
    patch(made, place).copy_(patch(image, order[static_cast<std::size_t>(place)]));
  }
  return made;
}

torch::Tensor blurred(const torch::Tensor& image) {
  constexpr std::int64_t radius = 4;
  constexpr double sigma = 1.5;
  const auto place = torch::arange(-radius, radius + 1, torch::kFloat32);
  auto line = (place.square() / (-2.0 * sigma * sigma)).exp();
  line /= line.sum();
  const auto planes = image.unsqueeze(1);
  const std::vector<std::int64_t> across = {0, radius}, along = {radius, 0};
  const auto down = torch::conv2d(planes, line.view({1, 1, -1, 1}), {}, 1, along);
  return torch::conv2d(down, line.view({1, 1, 1, -1}), {}, 1, across).squeeze(1);
}

torch::Tensor blobs(torch::IntArrayRef sizes, Random& random) {
  auto noise = blurred(filled(sizes, [&] { return random.uniform(); }));
  noise -= noise.min();
  noise /= noise.max().clamp_min(1e-12);
  return torch::where(noise < noise.mean(), torch::zeros_like(noise), noise);
}

torch::Tensor make(const std::string& kind, const torch::Tensor& image, const torch::Tensor& other,
                   Random& random) {
  if (kind == "mean") return (image + other) / 2;
  if (kind == "geometric_mean") return (image * other).sqrt();
  if (kind == "jigsaw") return jigsaw(image, random);
  if (kind == "inverted") return 1 - image;
  if (kind == "blobs") return blobs(image.sizes(), random);
  if (kind != "speckle") throw std::logic_error("no kind of outliers: " + kind);
  const auto noise = filled(image.sizes(), [&] { return random.normal(); });
  return (image * (1 + 0.6 * noise)).clamp(0, 1);
}

}  // namespace

const std::vector<std::string>& validationOutlierKinds() {
  static const std::vector<std::string> kinds = {"mean",    "geometric_mean", "jigsaw",
                                                 "speckle", "inverted",       "blobs"};
  return kinds;
}

torch::Tensor validationOutliers(const torch::Tensor& images, const std::vector<std::string>& kinds,
                                 Seed seed) {
  const torch::NoGradGuard noGrad;
  const auto count = static_cast<std::uint64_t>(images.size(0));
  auto made = torch::empty_like(images);
  for (std::uint64_t i = 0; i < count; ++i) {
    Random random(seed.child(i));
    const auto row = static_cast<std::int64_t>(i);
    const auto other = static_cast<std::int64_t>((i + 1 + random.below(count - 1)) % count);
    made[row].copy_(make(kinds[i % kinds.size()], images[row], images[other], random));
  }
  return made;
}

}  // namespace bulwark
