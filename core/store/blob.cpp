#include "core/store/blob.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "core/base/error.h"

namespace bulwark {
namespace {

// 4 GiB of floats: more than a BLOB may hold. Anything larger comes from a damaged row.
constexpr std::int64_t kMostElements = std::int64_t{1} << 30;

template <class Number>
void toNative(std::vector<Number>& values) {
  if constexpr (std::endian::native == std::endian::big) {
    for (auto& value : values) {
      auto* bytes = reinterpret_cast<unsigned char*>(&value);
      std::reverse(bytes, bytes + sizeof(Number));
    }
  }
}

template <class Number>
BlobView view(const std::vector<Number>& values, std::string& spare) {
  if constexpr (std::endian::native == std::endian::little || sizeof(Number) == 1) {
    (void)spare;
    return {values.data(), values.size() * sizeof(Number)};
  } else {
    std::vector<Number> swapped = values;
    toNative(swapped);
    spare.assign(reinterpret_cast<const char*>(swapped.data()), swapped.size() * sizeof(Number));
    return {spare.data(), spare.size()};
  }
}

template <class Number>
std::vector<Number> decode(std::string_view bytes, std::int64_t count, const std::string& where) {
  if (count < 0 || count > kMostElements ||
      bytes.size() != static_cast<std::size_t>(count) * sizeof(Number)) {
    throwDamaged("an array of " + std::to_string(count) + " values has " +
                     std::to_string(bytes.size()) + " bytes",
                 where);
  }
  std::vector<Number> values(static_cast<std::size_t>(count));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  toNative(values);
  return values;
}

}  // namespace

void throwDamaged(const std::string& what, const std::string& where) {
  throw Error::badInput("the database is damaged (" + what + ")", where,
                        "restore a backup or delete the run that it belongs to");
}

BlobView encode(const std::vector<double>& values, std::string& spare) {
  return view(values, spare);
}

BlobView encode(const std::vector<std::int64_t>& values, std::string& spare) {
  return view(values, spare);
}

BlobView encode(const std::vector<std::uint8_t>& values, std::string& spare) {
  return view(values, spare);
}

std::string compress(const std::vector<float>& values) {
  std::string spare;
  const BlobView raw = view(values, spare);
  if (raw.size == 0) return {};
  uLongf size = ::compressBound(static_cast<uLong>(raw.size));
  std::string packed(size, '\0');
  // Level 1: pictures shrink nearly as much as with level 9, in a tenth of the time.
  const int code = ::compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                               static_cast<const Bytef*>(raw.data), raw.size, 1);
  if (code != Z_OK) throw Error::failed("out of memory while packing an image");
  packed.resize(size);
  return packed;
}

std::int64_t crc(std::int64_t start, std::string_view bytes) {
  // crc32_z restarts from 0 when its pointer is null, which an empty array's may be.
  if (bytes.empty()) return start;
  return static_cast<std::int64_t>(::crc32_z(
      static_cast<uLong>(start), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::int64_t crc(std::int64_t start, const BlobView& bytes) {
  return crc(start, std::string_view(static_cast<const char*>(bytes.data), bytes.size));
}

std::vector<double> decodeDoubles(std::string_view bytes, std::int64_t count,
                                  const std::string& where) {
  return decode<double>(bytes, count, where);
}

std::vector<std::int64_t> decodeIntegers(std::string_view bytes, std::int64_t count,
                                         const std::string& where) {
  return decode<std::int64_t>(bytes, count, where);
}

std::vector<std::uint8_t> decodeBytes(std::string_view bytes, std::int64_t count,
                                      const std::string& where) {
  return decode<std::uint8_t>(bytes, count, where);
}

std::vector<float> decompress(std::string_view bytes, std::int64_t count,
                              const std::string& where) {
  // Deflate packs at most about 1032 : 1, so a count beyond that was never written by us.
  const auto most = static_cast<std::int64_t>(bytes.size()) * 1040 / 4 + 64;
  if (count < 0 || count > kMostElements || count > most || (count == 0) != bytes.empty()) {
    throwDamaged("an image of " + std::to_string(count) + " values is packed into " +
                     std::to_string(bytes.size()) + " bytes",
                 where);
  }
  std::vector<float> values(static_cast<std::size_t>(count));
  if (count == 0) return values;
  const auto wanted = static_cast<uLongf>(values.size() * sizeof(float));
  uLongf size = wanted;
  const int code =
      ::uncompress(reinterpret_cast<Bytef*>(values.data()), &size,
                   reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()));
  if (code != Z_OK || size != wanted) throwDamaged("an image cannot be unpacked", where);
  toNative(values);
  return values;
}

}  // namespace bulwark
