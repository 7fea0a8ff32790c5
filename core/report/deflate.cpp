#include "core/report/deflate.h"

#include <zlib.h>

#include <algorithm>

#include "core/base/error.h"

namespace bulwark {
namespace {

std::string deflated(std::string_view bytes, int windowBits) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw Error::failed("cannot start the compressor", "report");
  }
  std::string result;
  std::string buffer(std::size_t{1} << 16, '\0');
  std::size_t given = 0;
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    if (stream.avail_in == 0 && given < bytes.size()) {
      const std::size_t part = std::min<std::size_t>(bytes.size() - given, std::size_t{1} << 30);
      // zlib's interface predates const; it does not write to its input.
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + given));
      stream.avail_in = static_cast<uInt>(part);
      given += part;
    }
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    state = deflate(&stream, given == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) {
      deflateEnd(&stream);
      throw Error::failed("cannot compress", "report");
    }
    result.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return result;
}

}  // namespace

std::uint32_t crc32Of(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string deflateZlib(std::string_view bytes) {
  return deflated(bytes, 15);
}

std::string deflateRaw(std::string_view bytes) {
  return deflated(bytes, -15);
}

}  // namespace bulwark
