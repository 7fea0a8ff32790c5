#include "core/detectors/convergence.h"

#include "core/base/text.h"
#include "core/nn/fixed_point.h"

namespace bulwark {
torch::Tensor costAscent(Autoencoder& network, const torch::Tensor& images,
                         const torch::Tensor& labels, double reconstruction, double classes) {
  const auto leaf = images.detach().clone().requires_grad_(true);
  const auto pass = network.pass(leaf);
  const auto error = (pass.reconstruction - leaf.flatten(1)).square().mean(1).sum();
  const auto named = torch::nn::functional::cross_entropy(
      pass.logits, labels, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum));
  const auto cost = reconstruction * error + classes * named;
  return torch::autograd::grad({cost}, {leaf})[0].sign();
}

Json convergence(Autoencoder& network, const torch::Tensor& images, const torch::Tensor& labels,
                 const ConvergencePlan& plan, Task& task) {
  const ClassesAfter one(network, {});
  const auto direction = costAscent(network, images, labels, plan.reconstruction, plan.classes);
  const torch::NoGradGuard noGrad;
  Json found = Json::object();
  for (const auto& radius : plan.radii) {
    const double epsilon = parseFraction(radius).value();
    auto at = (images + epsilon * direction).clamp(0.0, 1.0);
    Json pearsons = Json::array(), steps = Json::array(), right = Json::array(),
         first = Json::array();
    for (std::int64_t k = 0; k <= plan.iterations; ++k) {
      task.checkpoint();
      const auto alike = pearson(at, images);
      const auto code = network.encode(at);
      const auto named = network.classify(code).argmax(1) == labels;
      pearsons.push_back(alike.mean().item<double>());
      first.push_back(alike[0].item<double>());
      right.push_back(named.to(torch::kFloat64).mean().item<double>());
      if (k == plan.iterations) break;
      const auto next = network.decode(code).reshape(images.sizes());
      steps.push_back((next - at).flatten(1).square().mean(1).sqrt().mean().item<double>());
      at = next;
    }
    found[radius] = {{"pearson", pearsons}, {"step", steps}, {"accuracy", right}, {"first", first}};
  }
  return found;
}

}  // namespace bulwark
