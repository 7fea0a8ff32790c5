#include "core/nn/batch_size.h"

namespace bulwark {

std::int64_t automaticBatch(Network& network, const torch::Device& device) {
  constexpr std::int64_t least = 16, most = 256, budget = std::int64_t{32} << 20;
  if (!device.is_cpu()) return most;
  const torch::NoGradGuard noGrad;
  const auto& shape = network.shape();
  TapValues taps;
  network.run(torch::zeros({1, shape.channels, shape.height, shape.width}), &taps);
  std::int64_t bytes = 0;
  for (const auto& [name, value] : taps) {
    bytes += value.numel() * static_cast<std::int64_t>(value.element_size());
  }
  std::int64_t batch = least;
  while (batch < most && 2 * batch * bytes <= budget) batch *= 2;
  return batch;
}

}  // namespace bulwark
