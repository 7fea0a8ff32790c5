#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/data/raw_images.h"

namespace bulwark {

/// Image `i` of a generated set depends on the seed and `i` alone.
struct GeneratedRequest {
  std::int64_t count = 1000;
  int channels = 1;
  int size = 28;
  Seed seed{0};
};

/// Every value drawn from U(0, 1); unlabelled, float32.
RawImages uniformNoise(const GeneratedRequest& request);
/// Every value drawn from N(0.5, 1) and clipped to [0, 1], as in Hendrycks and Gimpel 2017 and
/// Liang et al. 2018 (ODIN); unlabelled, float32.
RawImages gaussianNoise(const GeneratedRequest& request);
/// Symbols drawn with strokes (letters and Greek-like shapes, no digits), each under a random
/// affine map and pen width; labels are symbol numbers; uint8, bright on dark.
RawImages glyphs(const GeneratedRequest& request);
/// The symbols of `glyphs`, in label order.
const std::vector<std::string>& glyphNames();

}  // namespace bulwark
