#include <algorithm>

#include "core/base/error.h"
#include "core/data/catalogue.h"
#include "core/data/open_split.h"

namespace bulwark {
namespace {

/// Runs `work`; what is wrong with the data becomes one problem more.
template <class Work>
void collect(std::vector<std::string>& problems, Work work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.kind() == Error::Kind::Cancelled) throw;
    problems.push_back(error.what());
  }
}

void checkSums(const DatasetInfo& info, const std::filesystem::path& folder,
               std::vector<std::string>& problems, Task& task) {
  for (const auto& file : info.files) {
    const auto path = plainOrGzip(folder, file.path);
    if (path.empty() || file.sha256.empty()) continue;
    task.begin("check " + path.filename().string(), 1, "files");
    collect(problems, [&] {
      const std::string found = sha256Uncompressed(path, task);
      if (found != file.sha256) {
        problems.push_back(path.string() + ": not the published file: sha256 " + found +
                           ", expected " + file.sha256);
      }
    });
    task.end();
  }
}

/// Every image is decoded on its own, so that each broken file is named.
void checkPixels(const Layout& layout, const SplitLayout& split, std::vector<std::string>& problems,
                 Task& task) {
  const RawImages raw = openSplit(layout, split, {}, task);
  task.begin("check " + split.images.at(0).filename().string(), raw.count(), "images");
  if (layout.format != "folder") {
    raw.pixels(torch::arange(raw.count(), torch::kInt64), task);
  } else {
    for (std::int64_t i = 0; i < raw.count(); ++i) {
      collect(problems, [&] { raw.pixels(torch::full({1}, i, torch::kInt64), task); });
    }
  }
  task.end();
}

}  // namespace

DatasetStatus DatasetCatalogue::check(const std::string& name, Task& task) const {
  DatasetStatus result = status(name);
  const DatasetInfo& set = info(name);
  if (!result.installed || set.generated) return result;
  const Found found = findSet(set, folders_);
  for (const auto& split : found.layout.splits) {
    collect(result.problems, [&] { checkPixels(found.layout, split, result.problems, task); });
  }
  checkSums(set, found.folder, result.problems, task);
  return result;
}

}  // namespace bulwark
