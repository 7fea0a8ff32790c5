#pragma once

#include <QImage>
#include <span>

namespace bulwark {

/// Pixels [C, H, W], row-major, as an image: one channel grey, three RGB; further channels are left
/// out. Values are cut to [0, 1].
QImage toImage(std::span<const float> pixels, int channels, int height, int width);

/// 0.5 + gain (after - before): grey where nothing changed.
QImage differenceImage(std::span<const float> before, std::span<const float> after, double gain,
                       int channels, int height, int width);

/// Size of a change over all channels.
struct ChangeNorms {
  double linf = 0, l2 = 0;
  qint64 changed = 0;  ///< values that differ at all
};
ChangeNorms changeNorms(std::span<const float> before, std::span<const float> after);

}  // namespace bulwark
