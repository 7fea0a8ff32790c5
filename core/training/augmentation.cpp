#include "core/training/augmentation.h"

#include <stdexcept>

namespace bulwark {

Augmentation augmentationNamed(const std::string& name) {
  if (name == "none") return Augmentation::None;
  if (name == "flip") return Augmentation::Flip;
  if (name == "crop_flip") return Augmentation::CropFlip;
  if (name == "shift") return Augmentation::Shift;
  throw std::logic_error("unknown augmentation " + name);
}

torch::Tensor augment(Augmentation kind, const torch::Tensor& images, Random& random) {
  if (kind == Augmentation::None) return images;
  const bool flips = kind != Augmentation::Shift;
  const std::int64_t padding =
      kind == Augmentation::CropFlip ? 4 : (kind == Augmentation::Shift ? 2 : 0);
  const std::int64_t count = images.size(0), height = images.size(2), width = images.size(3);
  const std::int64_t paddedWidth = width + 2 * padding;

  // Position in the padded image that each pixel of the result is taken from; the same for all
  // channels, so that one gather does crop and mirror together.
  torch::Tensor source = torch::empty({count, height * width}, torch::kInt64);
  std::int64_t* out = source.data_ptr<std::int64_t>();
  const auto range = static_cast<std::uint64_t>(2 * padding + 1);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto top = static_cast<std::int64_t>(random.below(range));
    const auto left = static_cast<std::int64_t>(random.below(range));
    const bool mirrored = flips && random.below(2) == 1;
    for (std::int64_t y = 0; y < height; ++y) {
      const std::int64_t row = (top + y) * paddedWidth + left;
      for (std::int64_t x = 0; x < width; ++x) {
        *out++ = row + (mirrored ? width - 1 - x : x);
      }
    }
  }
  torch::Tensor padded = images;
  if (padding > 0) padded = torch::constant_pad_nd(images, {padding, padding, padding, padding});
  const torch::Tensor index =
      source.to(images.device()).unsqueeze(1).expand({count, images.size(1), height * width});
  return padded.flatten(2).gather(2, index).reshape(images.sizes());
}

}  // namespace bulwark
