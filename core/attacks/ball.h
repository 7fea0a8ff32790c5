#pragma once

#include <torch/torch.h>

#include "core/attacks/attack.h"

namespace bulwark {

/// [W] values as [W, 1, 1, 1], to be multiplied with images.
torch::Tensor perRow(const torch::Tensor& values);
/// Euclidean norm of each image, [W].
torch::Tensor rowNorms(const torch::Tensor& images);
/// Largest absolute entry of each row, over all its other dimensions, [W]; NaN where there is one.
/// LibTorch's own l-inf norm takes three times as long.
torch::Tensor rowMaxima(const torch::Tensor& values);

/// The allowed points around each image of a batch: ball and pixel box.
class Ball {
 public:
  /// `images` [W, C, H, W'] on the device they are attacked on.
  Ball(const ThreatModel& threat, const torch::Tensor& images);

  const ThreatModel& threat() const { return threat_; }
  /// [W, C, H, W']: the images the balls are around, not to be written to.
  const torch::Tensor& centres() const { return centres_; }
  /// Other images in `rows` (int64, on the device).
  void place(const torch::Tensor& rows, const torch::Tensor& images);
  /// Keeps `rows` in their order.
  void keep(const torch::Tensor& rows);
  /// Moves points [W, C, H, W'] into ball and box, in place. l-inf: both are intervals per pixel.
  /// l2: the offset is scaled, then the box clips, which can only shorten it.
  void project(torch::Tensor& points) const;

 private:
  ThreatModel threat_;
  torch::Tensor centres_;
  torch::Tensor lower_, upper_;   // l-inf
  mutable torch::Tensor buffer_;  // l2
};

}  // namespace bulwark
