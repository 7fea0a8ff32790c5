#pragma once

#include <torch/torch.h>

namespace bulwark {

/// conv2d for the first layer of a network: `x` [N, I, H, W] with few channels, `weight`
/// [O, I, K, K], `bias` [O] or undefined.
///
/// oneDNN fills up the channels of the input's gradient to a multiple of 8 or 16, so that a grey
/// image costs as much as 16 colours: half the time of LeNet-5 under attack on a CPU. There the
/// gradient is left to LibTorch's own kernel (matrix product and col2im), which is 2 to 5 times
/// quicker; same values but for the order of summation. Where the weights want gradients too, on
/// other devices and for more channels this is conv2d and nothing else.
torch::Tensor thinConvolution(const torch::Tensor& x, const torch::Tensor& weight,
                              const torch::Tensor& bias, torch::IntArrayRef stride,
                              torch::IntArrayRef padding);

}  // namespace bulwark
