#include "core/attacks/builtin.h"
#include "core/attacks/draws.h"
#include "core/attacks/threat.h"

namespace bulwark {

/// Each pixel becomes, with probability `share`, black or white with equal chance, in all channels
/// together. No ball, only the box.
void addSaltPepper(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "salt_pepper";
  info.title = "Salt and pepper";
  info.summary = "A share of the pixels becomes black or white";
  info.reference = "Alipour and Seyyedsalehi (attractor networks)";
  info.traits = {"black box", "unbounded"};
  info.options.number("share", 0.2, "Probability of a pixel to be replaced")
      .range(0, 1)
      .from("Alipour and Seyyedsalehi: 0.2; equal halves, in all channels together: ours")
      .simple();
  addDrawsOption(info.options, 1, "one image of noise");
  addKeepOption(info.options);
  registry.add(info, [](const Params& params) {
    const DrawPlan plan{.name = "salt_pepper",
                        .threat = {Norm::None, 0.0},
                        .draws = params.getInt("draws"),
                        .keeps = keptOf(params)};
    const double share = params.getNumber("share");
    return makeDrawAttack(plan, [share](const torch::Tensor& image, Seed seed) {
      Random random(seed);
      auto point = image.clone(torch::MemoryFormat::Contiguous);
      float* const pixels = point.data_ptr<float>();
      const std::int64_t channels = image.size(0), area = image.size(1) * image.size(2);
      for (std::int64_t i = 0; i < area; ++i) {
        if (random.uniform() >= share) continue;
        const float value = random.below(2) == 1 ? 1.0F : 0.0F;
        for (std::int64_t c = 0; c < channels; ++c) pixels[c * area + i] = value;
      }
      return point;
    });
  });
}

}  // namespace bulwark
