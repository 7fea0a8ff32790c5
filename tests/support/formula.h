#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <utility>

#include "core/attacks/attack.h"
#include "core/attacks/objective.h"
#include "core/base/random.h"
#include "core/base/task.h"

/// Attacks on a score that a test writes down.
namespace attack_support {

/// An objective given by a formula; counts what is propagated.
class Formula : public bulwark::Objective {
 public:
  using Function = std::function<torch::Tensor(const torch::Tensor& images)>;
  explicit Formula(Function function) : function_(std::move(function)) {}

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override {
    forwards += images.size(0);
    lastSamples = samples;
    if (onPass) onPass();
    const auto value = function_(images);
    return {value, value.detach()};
  }

  std::int64_t forwards = 0;
  torch::Tensor lastSamples;
  std::function<void()> onPass;

 private:
  Function function_;
};

inline bulwark::AttackContext contextOf(bulwark::Task& task, std::uint64_t seed = 1,
                                        std::int64_t batchSize = 16) {
  bulwark::AttackContext context{.task = task};
  context.seed = bulwark::Seed{seed};
  context.batchSize = batchSize;
  return context;
}

/// A smooth score with many local maxima.
inline torch::Tensor wavy(const torch::Tensor& images) {
  const auto flat = images.flatten(1);
  const auto phases = torch::linspace(0, 9, flat.size(1), flat.options());
  return torch::sin(flat * 25 + phases).sum(1) + (flat * phases).mean(1);
}

}  // namespace attack_support
