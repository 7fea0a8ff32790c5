#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "core/base/random.h"

namespace bulwark {

/// Kinds of outliers that are made from in-distribution images, after the validation set of
/// Hendrycks et al. (outlier exposure, ICLR 2019, appendix A):
///   mean            of two images
///   geometric_mean  of two images, pixel by pixel
///   jigsaw          the 16 patches of an image in another order
///   speckle         multiplicative noise, x (1 + 0.6 N(0, 1)), clipped
///   inverted        1 - x
///   blobs           uniform noise blurred (sigma 1.5), spread over [0, 1] and cut at its mean
/// Noise pixel by pixel is none of them, because it is a common test set.
const std::vector<std::string>& validationOutlierKinds();

/// As many outliers as `images` (float32 [N, C, H, W] in [0, 1], N >= 2): row i is made from image
/// i and is of the kind i modulo the number of kinds. Draws from `seed` alone.
torch::Tensor validationOutliers(const torch::Tensor& images, const std::vector<std::string>& kinds,
                                 Seed seed);

}  // namespace bulwark
