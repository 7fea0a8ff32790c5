#include <cmath>

#include "core/attacks/builtin.h"
#include "core/attacks/draws.h"
#include "core/attacks/threat.h"

namespace bulwark {

/// x' = Proj(x + sigma n) with n standard normal per pixel: the other control (Ma et al., ICLR
/// 2018, section 5, compare every attack with Gaussian noise of its size).
void addNoiseGaussian(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "noise_gaussian";
  info.title = "Gaussian noise";
  info.summary = "Normal noise per pixel, clipped into the ball";
  info.reference = "Ma et al., ICLR 2018, section 5";
  info.traits = {"black box", "control"};
  info.options
      .number("eps", "8/255",
              "Radius of the ball the noise is clipped into: at most 1 under linf; under l2 a "
              "Euclidean length, which may be more")
      .range(0, 1000)
      .in("fraction of the [0,1] range")
      .from("Madry et al. 2018, section 5: 8 of 255, l-inf, on CIFAR-10")
      .simple();
  info.options
      .choice("norm", "linf", {"linf", "l2", "none"},
              "Norm that the radius is measured in; none: only the pixel box")
      .from("Madry et al. 2018, section 5");
  info.options
      .number("sigma", 0, "Standard deviation; 0: eps, under l2 eps / sqrt(number of pixels)")
      .range(0, 10)
      .in("fraction of the [0,1] range")
      .from("Ma et al. 2018, released code: noise as large as the attack's");
  addDrawsOption(info.options, 1, "one image of noise, as a control");
  addKeepOption(info.options);
  registry.add(info, [](const Params& params) {
    DrawPlan plan{.name = "noise_gaussian",
                  .threat = threatOf(params, "noise_gaussian"),
                  .draws = params.getInt("draws"),
                  .keeps = keptOf(params)};
    if (params.getText("norm") == "none") plan.threat.norm = Norm::None;
    const double given = params.getNumber("sigma");
    return makeDrawAttack(plan,
                          [threat = plan.threat, given](const torch::Tensor& image, Seed seed) {
                            Random random(seed);
                            auto point = image.clone(torch::MemoryFormat::Contiguous);
                            float* const pixels = point.data_ptr<float>();
                            const auto count = point.numel();
                            double sigma = given > 0.0 ? given : threat.epsilon;
                            if (given == 0.0 && threat.norm == Norm::L2)
                              sigma /= std::sqrt(static_cast<double>(count));
                            for (std::int64_t i = 0; i < count; ++i) {
                              pixels[i] += static_cast<float>(sigma * random.normal());
                            }
                            return point;
                          });
  });
}

}  // namespace bulwark
