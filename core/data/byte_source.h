#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/base/task.h"

namespace bulwark {

/// The bytes of a file that may be gzip-compressed, read front to back.
///
/// Compression is told from the content, not the name. Everything that can be wrong with the file
/// is an `Error` (BadInput) that names it: it cannot be opened, it ends early, its checksum is
/// wrong, or something follows the compressed data.
class ByteSource {
 public:
  explicit ByteSource(const std::filesystem::path& path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  const std::filesystem::path& path() const;
  bool compressed() const;
  /// Exactly `size` bytes; throws when the file ends before.
  void read(void* to, std::size_t size);
  /// Up to `size` bytes; less only at the end of the file.
  std::size_t readSome(void* to, std::size_t size);
  /// Throws when bytes are left ("oversized"); also verifies the checksum of gzip data.
  void expectEnd();
  /// Throws unless exactly `size` more bytes can follow: exact for plain files, an upper bound
  /// (deflate's 1032:1) for compressed ones. To be asked before memory is taken for them.
  void expectRemaining(std::uint64_t size) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// `folder/name`, else `folder/name.gz`; empty when neither is a file.
std::filesystem::path plainOrGzip(const std::filesystem::path& folder, const std::string& name);

/// sha256 of the uncompressed bytes.
std::string sha256Uncompressed(const std::filesystem::path& path, Task& task);

}  // namespace bulwark
