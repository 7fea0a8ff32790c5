#include "core/data/layout.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>
#include <system_error>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/text.h"
#include "core/data/byte_source.h"

namespace bulwark {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> sortedEntries(const fs::path& folder, bool folders) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const bool wanted = folders ? it->is_directory(ignored) : it->is_regular_file(ignored);
    if (wanted && it->path().filename().string().front() != '.') found.push_back(it->path());
  }
  if (error) throw Error::badInput("the folder cannot be read", folder.string(), "check the path");
  std::sort(found.begin(), found.end());
  return found;
}

/// "train-images.bin.gz" -> "train-images.bin".
std::string withoutGzip(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name;
}

std::string splitOfName(const std::string& name) {
  const std::string word = lower(name);
  if (word.starts_with("train") || word.starts_with("data_batch")) return "train";
  if (word.starts_with("test") || word.starts_with("t10k") || word.starts_with("val"))
    return "test";
  return {};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

Layout idxFile(const fs::path& file) {
  Layout layout{.format = "idx", .root = file.parent_path()};
  SplitLayout split{.split = splitOfName(file.filename().string()), .images = {file}};
  const std::string name = withoutGzip(file);
  const std::string labels = replaced(replaced(name, "images", "labels"), "idx3", "idx1");
  if (labels != name) split.labels = plainOrGzip(file.parent_path(), labels);
  layout.splits.push_back(split);
  return layout;
}

Layout idxFolder(const fs::path& folder) {
  Layout layout{.format = "idx", .root = folder};
  std::set<std::string> seen;
  for (const auto& file : sortedEntries(folder, false)) {
    if (withoutGzip(file).find("images") == std::string::npos) continue;
    const Layout one = idxFile(file);
    // A plain file and its .gz are the same split; the plain one sorts first.
    if (seen.insert(one.splits[0].split).second) layout.splits.push_back(one.splits[0]);
  }
  return layout;
}

Layout cifarFiles(const fs::path& path, const std::string& format) {
  Layout layout{.format = format, .root = path};
  std::vector<fs::path> files{path};
  if (fs::is_directory(path)) {
    for (const char* inner : {"cifar-10-batches-bin", "cifar-100-binary"}) {
      if (fs::is_directory(path / inner)) layout.root = path / inner;
    }
    files = sortedEntries(layout.root, false);
  } else {
    layout.root = path.parent_path();
  }
  std::string previous;
  for (const auto& file : files) {
    const std::string name = withoutGzip(file);
    if (!name.ends_with(".bin") || name == previous) continue;
    previous = name;
    const std::string split = splitOfName(name);
    auto at = std::find_if(layout.splits.begin(), layout.splits.end(),
                           [&](const SplitLayout& s) { return s.split == split; });
    if (at == layout.splits.end()) at = layout.splits.insert(at, SplitLayout{.split = split});
    at->images.push_back(file);
    at->counts.push_back(0);
  }
  layout.classes = format == "cifar10" ? 10 : format == "cifar100" ? 100 : 20;
  return layout;
}

Layout npyFiles(const fs::path& path) {
  Layout layout{.format = "npy", .root = path};
  std::vector<fs::path> files{path};
  if (fs::is_directory(path)) {
    files = sortedEntries(path, false);
  } else {
    layout.root = path.parent_path();
  }
  for (const auto& file : files) {
    const std::string name = withoutGzip(file);
    if (!name.ends_with(".npy") || name.ends_with("_labels.npy") || name == "labels.npy") continue;
    SplitLayout split{.split = splitOfName(name), .images = {file}};
    const std::string stem = name.substr(0, name.size() - 4);
    split.labels = plainOrGzip(file.parent_path(), stem + "_labels.npy");
    if (split.labels.empty() && files.size() <= 2) {
      split.labels = plainOrGzip(file.parent_path(), "labels.npy");
    }
    for (const auto& other : layout.splits) {
      if (other.split == split.split) {
        throw Error::badInput("two arrays for one split: " + other.images[0].string(),
                              file.string(),
                              "name the file itself, or call them train.npy and test.npy");
      }
    }
    layout.splits.push_back(split);
  }
  return layout;
}

/// Folders of images below a split; one called "images" alone means that there are no classes.
std::vector<std::string> classFolders(const fs::path& split) {
  std::vector<std::string> names;
  for (const auto& folder : sortedEntries(split, true)) names.push_back(folder.filename().string());
  if (names.size() == 1 && names[0] == "images") names.clear();
  return names;
}

Layout imageFolders(const fs::path& path) {
  if (!fs::is_directory(path)) {
    throw Error::badInput("not a folder", path.string(),
                          "give the folder that holds one folder per class");
  }
  Layout layout{.format = "folder", .root = path};
  const std::pair<const char*, const char*> names[] = {{"train", "train"},
                                                       {"one_class_train", "train"},
                                                       {"test", "test"},
                                                       {"val", "test"},
                                                       {"one_class_test", "test"}};
  for (const auto& [name, split] : names) {
    if (!fs::is_directory(path / name)) continue;
    const bool taken = std::any_of(layout.splits.begin(), layout.splits.end(),
                                   [&](const SplitLayout& s) { return s.split == split; });
    if (!taken) layout.splits.push_back({.split = split, .images = {path / name}});
  }
  if (layout.splits.empty()) layout.splits.push_back({.split = {}, .images = {path}});
  // One numbering for all splits, so that a class missing from one keeps its number.
  std::set<std::string> classes;
  for (const auto& split : layout.splits) {
    for (const auto& name : classFolders(split.images[0])) classes.insert(name);
  }
  layout.classNames.assign(classes.begin(), classes.end());
  return layout;
}

}  // namespace

bool isImageName(const fs::path& path) {
  static const std::set<std::string> known = {".png", ".jpg", ".jpeg", ".bmp",
                                              ".ppm", ".pgm", ".pnm"};
  return known.contains(lower(path.extension().string()));
}

bool isHarmless(const fs::path& path) {
  const std::string name = lower(path.filename().string());
  return name.starts_with(".") || name == "thumbs.db" || name == "desktop.ini" ||
         name.ends_with("_boxes.txt") || name == "val_annotations.txt";
}

void readClassNames(const fs::path& file, Layout& layout) {
  std::istringstream lines(readFile(file));
  std::vector<std::string> names;
  std::vector<int> flags;
  std::string line, kind;
  while (std::getline(lines, line)) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::vector<std::string> parts;
    for (std::string word; words >> word;) parts.push_back(word);
    const std::string number = std::to_string(names.size());
    if (parts.size() >= 3 && parts[1] == number && (kind.empty() || kind == parts[0])) {
      kind = parts[0];
      names.push_back(parts[2]);
    } else if (!kind.empty()) {
      continue;  // a second kind of label, for another labels file
    } else if (parts.size() >= 4 && parts[0] == number && parts[1].size() == 9 &&
               parts[1][0] == 'n' && parts[2].size() == 1) {
      const auto words3 = line.find(parts[3], line.find(" " + parts[2] + " ") + 3);
      const std::string all = line.substr(words3);
      names.push_back(all.substr(0, all.find(',')));
      flags.push_back(parts[2][0] - '0');
    } else if (parts.size() >= 2 && parts[0] == number) {
      names.push_back(line.substr(line.find(parts[1], parts[0].size())));
    } else if (!parts.empty()) {
      names.push_back(line);
    }
  }
  layout.classNames = names;
  layout.overlapFlags = flags.size() == names.size() ? flags : std::vector<int>{};
}

namespace {

Layout locate(const fs::path& path, const std::string& format) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw Error::badInput("there is no such file or folder", path.string(), "check the path");
  }
  const std::string how = format.empty() ? guessFormat(path) : format;
  const bool isFolder = fs::is_directory(path, ignored);
  Layout layout;
  if (how == "idx") {
    layout = isFolder ? idxFolder(path) : idxFile(path);
  } else if (how.starts_with("cifar")) {
    layout = cifarFiles(path, how);
  } else if (how == "npy") {
    layout = npyFiles(path);
  } else if (how == "folder") {
    return imageFolders(path);
  } else {
    throw Error::badInput(
        "unknown format '" + how + "'", path.string(),
        suggestion(how, datasetFormats()) + " known: " + join(datasetFormats(), ", "));
  }
  if (layout.splits.empty()) {
    throw Error::badInput("no " + how + " files are in this folder", path.string(),
                          "check the path and the format");
  }
  for (const char* name : {"classes.txt", "batches.meta.txt", "fine_label_names.txt"}) {
    const fs::path file = layout.root / name;
    if (how == "cifar100-coarse" || !layout.classNames.empty()) break;
    if (fs::is_regular_file(file, ignored)) readClassNames(file, layout);
  }
  if (!layout.classNames.empty()) layout.classes = static_cast<int>(layout.classNames.size());
  return layout;
}

}  // namespace

Layout locateData(const fs::path& path, const std::string& format) {
  try {
    return locate(path, format);
  } catch (const fs::filesystem_error& error) {
    throw Error::badInput("the data cannot be looked through: " + error.code().message(),
                          (error.path1().empty() ? path : error.path1()).string(),
                          "check the permissions of the folder and of what lies in it");
  }
}

Layout locateSet(const DatasetInfo& info, const fs::path& folder,
                 std::vector<std::string>& missing) {
  Layout layout{.format = info.format, .root = folder, .classNames = info.classNames};
  for (const std::string split : {"train", "test"}) {
    SplitLayout found{.split = split};
    bool complete = true, any = false;
    for (const auto& file : info.files) {
      if (file.split != split) continue;
      any = true;
      const fs::path path = plainOrGzip(folder, file.path);
      if (path.empty()) {
        missing.push_back(file.path);
        complete = complete && file.optional;
      } else if (file.holds == "labels") {
        found.labels = path;
      } else {
        found.images.push_back(path);
        found.counts.push_back(file.count);
      }
    }
    if (any && complete && !found.images.empty()) layout.splits.push_back(found);
  }
  for (const auto& file : info.files) {
    const fs::path path = file.holds == "names" ? plainOrGzip(folder, file.path) : fs::path();
    if (!path.empty()) readClassNames(path, layout);
  }
  // A label is one byte in the formats that have a table of files.
  layout.classes = info.classes > 0 ? info.classes : 256;
  return layout;
}

const SplitLayout& splitFor(const Layout& layout, const std::string& wanted,
                            const std::string& where) {
  const SplitLayout* undivided = nullptr;
  std::vector<std::string> has;
  for (const auto& split : layout.splits) {
    if (split.split == wanted) return split;
    if (split.split.empty()) undivided = &split;
    has.push_back(split.split);
  }
  if (undivided) return *undivided;
  throw Error::badInput(
      "there are no " + std::string(wanted == "train" ? "training" : "test") +
          " images, only the split '" + join(has, "', '") + "'",
      where,
      wanted == "train" ? "use the set as an out set, put the training files beside the others, "
                          "or set \"split\": \"test\""
                        : "put the test files beside the others, or set \"split\": \"train\"");
}

}  // namespace bulwark
