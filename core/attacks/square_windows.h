#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "core/attacks/attack.h"

namespace bulwark {

/// The parts of the Square attack (Andriushchenko et al., ECCV 2020) that do not look at scores.

/// A square of pixels, in all channels.
struct Window {
  std::int64_t top = 0, left = 0, side = 1;
};

/// Uniform over all places where the whole window is in the image. (The released code leaves out
/// those that touch the last row or column.)
Window randomWindow(std::int64_t side, std::int64_t height, std::int64_t width, Random& random);

/// Share of the image that the window of query `number` (from 0) covers: `first`, halved after
/// 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000 queries of 10000. `rescaleTo` > 0: of that
/// many queries.
double squareShare(double first, std::int64_t number, std::int64_t rescaleTo);

/// Side of a window of that share; under l2 odd and at least 3. At most the image's.
std::int64_t squareSide(double share, std::int64_t height, std::int64_t width, bool l2);

/// [side, side], length 1: a centre-peaked bump in one half and its negative in the other (l2).
torch::Tensor squareBump(std::int64_t side, bool transposed);

/// Where a search begins, for `image` [C, H, W] on the CPU. l-inf: vertical stripes, each column
/// and channel at + or - eps. l2: 5 x 5 bumps of random sign, together of length eps. Not clipped
/// to the box.
torch::Tensor squareStart(const torch::Tensor& image, const ThreatModel& threat, Seed seed);

/// [rows, 1, height, width] bool on `device`: inside each row's window.
torch::Tensor windowMask(const std::vector<Window>& windows, std::int64_t height,
                         std::int64_t width, const torch::Device& device);

}  // namespace bulwark
