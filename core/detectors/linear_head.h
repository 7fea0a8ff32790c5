#pragma once

#include <torch/torch.h>

#include <string>

#include "core/nn/network.h"

namespace bulwark {

/// The last layer of a classifier: logits = weight f + bias, f the tap "features".
struct LinearHead {
  torch::Tensor weight;  ///< [K, F]
  torch::Tensor bias;    ///< [K]

  /// [..., K] from [..., F].
  torch::Tensor operator()(const torch::Tensor& features) const {
    return torch::matmul(features, weight.t()) + bias;
  }
};

/// The network's last linear layer; that it makes the logits of the features is checked on drawn
/// images. Throws `Error` (BadInput) for a network whose logits come about otherwise.
LinearHead linearHeadOf(Network& network, const torch::Device& device, const std::string& detector);

}  // namespace bulwark
