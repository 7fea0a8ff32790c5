#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/sqlite.h"

namespace bulwark {

/// Arrays as the database keeps them: little-endian, without a header. The element count stands
/// in a column of its own, so that a cut or swapped BLOB is noticed.

/// A view of the array itself on little-endian machines; `spare` owns the swapped bytes elsewhere.
BlobView encode(const std::vector<double>& values, std::string& spare);
BlobView encode(const std::vector<std::int64_t>& values, std::string& spare);
BlobView encode(const std::vector<std::uint8_t>& values, std::string& spare);
/// zlib over little-endian float32.
std::string compress(const std::vector<float>& values);

/// CRC-32 continued over another BLOB, starting from 0.
std::int64_t crc(std::int64_t start, std::string_view bytes);
std::int64_t crc(std::int64_t start, const BlobView& bytes);

/// Each throws `Error` naming `where` when the BLOB does not hold `count` elements.
std::vector<double> decodeDoubles(std::string_view bytes, std::int64_t count,
                                  const std::string& where);
std::vector<std::int64_t> decodeIntegers(std::string_view bytes, std::int64_t count,
                                         const std::string& where);
std::vector<std::uint8_t> decodeBytes(std::string_view bytes, std::int64_t count,
                                      const std::string& where);
std::vector<float> decompress(std::string_view bytes, std::int64_t count, const std::string& where);

/// The error for content that cannot be what was written.
[[noreturn]] void throwDamaged(const std::string& what, const std::string& where);

}  // namespace bulwark
