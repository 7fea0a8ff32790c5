#include "core/data/open_split.h"

#include <algorithm>
#include <numeric>

#include "core/base/error.h"

namespace bulwark {
namespace {

RawImages readSplit(const Layout& layout, const SplitLayout& split, const FolderOptions& options,
                    Task& task) {
  if (layout.format == "idx") return readIdx(split.images.at(0), split.labels, task);
  if (layout.format == "npy") return readNpy(split.images.at(0), split.labels, task);
  if (layout.format == "folder") {
    return readFolder(split.images.at(0), layout.classNames, options, task);
  }
  const int classes = layout.classes > 0 ? layout.classes : 256;
  if (layout.format == "cifar10") return readCifar(split.images, 1, 0, classes, task);
  // CIFAR-100 records carry the superclass, then the class.
  const bool coarse = layout.format == "cifar100-coarse";
  return readCifar(split.images, 2, coarse ? 0 : 1, classes, task);
}

}  // namespace

RawImages openSplit(const Layout& layout, const SplitLayout& split, const FolderOptions& options,
                    Task& task) {
  RawImages raw = readSplit(layout, split, options, task);
  const std::string where = split.images.at(0).string();
  const std::int64_t expected =
      std::accumulate(split.counts.begin(), split.counts.end(), std::int64_t{0});
  const bool fixed =
      !split.counts.empty() && std::all_of(split.counts.begin(), split.counts.end(),
                                           [](std::int64_t count) { return count > 0; });
  if (fixed && raw.count() != expected) {
    throw Error::badInput(
        std::to_string(raw.count()) + " images were found, the set has " + std::to_string(expected),
        where, "fetch the files again, or name your own data with \"path\"");
  }
  const auto least = raw.labels.min().item<std::int64_t>();
  const auto most = raw.labels.max().item<std::int64_t>();
  const std::int64_t classes = layout.classes > 0 ? layout.classes : std::int64_t{1} << 20;
  if (least < -1 || most >= classes) {
    throw Error::badInput("label " + std::to_string(least < -1 ? least : most) +
                              " is outside the classes 0 to " + std::to_string(classes - 1),
                          split.labels.empty() ? where : split.labels.string(),
                          "the labels do not belong to this set, or classes.txt lacks names");
  }
  if (raw.classNames.empty()) raw.classNames = layout.classNames;
  for (auto k = static_cast<std::int64_t>(raw.classNames.size()); k <= most; ++k) {
    raw.classNames.push_back(std::to_string(k));
  }
  return raw;
}

}  // namespace bulwark
