#include "core/detectors/linear_head.h"

#include "core/base/error.h"

namespace bulwark {

LinearHead linearHeadOf(Network& network, const torch::Device& device,
                        const std::string& detector) {
  const torch::NoGradGuard noGrad;
  const auto& shape = network.shape();
  auto probe = torch::empty({4, shape.channels, shape.height, shape.width}, torch::kFloat32);
  Random random(Seed(1));
  for (std::int64_t i = 0; i < probe.numel(); ++i) {
    probe.data_ptr<float>()[i] = static_cast<float>(random.uniform());
  }
  TapValues taps{{"features", {}}};
  const auto logits = network.run(probe.to(device), &taps);
  const auto& features = taps.at("features");
  for (const auto& module : network.modules(false)) {
    const auto* linear = module->as<torch::nn::LinearImpl>();
    if (!linear || features.dim() != 2 || linear->weight.size(1) != features.size(1) ||
        linear->weight.size(0) != logits.size(1)) {
      continue;
    }
    const auto bias =
        linear->bias.defined() ? linear->bias : torch::zeros({logits.size(1)}, logits.options());
    LinearHead head{linear->weight.detach(), bias.detach()};
    if (torch::allclose(head(features), logits, 1e-3, 1e-4)) return head;
  }
  throw Error::badInput("'" + detector + "' drops units of the last hidden layer, and the " +
                            "network's logits are no linear function of its features",
                        detector, "choose another network");
}

}  // namespace bulwark
