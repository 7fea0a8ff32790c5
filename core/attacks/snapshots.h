#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>

#include "core/attacks/attack.h"

namespace bulwark {

/// Room in `result` for the images that `context.snapshotSamples` and `snapshotSteps` ask for.
void startSnapshots(const torch::Tensor& images, const AttackContext& context,
                    AttackResult& result);

/// Keeps `image` [C, H, W] and its value for the wanted steps of `sample` within [from, to];
/// `image` is asked for only where one is wanted.
void keepSnapshots(std::int64_t sample, std::int64_t from, std::int64_t to, double value,
                   const std::function<torch::Tensor()>& image, const AttackContext& context,
                   AttackResult& result);

/// Judged values of the images as they are, [N] float64 on the CPU, `width` of them per pass;
/// counted in `result.forwards`.
torch::Tensor judgeImages(Objective& objective, const torch::Tensor& images, std::int64_t width,
                          const AttackContext& context, AttackResult& result);

}  // namespace bulwark
