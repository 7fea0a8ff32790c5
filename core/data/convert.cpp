// One resampling rule for every set of an experiment (peers.md B 13): what differs between the
// sets must be their content, not the filter they went through.
#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/data/image_set.h"
#include "core/data/raw_images.h"

namespace bulwark {
namespace {

/// ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B. float [N, 3, H, W] -> [N, 1, H, W].
torch::Tensor luma(const torch::Tensor& images) {
  const torch::Tensor weights = torch::tensor({0.299F, 0.587F, 0.114F}).view({1, 3, 1, 1});
  return images.mul(weights).sum(1, true);
}

/// float [N, C, H, W] to the rule's shape. Both steps are linear, so their order does not matter;
/// the one with fewer channels is resampled.
torch::Tensor convertImages(torch::Tensor images, const ImageShape& to,
                            const ConversionRule& rule) {
  if (images.size(1) == 3 && to.channels == 1) {
    images = rule.redIsGrey ? images.narrow(1, 0, 1) : luma(images);
  }
  images = resizeAntialiased(images, to.height, to.width);
  if (images.size(1) == 1 && to.channels == 3) images = images.repeat({1, 3, 1, 1});
  return rule.invert ? 1.0 - images : images;
}

}  // namespace

std::shared_ptr<ImageSet> convert(const std::shared_ptr<ImageSet>& set, const ConversionRule& rule,
                                  Task& task) {
  const ImageShape from = set->shape();
  const ImageShape& to = rule.shape;
  if (from == to && !rule.invert) return set;
  const auto possible = [](std::int64_t channels) { return channels == 1 || channels == 3; };
  if (from.channels != to.channels && !(possible(from.channels) && possible(to.channels))) {
    throw Error::badInput(
        std::to_string(from.channels) + " channels cannot be made " + std::to_string(to.channels),
        set->name(), "1 and 3 channels can be converted into each other");
  }
  if (to.height < 1 || to.width < 1) {
    throw Error::badInput("an image size must be positive", set->name(), "set 'size'");
  }
  const auto held = std::dynamic_pointer_cast<TensorImageSet>(set);
  const bool bytes = held && held->pixels().scalar_type() == torch::kUInt8;
  const std::int64_t count = set->size();
  torch::Tensor pixels = torch::empty({count, to.channels, to.height, to.width},
                                      bytes ? torch::kUInt8 : torch::kFloat32);
  // About 32 MB of float pixels at once, so that cancelling is answered quickly.
  const std::int64_t perImage =
      std::max(from.channels * from.height * from.width, to.channels * to.height * to.width);
  const std::int64_t batch = std::clamp<std::int64_t>((std::int64_t{8} << 20) / perImage, 1, 1024);
  task.begin("convert " + set->name(), count, "images");
  const torch::NoGradGuard noGradient;
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    const std::int64_t end = std::min(count, begin + batch);
    torch::Tensor converted = convertImages(set->range(begin, end), to, rule);
    if (bytes) converted = converted.mul(255.0).round_().clamp_(0, 255).to(torch::kUInt8);
    pixels.narrow(0, begin, end - begin).copy_(converted);
    task.advance(end - begin);
  }
  task.end();
  Json details = set->details();
  const auto shapeJson = [](const ImageShape& shape) {
    return Json::array({shape.channels, shape.height, shape.width});
  };
  Json step = {{"from", shapeJson(from)}, {"to", shapeJson(to)}};
  if (from.height != to.height || from.width != to.width) {
    step["resize"] = rule.resize;
    step["aspect_ratio"] = from.height * to.width == from.width * to.height ? "kept" : "not kept";
  }
  if (from.channels == 3 && to.channels == 1) {
    step["to_grey"] = rule.redIsGrey ? "first channel" : "ITU-R BT.601 luma";
  }
  if (from.channels == 1 && to.channels == 3) step["to_colour"] = rule.toColour;
  if (rule.invert) step["values"] = "inverted";
  step["stored"] = bytes ? "8 bits per value, rounded" : "32-bit float";
  if (!details.contains("conversions")) details["conversions"] = Json::array();
  details["conversions"].push_back(std::move(step));
  return std::make_shared<TensorImageSet>(set->name(), pixels, set->labels(), set->classNames(),
                                          std::move(details));
}

}  // namespace bulwark
