#pragma once

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>

#include "core/base/random.h"

namespace bulwark {

/// Dropout whose masks are numbers of the run: mask t of the layer is drawn from its own seed and
/// t, which are stored with the weights, so that a training that was cut short goes on with the
/// masks it would have had. The identity in evaluation mode.
class SeededDropoutImpl : public torch::nn::Module {
 public:
  /// `share` in [0, 1): of the values that become 0; the others are divided by 1 - share.
  explicit SeededDropoutImpl(double share) : share_(share) {
    key_ = register_buffer("key", torch::zeros({}, torch::kInt64));
    count_ = register_buffer("count", torch::zeros({}, torch::kInt64));
  }

  void initialise(Seed seed) {
    key_.fill_(static_cast<std::int64_t>(seed.value()));
    count_.zero_();
  }

  torch::Tensor forward(const torch::Tensor& x) {
    if (!is_training() || share_ == 0.0) return x;
    count_ += 1;
    const Seed seed = Seed(static_cast<std::uint64_t>(key_.item<std::int64_t>()))
                          .child(static_cast<std::uint64_t>(count_.item<std::int64_t>()));
    auto mask = torch::empty(x.sizes(), torch::kFloat32);
    float* data = mask.data_ptr<float>();
    const auto kept = static_cast<float>(1.0 / (1.0 - share_));
    // Blocks with draws of their own: the same mask with any number of threads.
    constexpr std::int64_t block = 4096;
    const std::int64_t total = mask.numel(), blocks = (total + block - 1) / block;
    at::parallel_for(0, blocks, 4, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t b = first; b < last; ++b) {
        Random random(seed.child(static_cast<std::uint64_t>(b)));
        for (std::int64_t i = b * block; i < std::min(total, (b + 1) * block); ++i) {
          data[i] = random.uniform() < share_ ? 0.0F : kept;
        }
      }
    });
    return x * mask.to(x.device());
  }

 private:
  double share_;
  torch::Tensor key_, count_;
};
TORCH_MODULE(SeededDropout);

}  // namespace bulwark
