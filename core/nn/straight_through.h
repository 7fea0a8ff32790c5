#pragma once

#include <torch/torch.h>

namespace bulwark {

/// The values of `hard`, exactly, with the gradient of `soft`: the straight-through rule for steps,
/// rounding and other pieces without a useful derivative (Bengio, Leonard and Courville 2013;
/// backward pass differentiable approximation: Athalye, Carlini and Wagner, ICML 2018). Equal
/// shapes; `hard` is a function of `soft`, such as `soft.round()`, that it is close to.
inline torch::Tensor straightThrough(const torch::Tensor& soft, const torch::Tensor& hard) {
  return hard.detach() + (soft - soft.detach());
}

}  // namespace bulwark
