#include "core/report/image_strip.h"
#include "core/report/nothing.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/report/npy.h"
#include "core/report/zip.h"

namespace bulwark {
namespace {

constexpr int gap = 4;           // pixels between images
constexpr int targetWidth = 96;  // of an enlarged image
constexpr std::uint8_t paper = 255;

std::vector<const ImagePair*> allPairs(const std::vector<RunReport>& runs) {
  std::vector<const ImagePair*> pairs;
  for (const RunReport& report : runs) {
    for (const ImagePair& pair : report.pairs) pairs.push_back(&pair);
  }
  if (!pairs.empty()) return pairs;
  throw nothingToReport("there are no image pairs to export", runs,
                        "run an attack with evaluation.image_pairs above 0");
}

std::size_t valueCount(const ImagePair& pair) {
  return static_cast<std::size_t>(std::max(pair.channels, 0)) *
         static_cast<std::size_t>(std::max(pair.height, 0)) *
         static_cast<std::size_t>(std::max(pair.width, 0));
}

/// Copies `image`, enlarged, into the middle of a cell of a three-channel raster.
void paste(Raster& page, const Raster& image, int scale, int left, int top, int cellWidth,
           int cellHeight) {
  const int x0 = left + (cellWidth - image.width * scale) / 2;
  const int y0 = top + (cellHeight - image.height * scale) / 2;
  for (int y = 0; y < image.height * scale; ++y) {
    for (int x = 0; x < image.width * scale; ++x) {
      const int from = (y / scale * image.width + x / scale) * image.channels;
      const int to = ((y0 + y) * page.width + x0 + x) * 3;
      for (int c = 0; c < 3; ++c) {
        page.pixels[static_cast<std::size_t>(to + c)] =
            image.pixels[static_cast<std::size_t>(from + (image.channels == 3 ? c : 0))];
      }
    }
  }
}

}  // namespace

Raster toRaster(const std::vector<float>& pixels, int channels, int height, int width) {
  if ((channels != 1 && channels != 3) || height <= 0 || width <= 0 ||
      pixels.size() != static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
                           static_cast<std::size_t>(width)) {
    throw Error::badInput("an image of shape " + std::to_string(channels) + " x " +
                              std::to_string(height) + " x " + std::to_string(width) + " with " +
                              std::to_string(pixels.size()) + " values cannot be shown",
                          "report", "images have one or three channels");
  }
  Raster raster{width, height, channels, {}};
  raster.pixels.resize(pixels.size());
  const auto plane = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  const auto count = static_cast<std::size_t>(channels);
  for (std::size_t c = 0; c < count; ++c) {
    for (std::size_t i = 0; i < plane; ++i) {
      const float value = pixels[c * plane + i];
      const float safe = value >= 0.0F ? std::min(value, 1.0F) : 0.0F;  // NaN becomes black
      raster.pixels[i * count + c] = static_cast<std::uint8_t>(std::lround(safe * 255.0F));
    }
  }
  return raster;
}

Difference differenceOf(const ImagePair& pair) {
  Difference result;
  if (pair.before.size() != pair.after.size() || pair.before.size() != valueCount(pair)) {
    throw Error::badInput("the two images of a pair differ in size", "report");
  }
  for (std::size_t k = 0; k < pair.before.size(); ++k) {
    const double change = std::abs(static_cast<double>(pair.after[k]) - pair.before[k]);
    result.largest = std::max(result.largest, change);
  }
  if (result.largest > 0.0) result.factor = 0.5 / result.largest;
  std::vector<float> shown(pair.before.size());
  for (std::size_t k = 0; k < shown.size(); ++k) {
    const double change = static_cast<double>(pair.after[k]) - pair.before[k];
    shown[k] = static_cast<float>(0.5 + change * result.factor);
  }
  result.raster = toRaster(shown, pair.channels, pair.height, pair.width);
  return result;
}

Raster imageStrip(const std::vector<RunReport>& runs, int scale) {
  const std::vector<const ImagePair*> pairs = allPairs(runs);
  int widest = 0;
  int tallest = 0;
  for (const ImagePair* pair : pairs) {
    widest = std::max(widest, pair->width);
    tallest = std::max(tallest, pair->height);
  }
  if (scale <= 0) scale = std::max(1, targetWidth / std::max(1, widest));
  const int cellWidth = widest * scale;
  const int cellHeight = tallest * scale;
  // Triples side by side, as many that the page is about square, filled row by row.
  const int tripleWidth = 3 * cellWidth + 4 * gap;
  const int rowHeight = cellHeight + gap;
  const auto count = static_cast<int>(pairs.size());
  const int columns = std::clamp(static_cast<int>(std::lround(std::sqrt(static_cast<double>(count) *
                                                                        rowHeight / tripleWidth))),
                                 1, count);
  const int rows = (count + columns - 1) / columns;
  Raster page{columns * tripleWidth + (columns - 1) * 2 * gap, rows * rowHeight + gap, 3, {}};
  page.pixels.assign(
      static_cast<std::size_t>(page.width) * static_cast<std::size_t>(page.height) * 3, paper);
  for (int i = 0; i < count; ++i) {
    const ImagePair* pair = pairs[static_cast<std::size_t>(i)];
    const Raster images[] = {toRaster(pair->before, pair->channels, pair->height, pair->width),
                             toRaster(pair->after, pair->channels, pair->height, pair->width),
                             differenceOf(*pair).raster};
    int left = gap + i % columns * (tripleWidth + 2 * gap);
    const int top = gap + i / columns * rowHeight;
    for (const Raster& image : images) {
      paste(page, image, scale, left, top, cellWidth, cellHeight);
      left += cellWidth + gap;
    }
  }
  return page;
}

std::string writePairsNpz(const std::vector<RunReport>& runs) {
  allPairs(runs);
  ZipWriter zip;
  Json index = Json::array();
  for (const RunReport& report : runs) {
    for (const ImagePair& pair : report.pairs) {
      const std::string name = "pair" + std::to_string(index.size());
      const std::vector<std::size_t> shape = {static_cast<std::size_t>(pair.channels),
                                              static_cast<std::size_t>(pair.height),
                                              static_cast<std::size_t>(pair.width)};
      zip.add(name + ".before.npy", writeNpy(std::span<const float>(pair.before), shape));
      zip.add(name + ".after.npy", writeNpy(std::span<const float>(pair.after), shape));
      index.push_back({{"name", name},
                       {"run", report.run.id},
                       {"detector", pair.detector},
                       {"attack", pair.attack},
                       {"dataset", pair.dataset},
                       {"role", pair.out ? "out" : "in"},
                       {"sample", pair.sample},
                       {"label", pair.label},
                       {"score_before", pair.scoreBefore},
                       {"score_after", pair.scoreAfter}});
    }
  }
  zip.add("index.json", index.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  return zip.finish();
}

}  // namespace bulwark
