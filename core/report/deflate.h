#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bulwark {

/// CRC-32 of PNG and ZIP.
std::uint32_t crc32Of(std::string_view bytes);
/// A zlib stream (RFC 1950): PNG, PDF.
std::string deflateZlib(std::string_view bytes);
/// A bare deflate stream (RFC 1951): ZIP.
std::string deflateRaw(std::string_view bytes);

}  // namespace bulwark
