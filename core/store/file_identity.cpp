#include "core/store/file_identity.h"

#include <sys/stat.h>

namespace bulwark {

DatabaseFiles::DatabaseFiles(std::filesystem::path path)
    : path_(std::move(path)), database_(identify(path_)), sharedMemory_(identify(sharedMemory())) {}

bool DatabaseFiles::replaced() const {
  const auto database = identify(path_);
  if (!database || !database_) return false;
  // The connection holds both files, so their inodes are given to no other file meanwhile.
  return database != database_ || (sharedMemory_ && identify(sharedMemory()) != sharedMemory_);
}

std::optional<DatabaseFiles::Identity> DatabaseFiles::identify(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Identity(status.st_dev, status.st_ino);
}

}  // namespace bulwark
