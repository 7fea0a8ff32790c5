#pragma once

#include <torch/torch.h>

#include "core/attacks/attack.h"

namespace bulwark {

/// The images under attack on the device: the current points, their bounds, and the best points
/// so far. Buffers are allocated once; a step is a handful of in-place elementwise operations.
class ActiveBatch {
 public:
  /// `images` [W, C, H, W']: what the rows hold at first. `stepSize` in pixel units.
  ActiveBatch(const ThreatModel& threat, double stepSize, const torch::Tensor& images,
              const torch::Device& device);

  std::int64_t width() const { return points_.size(0); }
  /// [W, C, H, W'], to be read only.
  const torch::Tensor& points() const { return points_; }

  /// Puts new images into `rows` (int64, CPU) with `best` (float64) as the value to beat.
  void place(const torch::Tensor& rows, const torch::Tensor& images, const torch::Tensor& best);
  /// Moves `rows` to `starts` (CPU) within the balls they are in; the best points stay.
  void moveTo(const torch::Tensor& rows, const torch::Tensor& starts);
  /// Takes the points over as best where `judged` (float64 [W]) is larger than the best value.
  void keepBest(const torch::Tensor& judged);
  /// One ascent step along `gradient` and the projection to ball and box. `magnitude` [W] is the
  /// largest absolute entry per row; rows where it is 0 stay.
  void step(const torch::Tensor& gradient, const torch::Tensor& magnitude);
  /// [rows, C, H, W'] on the CPU.
  torch::Tensor bestImages(const torch::Tensor& rows) const;
  /// Keeps `rows` in their order: the batch shrinks.
  void compact(const torch::Tensor& rows);

 private:
  torch::Tensor onDevice(const torch::Tensor& tensor) const { return tensor.to(device_); }

  ThreatModel threat_;
  double stepSize_;
  torch::Device device_;
  torch::Tensor points_, best_, bestValues_;
  torch::Tensor lower_, upper_;  // l-inf: ball and box in one interval per pixel
  torch::Tensor origin_;         // l2: centre of the ball
  torch::Tensor buffer_;
};

}  // namespace bulwark
