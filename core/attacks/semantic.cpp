#include "core/attacks/builtin.h"
#include "core/attacks/draws.h"
#include "core/attacks/threat.h"

namespace bulwark {

/// Semantic adversarial example (Hosseini, Xiao, Jaiswal and Poovendran, ICMLA 2017): the negative
/// image, x' = 1 - x, whose shapes a person still recognises. No gradient, no ball.
void addSemantic(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "semantic";
  info.title = "Negative image";
  info.summary = "Inverts all pixels: the same shapes, other colours";
  info.reference = "Hosseini et al., ICMLA 2017";
  info.traits = {"black box", "unbounded"};
  addKeepOption(info.options);
  registry.add(info, [](const Params& params) {
    const DrawPlan plan{
        .name = "semantic", .threat = {Norm::None, 0.0}, .draws = 1, .keeps = keptOf(params)};
    return makeDrawAttack(plan, [](const torch::Tensor& image, Seed) { return 1 - image; });
  });
}

}  // namespace bulwark
