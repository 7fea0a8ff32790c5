#include "ui/models/pixels.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace bulwark {

QImage toImage(std::span<const float> pixels, int channels, int height, int width) {
  const auto plane = std::size_t(height) * std::size_t(width);
  if (channels < 1 || plane == 0 || pixels.size() < plane * std::size_t(channels)) return {};
  const bool colour = channels >= 3;
  QImage image(width, height, colour ? QImage::Format_RGB888 : QImage::Format_Grayscale8);
  const auto byte = [&](std::size_t at) {
    return uchar(std::lround(255 * std::clamp(pixels[at], 0.0F, 1.0F)));
  };
  for (int y = 0; y < height; ++y) {
    uchar* line = image.scanLine(y);
    for (int x = 0; x < width; ++x) {
      const std::size_t at = std::size_t(y) * std::size_t(width) + std::size_t(x);
      if (!colour) {
        line[x] = byte(at);
        continue;
      }
      for (std::size_t channel = 0; channel < 3; ++channel) {
        line[3 * x + int(channel)] = byte(channel * plane + at);
      }
    }
  }
  return image;
}

QImage differenceImage(std::span<const float> before, std::span<const float> after, double gain,
                       int channels, int height, int width) {
  if (before.size() != after.size()) return {};
  std::vector<float> shown(before.size());
  for (std::size_t i = 0; i < shown.size(); ++i) {
    shown[i] = float(0.5 + gain * (double(after[i]) - double(before[i])));
  }
  return toImage(shown, channels, height, width);
}

ChangeNorms changeNorms(std::span<const float> before, std::span<const float> after) {
  ChangeNorms norms;
  double squares = 0;
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    const double change = std::abs(double(after[i]) - double(before[i]));
    norms.linf = std::max(norms.linf, change);
    squares += change * change;
    if (change > 0) ++norms.changed;
  }
  norms.l2 = std::sqrt(squares);
  return norms;
}

}  // namespace bulwark
