#include <array>
#include <cstring>
#include <set>
#include <system_error>

#include "core/base/error.h"
#include "core/data/byte_source.h"
#include "core/data/layout.h"

namespace bulwark {
namespace fs = std::filesystem;
namespace {

/// The first bytes of a file, uncompressed; empty when it cannot be read, and for a database in
/// use: closing it would drop the locks that a connection of this process holds on it.
std::string firstBytes(const fs::path& file) {
  std::array<char, 8> bytes{};
  const std::string name = file.filename().string();
  std::error_code ignored;
  if (name.ends_with("-wal") || name.ends_with("-shm") ||
      fs::exists(file.string() + "-wal", ignored)) {
    return {};
  }
  try {
    ByteSource source(file);
    return {bytes.data(), source.readSome(bytes.data(), bytes.size())};
  } catch (const Error&) {
    return {};
  }
}

std::string formatOfFile(const fs::path& file) {
  const std::string bytes = firstBytes(file);
  if (bytes.starts_with("\x93NUMPY")) return "npy";
  if (bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 8 && bytes[3] == 3) {
    return "idx";
  }
  std::string name = file.filename().string();
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  if (!name.ends_with(".bin") || bytes.empty()) return {};
  std::error_code ignored;
  const auto size = fs::file_size(file, ignored);
  const bool plain = file.extension() != ".gz";
  return plain && size % 3073 != 0 && size % 3074 == 0 ? "cifar100" : "cifar10";
}

bool holdsImages(const fs::path& folder) {
  int looked = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored) && isImageName(it->path())) return true;
    if (++looked > 5000) break;
  }
  return false;
}

std::string formatOfFolder(const fs::path& folder) {
  std::set<std::string> formats;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) {
      const std::string name = it->path().filename().string();
      if (name == "cifar-10-batches-bin") formats.insert("cifar10");
      if (name == "cifar-100-binary") formats.insert("cifar100");
    } else if (it->is_regular_file(ignored)) {
      formats.insert(formatOfFile(it->path()));
    }
  }
  for (const char* format : {"idx", "npy", "cifar10", "cifar100"}) {
    if (formats.contains(format)) return format;
  }
  return holdsImages(folder) ? "folder" : std::string();
}

std::string guessed(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? formatOfFolder(path) : formatOfFile(path);
}

}  // namespace

std::string guessFormat(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw Error::badInput("there is no such file or folder", path.string(), "check the path");
  }
  const std::string format = guessed(path);
  if (!format.empty()) return format;
  throw Error::badInput(
      "the format of this data is not recognised", path.string(),
      "accepted: IDX files (plain or .gz), CIFAR-10/100 binary files, NPY arrays, and folders with "
      "one folder of PNG, JPEG, BMP or PPM images per class");
}

Found findSet(const DatasetInfo& info, const std::vector<fs::path>& searchFolders) {
  Found best;
  for (const auto& search : searchFolders) {
    for (const auto& name : info.folders) {
      const fs::path folder = name == "." ? search : search / name;
      std::error_code ignored;
      if (!fs::is_directory(folder, ignored)) continue;
      Found found;
      found.folder = folder;
      // "." is a shared folder: only the published file names count there.
      const bool own = name != ".";
      if (!info.files.empty() && !info.format.empty() && info.format != "folder") {
        found.layout = locateSet(info, folder, found.missing);
      }
      std::string native;
      for (const auto& file : info.files) {
        if (info.format.empty() && fs::exists(folder / file.path, ignored)) native = file.path;
      }
      // A converted copy, and every set that is published as image folders.
      if (found.layout.splits.empty() && own) {
        const std::string format = info.format == "folder" ? "folder" : guessed(folder);
        try {
          const bool same = format == info.format && !info.files.empty();
          // The published files of a set without a reader are not one folder per class.
          const bool asPublished = format == "folder" && !native.empty();
          if (!format.empty() && !same && !asPublished &&
              (format != "folder" || holdsImages(folder))) {
            found.layout = locateData(folder, format);
            found.missing.clear();
          }
        } catch (const Error& error) {
          found.problems.push_back(error.what());
        }
      }
      if (!native.empty() && found.layout.splits.empty()) {
        found.problems.push_back("found " + native + ", a format that Bulwark does not read yet");
      }
      if (!found.layout.splits.empty()) return found;
      const bool telling = found.missing.size() < info.files.size() || !found.problems.empty();
      if (best.folder.empty() && own && telling) best = found;
    }
  }
  if (best.folder.empty()) {
    for (const auto& file : info.files) {
      if (!file.optional) best.missing.push_back(file.path);
    }
  }
  best.layout.splits.clear();
  return best;
}

}  // namespace bulwark
