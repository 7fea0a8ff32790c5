#pragma once

#include <torch/torch.h>

#include <vector>

#include "core/nn/conv_norm.h"
#include "core/registry/component.h"

namespace bulwark {

/// A convolution without bias (batch norm follows or precedes it), padded to keep the size.
inline torch::nn::Conv2d plainConvolution(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                          std::int64_t stride) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

/// ReLU in place: `x` is the fresh output of a convolution, a batch norm or a sum, which backward
/// does not need.
inline torch::Tensor rectify(torch::Tensor x) {
  return x.relu_();
}

/// conv-BN-ReLU-conv-BN with 3x3 convolutions, the first of them with the stride: what the blocks
/// of He et al. 2016, figure 2, add to their shortcuts.
struct TwoConvolutions : torch::nn::Module {
  TwoConvolutions(std::int64_t in, std::int64_t out, std::int64_t stride)
      : conv1(register_module("conv1", plainConvolution(in, out, 3, stride))),
        bn1(register_module("bn1", torch::nn::BatchNorm2d(out))),
        conv2(register_module("conv2", plainConvolution(out, out, 3, 1))),
        bn2(register_module("bn2", torch::nn::BatchNorm2d(out))),
        first(conv1, bn1),
        second(conv2, bn2) {}

  /// The first of both, after its ReLU.
  torch::Tensor inner(const torch::Tensor& x) { return rectify(first(x)); }

  torch::nn::Conv2d conv1;
  torch::nn::BatchNorm2d bn1;
  torch::nn::Conv2d conv2;
  torch::nn::BatchNorm2d bn2;
  ConvNorm first, second;
};

/// The option both residual networks share.
inline void addWidthOption(OptionSchema& options) {
  options.integer("width", 64, "filters of the first stage; the later ones have 2, 4, 8 times it")
      .range(1, 1024)
      .from("He et al. 2016, the 18-layer network");
}

/// The four stages of an 18-layer residual network: two blocks each, widths 1, 2, 4, 8 times
/// `width`, the first block of stages 2 to 4 halves the image. `Block` is constructed with
/// (channels in, channels out, stride).
template <class Block>
std::vector<torch::nn::Sequential> residualStages(std::int64_t width) {
  std::vector<torch::nn::Sequential> stages;
  std::int64_t channels = width;
  for (std::int64_t stage = 0; stage < 4; ++stage) {
    const std::int64_t out = width << stage;
    stages.emplace_back(Block(channels, out, stage == 0 ? 1 : 2), Block(out, out, 1));
    channels = out;
  }
  return stages;
}

}  // namespace bulwark
