#include "core/data/catalogue.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <system_error>
#include <utility>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/text.h"
#include "core/data/layout.h"

namespace bulwark {
namespace fs = std::filesystem;
namespace {

fs::path userDatasets() {
  return userDataFolder() / "datasets";
}

/// Every folder in the user's data folder that is no built-in set.
std::vector<DatasetInfo> userSets(const std::vector<DatasetInfo>& builtin) {
  std::vector<DatasetInfo> sets;
  std::error_code error;
  for (fs::directory_iterator it(userDatasets(), error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    if (!it->is_directory(ignored) || name.starts_with(".")) continue;
    const bool known = std::any_of(builtin.begin(), builtin.end(), [&](const DatasetInfo& info) {
      return std::any_of(info.folders.begin(), info.folders.end(), [&](const std::string& folder) {
        return folder == name || folder.starts_with(name + "/");
      });
    });
    if (known) continue;
    DatasetInfo info{.name = name, .title = name, .summary = "your own data", .licence = "unknown"};
    info.channels = info.height = info.width = 0;
    info.user = true;
    info.folders = {name};
    info.whatToPutWhere =
        "Put one folder of images per class (also below train/ and test/), "
        "IDX, CIFAR binary or NPY files into a folder in " +
        userDatasets().string() + ".";
    try {
      info.format = guessFormat(it->path());
    } catch (const Error& problem) {
      info.summary += ": " + problem.problem();
    }
    sets.push_back(std::move(info));
  }
  std::sort(sets.begin(), sets.end(),
            [](const DatasetInfo& a, const DatasetInfo& b) { return a.name < b.name; });
  return sets;
}

}  // namespace

DatasetCatalogue::DatasetCatalogue(std::vector<fs::path> folders)
    : folders_(std::move(folders)), sets_(builtinDatasets()) {
  if (std::find(folders_.begin(), folders_.end(), userDatasets()) == folders_.end()) return;
  for (auto& info : userSets(sets_)) sets_.push_back(std::move(info));
}

std::vector<fs::path> DatasetCatalogue::defaultFolders(const std::vector<fs::path>& extra) {
  std::vector<fs::path> folders;
  const auto add = [&folders](const fs::path& folder) {
    if (!folder.empty() && std::find(folders.begin(), folders.end(), folder) == folders.end()) {
      folders.push_back(folder);
    }
  };
  for (const auto& folder : extra) add(folder);
  if (const char* list = std::getenv("BULWARK_DATA")) {
    std::istringstream parts{std::string(list)};
    for (std::string part; std::getline(parts, part, ':');) add(part);
  }
  add(userDatasets());
  add("/usr/share/datasets");
  return folders;
}

const DatasetInfo& DatasetCatalogue::info(const std::string& name, const std::string& path) const {
  std::vector<std::string> known;
  for (const auto& info : sets_) {
    if (info.name == name) return info;
    known.push_back(info.name);
  }
  const std::string typo = suggestion(name, known);
  throw Error::badInput("there is no data set '" + name + "'", path.empty() ? "dataset" : path,
                        (typo.empty() ? "" : typo + " ") + "known: " + join(known, ", "));
}

DatasetStatus DatasetCatalogue::status(const std::string& name) const {
  const DatasetInfo& set = info(name);
  DatasetStatus status;
  if (set.generated) {
    status.installed = true;
    status.format = set.format;
    status.splits = {"train", "test"};
    return status;
  }
  const Found found = findSet(set, folders_);
  status.installed = !found.layout.splits.empty();
  status.folder = found.folder;
  status.missing = found.missing;
  status.problems = found.problems;
  if (status.installed) {
    status.format = found.layout.format;
    for (const auto& split : found.layout.splits) {
      status.splits.push_back(split.split.empty() ? "all" : split.split);
    }
    return status;
  }
  std::vector<std::string> searched;
  for (const auto& folder : folders_) searched.push_back(folder.string());
  status.advice = set.whatToPutWhere + " Searched: " + join(searched, ", ") + ".";
  if (!set.homepage.empty()) status.advice += " Home page: " + set.homepage;
  return status;
}

}  // namespace bulwark
