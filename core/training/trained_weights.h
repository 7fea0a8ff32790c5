#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

namespace bulwark {

/// The weights that a training begins with, to tell at its end whether it did anything.
class TrainedWeights {
 public:
  /// Keeps a copy of the parameters.
  explicit TrainedWeights(const torch::nn::Module& module);
  /// A training that silently left something as it was, or ended in nonsense, must not pass: throws
  /// `Error` (Failed) at `where` (of the learning rate) naming the parameters.
  void requireMoved(const torch::nn::Module& module, const std::string& where) const;

 private:
  std::vector<torch::Tensor> initial_;
};

}  // namespace bulwark
