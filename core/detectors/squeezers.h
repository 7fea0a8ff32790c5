#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <string>

namespace bulwark {

// Feature squeezers (Xu, Evans and Qi, NDSS 2018, section 3), named as in their code; images
// [N, C, H, W] in [0, 1].

/// round((2^bits - 1) x) / (2^bits - 1), with the gradient of the identity (straight through).
torch::Tensor reduceBitDepth(const torch::Tensor& images, std::int64_t bits);

/// Median over a window of `height` x `width` pixels, per channel. As in SciPy's median_filter: a
/// window of even side reaches one pixel further up and left, edges are mirrored with the edge
/// pixel repeated, and of an even number of values the upper median is taken. Differentiable where
/// no two values tie. Throws `Error` for a window larger than the image.
torch::Tensor medianFilter(const torch::Tensor& images, std::int64_t height, std::int64_t width);

/// Non-local means (Buades, Coll and Morel, CVPR 2005): every pixel becomes the mean of those in a
/// window of `search` x `search`, weighed by
///   exp(-d / (C (strength / 255)^2)),
/// where d is the squared difference of the two `patch` x `patch` neighbourhoods, averaged over
/// their pixels and summed over the C channels (OpenCV's rule). Edges are mirrored without
/// repeating the edge pixel. Unlike OpenCV's colour filter it works on RGB in floating point, not
/// on 8-bit Lab. Exactly differentiable; the backward pass computes the weights again, a few images
/// at a time, instead of keeping them. Throws `Error` where the window does not fit the image.
torch::Tensor nonLocalMeans(const torch::Tensor& images, std::int64_t search, std::int64_t patch,
                            double strength);

struct Squeezer {
  std::string name;
  std::function<torch::Tensor(const torch::Tensor& images)> apply;
};

/// "bit_depth_B", "median_filter_H_W" or "non_local_means_SEARCH_PATCH_STRENGTH". Throws `Error`
/// (BadInput) at `path` for anything else, even window sides of the last or numbers out of range.
Squeezer squeezerNamed(const std::string& name, const std::string& path);

}  // namespace bulwark
