#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>

namespace bulwark {

/// Which files on the disk a connection was opened on: the database and its shared memory
/// (`-shm`). Looks at names only and opens nothing, for closing a descriptor of these files would
/// drop the locks of the connection (sqlite.org/howtocorrupt.html, section 2.2).
class DatabaseFiles {
 public:
  /// Of a database that this process has open and has read from, so that both files are there.
  explicit DatabaseFiles(std::filesystem::path path);

  /// True when the name leads to another database, or another program has taken the shared memory
  /// away or made its own. SQLite never lets that happen to a connection whose locks hold; ours
  /// sees nothing of what others write from then on. False where the database itself is gone.
  bool replaced() const;

 private:
  using Identity = std::pair<std::uint64_t, std::uint64_t>;  // device and inode

  static std::optional<Identity> identify(const std::filesystem::path& path);
  std::filesystem::path sharedMemory() const { return path_.string() + "-shm"; }

  std::filesystem::path path_;
  std::optional<Identity> database_;
  std::optional<Identity> sharedMemory_;
};

}  // namespace bulwark
