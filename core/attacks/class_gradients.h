#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace bulwark {

/// Gradients of the functions [W, M] of a batch with respect to its images, a function at a time.
///
/// All of them take M times the memory of the batch. They are kept while they fit `bytes`; else
/// each is made where it is asked for and forgotten, and only the graph stays. Both ways give the
/// same numbers: a row's gradient depends on that row's function alone.
class ClassGradients {
 public:
  /// `functions` with their graph to `images` [W, C, H, W'], a leaf. `backward` is called before
  /// each backward pass, for counters and cancellation.
  ClassGradients(torch::Tensor functions, torch::Tensor images, std::int64_t bytes,
                 std::function<void()> backward);

  std::int64_t count() const { return functions_.size(1); }
  /// [W, C, H, W']: of function `number`.
  torch::Tensor of(std::int64_t number);
  /// [W, C, H, W']: row i of function `numbers[i]` (int64 [W], on the device). One backward more
  /// where the gradients are not kept.
  torch::Tensor ofRows(const torch::Tensor& numbers);
  /// [W]: largest absolute entry of all gradients made so far; NaN where there is one.
  const torch::Tensor& largest() const { return largest_; }

 private:
  torch::Tensor made(const torch::Tensor& values, bool last);

  torch::Tensor functions_, images_, largest_;
  std::function<void()> backward_;
  std::vector<torch::Tensor> kept_;
};

}  // namespace bulwark
