#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "core/attacks/attack.h"
#include "core/attacks/objective.h"
#include "core/attacks/passes.h"

namespace bulwark {

/// A random objective's mean over fresh draws at every point, and the mean of its gradients:
/// expectation over transformation (Athalye, Engstrom, Ilyas and Kwok, ICML 2018; Athalye, Carlini
/// and Wagner, ICML 2018, section 4.2). A single draw's gradient leads nowhere in particular.
///
/// The graph of one draw is held at a time.
class ExpectedObjective : public Objective, public ManyPasses {
 public:
  /// `base` outlives this; `draws` >= 1.
  ExpectedObjective(Objective& base, std::int64_t draws) : base_(base), draws_(draws) {}

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override;
  torch::Tensor judge(const torch::Tensor& images, const torch::Tensor& samples) override;
  Passes passes() const override;
  bool randomised() const override { return false; }  // no more than the mean of many is
  std::int64_t classes() const override { return base_.classes(); }
  torch::Tensor logits(const torch::Tensor& images) override;
  torch::Tensor labels(const torch::Tensor& samples, const torch::Device& device) const override;
  torch::Tensor judgeLogits(const torch::Tensor& logits,
                            const torch::Tensor& labels) const override;

 private:
  Objective& base_;
  std::int64_t draws_;
};

/// Draws where none are asked for and the score is random: between the 10 and 20 of AutoAttack's
/// "rand" version and of COBRA's code.
constexpr std::int64_t kUsualDraws = 10;

/// Registers an attack that follows gradients: it gets the option "eot", draws per point, and meets
/// a random objective through an `ExpectedObjective`. Other objectives reach it as they are.
void addGradientAttack(Registry<Attack>& registry, ComponentInfo info,
                       Registry<Attack>::Factory factory);

}  // namespace bulwark
