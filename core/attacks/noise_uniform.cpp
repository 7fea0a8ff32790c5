#include "core/attacks/builtin.h"
#include "core/attacks/draws.h"
#include "core/attacks/threat.h"

namespace bulwark {

/// The control of every attack: x' = clip(x + u) with u uniform in the ball. A model that noise of
/// the attack's own size breaks needs no adversary (methods, section 18, check 5).
void addNoiseUniform(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "noise_uniform";
  info.title = "Uniform noise";
  info.summary = "Points drawn uniformly from the ball";
  info.reference = "Carlini et al., arXiv 1902.06705";
  info.traits = {"black box", "control"};
  addThreatOptions(info.options, "Madry et al. 2018, section 5: 8 of 255, l-inf, on CIFAR-10");
  addDrawsOption(info.options, 1, "one image of noise, as a control");
  addKeepOption(info.options);
  registry.add(info, [](const Params& params) {
    const DrawPlan plan{.name = "noise_uniform",
                        .threat = threatOf(params, "noise_uniform"),
                        .draws = params.getInt("draws"),
                        .keeps = keptOf(params)};
    return makeDrawAttack(plan, [threat = plan.threat](const torch::Tensor& image, Seed seed) {
      return randomStart(image, threat, seed);
    });
  });
}

}  // namespace bulwark
