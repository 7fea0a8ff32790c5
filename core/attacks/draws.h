#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/attacks/attack.h"
#include "core/attacks/walk.h"

namespace bulwark {

/// A point for `image` [C, H, W] (CPU, float32), drawn from `seed` alone; moved into ball and box
/// by the caller.
using Sampler = std::function<torch::Tensor(const torch::Tensor& image, Seed seed)>;

/// An attack that looks at points drawn without regard to what it has seen.
struct DrawPlan {
  std::string name;  ///< in messages: "noise_uniform"
  ThreatModel threat;
  std::int64_t draws = 1;
  Kept keeps = Kept::Best;
};

/// Evaluates `draws` points per image; draw k comes from child k of the sample's seed.
std::unique_ptr<Attack> makeDrawAttack(const DrawPlan& plan, const Sampler& sampler);

/// The option "draws".
void addDrawsOption(OptionSchema& options, long long draws, const std::string& source);

/// `image` + eps times a random sign per pixel (l-inf), or a random direction of length eps (l2).
torch::Tensor randomCorner(const torch::Tensor& image, const ThreatModel& threat, Seed seed);

}  // namespace bulwark
