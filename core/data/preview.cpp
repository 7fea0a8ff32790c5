#include <algorithm>

#include "core/base/error.h"
#include "core/data/catalogue.h"
#include "core/data/open_split.h"

namespace bulwark {
namespace {

constexpr int mixedSizePreview = 64;  // pixels; for folders of images of many sizes

Thumbnail thumbnail(const ImageSet& set, std::int64_t index) {
  Thumbnail picture;
  picture.index = index;
  picture.label = set.labels()[index].item<std::int64_t>();
  torch::Tensor image = set.range(index, index + 1)[0].mul(255.0).round_().clamp_(0, 255);
  if (image.size(0) == 1) image = image.repeat({3, 1, 1});
  image = image.permute({1, 2, 0}).to(torch::kUInt8).contiguous();
  picture.height = static_cast<int>(image.size(0));
  picture.width = static_cast<int>(image.size(1));
  const auto* data = image.data_ptr<std::uint8_t>();
  picture.rgb.assign(data, data + image.numel());
  return picture;
}

}  // namespace

DatasetPreview previewDataset(const DatasetCatalogue& catalogue, const DatasetRequest& request,
                              const std::string& split, int perClass, Task& task) {
  const auto set = loadWithMixedSizes(catalogue, request, split, Seed(0), mixedSizePreview, task);
  DatasetPreview preview;
  preview.classNames = set->classNames();
  preview.count = set->size();
  preview.channels = static_cast<int>(set->shape().channels);
  preview.height = static_cast<int>(set->shape().height);
  preview.width = static_cast<int>(set->shape().width);
  std::map<std::int64_t, std::vector<std::int64_t>> chosen;
  const auto* labels = set->labels().data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < set->size(); ++i) {
    ++preview.classCounts[labels[i]];
    auto& indices = chosen[labels[i]];
    if (static_cast<int>(indices.size()) < perClass) indices.push_back(i);
  }
  for (const auto& [label, indices] : chosen) {
    for (const auto index : indices) {
      preview.thumbnails.push_back(thumbnail(*set, index));
      task.checkpoint();
    }
  }
  preview.fingerprint = set->fingerprint(task);
  return preview;
}

}  // namespace bulwark
