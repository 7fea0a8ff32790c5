#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/nn/safetensors.h"

namespace bulwark {

/// Rules by which gradients move weights.
struct OptimiserOptions {
  enum class Kind { Sgd, Adam };
  Kind kind = Kind::Sgd;
  double momentum = 0.9;     ///< of SGD; beta 1 of Adam
  bool nesterov = true;      ///< SGD only
  double weightDecay = 0.0;  ///< added to the gradient as decay * weight
  bool decayAll = false;     ///< also biases and batch norm (tensors of one dimension)
};

/// SGD with momentum (as LibTorch's) and Adam (Kingma and Ba 2015, beta 2 0.999, epsilon 1e-8).
///
/// Our own because its whole state goes into a checkpoint by parameter name and comes back exactly.
class Optimiser {
 public:
  /// For the parameters of `module`, which must outlive it and stay on their device.
  Optimiser(torch::nn::Module& module, OptimiserOptions options);

  void clearGradients();
  /// Parameters without a gradient stay as they are.
  void step(double learningRate);

  void save(TensorFile& file, const std::string& prefix) const;
  /// Throws `Error` (BadInput) at `where` when a tensor is missing or has another shape.
  void load(const TensorFile& file, const std::string& prefix, const std::string& where);

 private:
  struct Slot {
    std::string name;
    torch::Tensor parameter;
    torch::Tensor first;   ///< momentum, or Adam's mean of gradients
    torch::Tensor second;  ///< Adam's mean of squared gradients
  };

  void stepSgd(Slot& slot, const torch::Tensor& gradient, double learningRate) const;
  void stepAdam(Slot& slot, const torch::Tensor& gradient, double learningRate) const;

  OptimiserOptions options_;
  std::vector<Slot> slots_;
  std::int64_t steps_ = 0;
};

}  // namespace bulwark
