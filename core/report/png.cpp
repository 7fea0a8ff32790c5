#include "core/report/png.h"

#include "core/base/error.h"
#include "core/report/deflate.h"
#include "core/report/escape.h"

namespace bulwark {
namespace {

void putBigEndian(std::string& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFFU);
}

void putChunk(std::string& file, const std::string& type, const std::string& data) {
  putBigEndian(file, static_cast<std::uint32_t>(data.size()));
  const std::string body = type + data;
  file += body;
  putBigEndian(file, crc32Of(body));
}

}  // namespace

std::string encodePng(const Raster& raster) {
  const auto rowBytes =
      static_cast<std::size_t>(raster.width) * static_cast<std::size_t>(raster.channels);
  if (raster.width <= 0 || raster.height <= 0 || (raster.channels != 1 && raster.channels != 3) ||
      raster.pixels.size() != rowBytes * static_cast<std::size_t>(raster.height)) {
    throw Error::badInput("an image of " + std::to_string(raster.width) + " x " +
                              std::to_string(raster.height) + " with " +
                              std::to_string(raster.channels) + " channels cannot be a PNG",
                          "report");
  }
  std::string header;
  putBigEndian(header, static_cast<std::uint32_t>(raster.width));
  putBigEndian(header, static_cast<std::uint32_t>(raster.height));
  header += '\x08';                                  // bits per value
  header += raster.channels == 1 ? '\x00' : '\x02';  // grey or RGB
  header += std::string(3, '\0');                    // deflate, adaptive filters, not interlaced
  std::string rows;
  rows.reserve((rowBytes + 1) * static_cast<std::size_t>(raster.height));
  for (std::size_t y = 0; y < static_cast<std::size_t>(raster.height); ++y) {
    rows += '\0';  // filter: none
    rows.append(reinterpret_cast<const char*>(raster.pixels.data()) + y * rowBytes, rowBytes);
  }
  std::string file = "\x89PNG\r\n\x1a\n";
  putChunk(file, "IHDR", header);
  putChunk(file, "IDAT", deflateZlib(rows));
  putChunk(file, "IEND", {});
  return file;
}

std::string pngDataUri(const Raster& raster) {
  return "data:image/png;base64," + base64(encodePng(raster));
}

}  // namespace bulwark
