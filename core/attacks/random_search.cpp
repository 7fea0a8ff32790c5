#include "core/attacks/builtin.h"
#include "core/attacks/draws.h"
#include "core/attacks/threat.h"

namespace bulwark {

/// Brute force (Carlini et al. 2019): many points drawn from the ball. If any of them
/// beats a gradient attack, the gradients were useless (check H28). A share of the draws lies in
/// the corners of the cube (on the sphere), where a smooth score has its extremes.
void addRandomSearch(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "random_search";
  info.title = "Random search";
  info.summary = "The worst of many points drawn from the ball, its corners included";
  info.reference = "Carlini et al., arXiv 1902.06705";
  info.traits = {"black box", "control"};
  addThreatOptions(info.options, "Madry et al. 2018, section 5: 8 of 255, l-inf, on CIFAR-10");
  addDrawsOption(info.options, 10000, "Carlini et al. 2019: 10^4 at least");
  info.options.number("corners", 0.5, "Share of the draws in corners, or on the sphere under l2")
      .range(0, 1)
      .from("half: ours")
      .expert();
  registry.add(info, [](const Params& params) {
    const DrawPlan plan{.name = "random_search",
                        .threat = threatOf(params, "random_search"),
                        .draws = params.getInt("draws")};
    const double corners = params.getNumber("corners");
    return makeDrawAttack(plan,
                          [threat = plan.threat, corners](const torch::Tensor& image, Seed seed) {
                            const bool corner = Random(seed).uniform() < corners;
                            return corner ? randomCorner(image, threat, seed.child("corner"))
                                          : randomStart(image, threat, seed.child("ball"));
                          });
  });
}

}  // namespace bulwark
