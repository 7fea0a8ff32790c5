#pragma once

#include <string>
#include <vector>

#include "core/report/png.h"
#include "core/report/run_report.h"

namespace bulwark {

/// Pixels in [0,1], [C, H, W] with C of 1 or 3, as 8-bit pixels; values outside are clamped.
/// Throws `Error` (BadInput) for other channel counts or a wrong number of values.
Raster toRaster(const std::vector<float>& pixels, int channels, int height, int width);

/// After minus before, magnified so that the largest change spans half the range, on mid grey.
struct Difference {
  Raster raster;
  double largest = 0.0;  ///< largest absolute change, in [0,1]
  double factor = 1.0;   ///< magnification; 1 where nothing changed
};
Difference differenceOf(const ImagePair& pair);

/// Before, after and magnified difference of each pair, in so many columns of such triples that the
/// page is about square, filled row by row; nearest-neighbour enlargement by `scale` (0: so that an
/// image is about 96 pixels wide). Mixed sizes are centred in their cells. Throws `Error`
/// (BadInput) when there are no pairs.
Raster imageStrip(const std::vector<RunReport>& runs, int scale = 0);

/// One NPY per pair and side, since sizes may be mixed: "pair<k>.before.npy", "pair<k>.after.npy"
/// (float32 [C, H, W], in [0,1]), and `index.json` with what each pair is and its scores.
std::string writePairsNpz(const std::vector<RunReport>& runs);

}  // namespace bulwark
