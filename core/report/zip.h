#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bulwark {

/// Collects files into a ZIP archive in memory. Dates are fixed, so equal content gives equal
/// bytes. Throws `Error` (Failed) beyond the 4 GB and 65,535 entries of the plain format.
class ZipWriter {
 public:
  void add(const std::string& name, std::string_view content);
  /// The whole archive; the writer is spent afterwards.
  std::string finish();

 private:
  struct Entry {
    std::string name;
    std::uint32_t crc = 0, compressed = 0, size = 0, offset = 0;
    std::uint16_t method = 0;
  };
  std::string bytes_;
  std::vector<Entry> entries_;
};

}  // namespace bulwark
