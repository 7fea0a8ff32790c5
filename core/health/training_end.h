#pragma once

#include <torch/torch.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/data/image_set.h"
#include "core/health/check.h"
#include "core/nn/network.h"

namespace bulwark {

/// What a classifier computed the moment its training ended, kept beside its weights: the reference
/// that the network an evaluation builds from them must reproduce. Pixels normalised twice or not
/// at all, and layers put together otherwise than in training, show here.
struct TrainingEnd {
  torch::Tensor logits;  ///< [n, K] float64, of `probeImages`
  double validationAccuracy = 0.0;
  std::int64_t validationImages = 0;  ///< 0: there were none

  /// As text beside the weights.
  std::string toText() const;
  /// Nothing when `text` is no such record.
  static std::optional<TrainingEnd> fromText(const std::string& text);
};

/// [n, C, H, W]: a constant grey image, and the first three of the training images.
torch::Tensor probeImages(const ImageSet& train);
/// [n, K] float64 on the CPU, of the network in whatever mode it is.
torch::Tensor probeLogits(Network& network, const torch::Tensor& images,
                          const torch::Device& device);

/// H37 and H38: `network` (frozen, on `device`) against the record of its training; `accuracy` on
/// `count` clean in test images.
std::vector<HealthCheck> checkTrainingEnd(const HealthThresholds& thresholds, Network& network,
                                          const torch::Tensor& images, const torch::Device& device,
                                          double accuracy, std::int64_t count,
                                          const std::optional<TrainingEnd>& end);

}  // namespace bulwark
