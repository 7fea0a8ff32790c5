#include "core/report/zip.h"

#include <limits>

#include "core/base/error.h"
#include "core/report/deflate.h"

namespace bulwark {
namespace {

constexpr std::uint16_t version = 20;              // deflate needs 2.0
constexpr std::uint16_t utf8Names = 1U << 11U;     // general purpose flag
constexpr std::uint16_t firstDay = 1U << 5U | 1U;  // 1980-01-01

void put16(std::string& bytes, std::uint16_t value) {
  bytes += static_cast<char>(value & 0xFFU);
  bytes += static_cast<char>(value >> 8U);
}

void put32(std::string& bytes, std::uint32_t value) {
  put16(bytes, static_cast<std::uint16_t>(value & 0xFFFFU));
  put16(bytes, static_cast<std::uint16_t>(value >> 16U));
}

std::uint32_t size32(std::size_t size) {
  if (size < std::numeric_limits<std::uint32_t>::max()) return static_cast<std::uint32_t>(size);
  throw Error::failed("the archive would exceed 4 GB", "report", "export fewer runs at once");
}

}  // namespace

void ZipWriter::add(const std::string& name, std::string_view content) {
  if (entries_.size() >= std::numeric_limits<std::uint16_t>::max()) {
    throw Error::failed("the archive would exceed 65,535 files", "report",
                        "export fewer runs at once");
  }
  Entry entry;
  entry.name = name;
  entry.crc = crc32Of(content);
  entry.size = size32(content.size());
  entry.offset = size32(bytes_.size());
  const std::string packed = deflateRaw(content);
  const bool deflated = packed.size() < content.size();
  const std::string_view stored = deflated ? std::string_view(packed) : content;
  entry.method = deflated ? 8 : 0;
  entry.compressed = size32(stored.size());
  put32(bytes_, 0x04034b50U);
  put16(bytes_, version);
  put16(bytes_, utf8Names);
  put16(bytes_, entry.method);
  put16(bytes_, 0);
  put16(bytes_, firstDay);
  put32(bytes_, entry.crc);
  put32(bytes_, entry.compressed);
  put32(bytes_, entry.size);
  put16(bytes_, static_cast<std::uint16_t>(name.size()));
  put16(bytes_, 0);
  bytes_ += name;
  bytes_ += stored;
  entries_.push_back(std::move(entry));
}

std::string ZipWriter::finish() {
  const std::uint32_t start = size32(bytes_.size());
  for (const Entry& entry : entries_) {
    put32(bytes_, 0x02014b50U);
    put16(bytes_, version);
    put16(bytes_, version);
    put16(bytes_, utf8Names);
    put16(bytes_, entry.method);
    put16(bytes_, 0);
    put16(bytes_, firstDay);
    put32(bytes_, entry.crc);
    put32(bytes_, entry.compressed);
    put32(bytes_, entry.size);
    put16(bytes_, static_cast<std::uint16_t>(entry.name.size()));
    for (int k = 0; k < 4; ++k) put16(bytes_, 0);  // extra, comment, disk, internal attributes
    put32(bytes_, 0);                              // external attributes
    put32(bytes_, entry.offset);
    bytes_ += entry.name;
  }
  const std::uint32_t length = size32(bytes_.size()) - start;
  put32(bytes_, 0x06054b50U);
  put16(bytes_, 0);
  put16(bytes_, 0);
  put16(bytes_, static_cast<std::uint16_t>(entries_.size()));
  put16(bytes_, static_cast<std::uint16_t>(entries_.size()));
  put32(bytes_, length);
  put32(bytes_, start);
  put16(bytes_, 0);
  return std::move(bytes_);
}

}  // namespace bulwark
