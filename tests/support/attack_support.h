#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/attacks/attack.h"
#include "core/base/random.h"

/// What several tests of attacks begin with.
namespace attack_support {

inline torch::Tensor uniform(const std::vector<std::int64_t>& shape, std::uint64_t seed, double low,
                             double high) {
  auto values = torch::empty(shape, torch::kFloat32);
  bulwark::Random random(bulwark::Seed{seed});
  float* data = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    data[i] = static_cast<float>(low + (high - low) * random.uniform());
  }
  return values;
}

inline std::unique_ptr<bulwark::Attack> make(const std::string& name,
                                             const bulwark::Json& options) {
  bulwark::Registry<bulwark::Attack> registry{"attack"};
  registerAttacks(registry);
  return registry.make(name, options, "attacks[0]");
}

}  // namespace attack_support
