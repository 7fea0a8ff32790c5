#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace bulwark {

/// A `plainConvolution` and the batch norm right after it, as one convolution wherever the norm is
/// only an affine map: evaluation mode, and parameters that want no gradient.
///
///   g (W * x - mean) / sqrt(var + eps) + b  =  (s W) * x + (b - s mean),  s = g / sqrt(var + eps)
///
/// The folded weights live beside the layers: what is trained, saved and listed is left alone. They
/// are made anew when any of the tensors they come from has been written to, replaced or moved. Not
/// to be called from several threads at once.
class ConvNorm {
 public:
  ConvNorm() = default;
  /// Holds on to the layers, which are registered with a module elsewhere.
  ConvNorm(torch::nn::Conv2d convolution, torch::nn::BatchNorm2d norm);

  /// [N, C, H, W] -> [N, C', H', W']; the result is fresh and may be written to.
  torch::Tensor operator()(const torch::Tensor& x);

 private:
  std::vector<torch::Tensor> sources() const;
  bool canFold() const;
  bool current() const;
  void fold();

  torch::nn::Conv2d convolution_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
  torch::Tensor weight_, bias_;  // folded
  /// Aliases of what was folded, and how often it had been written to by then: holding on to the
  /// memory keeps its address from being given to something else.
  std::vector<torch::Tensor> folded_;
  std::vector<std::uint32_t> versions_;
};

}  // namespace bulwark
