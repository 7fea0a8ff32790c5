#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bulwark {

/// 8-bit pixels, row by row from the top; 1 (grey) or 3 (RGB) values per pixel.
struct Raster {
  int width = 0;
  int height = 0;
  int channels = 1;
  std::vector<std::uint8_t> pixels;  ///< [height, width, channels]
};

/// A PNG file (ISO/IEC 15948): 8 bits, no filter, one deflate stream. Throws `Error` (BadInput)
/// when the sizes are not positive or do not match the pixels.
std::string encodePng(const Raster& raster);

/// "data:image/png;base64,..." for a page that needs no further file.
std::string pngDataUri(const Raster& raster);

}  // namespace bulwark
