#include "core/detectors/iteration_strips.h"

#include "core/base/text.h"
#include "core/detectors/convergence.h"
#include "core/nn/fixed_point.h"

namespace bulwark {

StripValues iterationStrips(Autoencoder& network, const torch::Tensor& images,
                            const torch::Tensor& labels, const StripPlan& plan,
                            double reconstructionWeight, double classWeight, Task& task) {
  torch::Tensor truth;
  {
    const torch::NoGradGuard noGrad;
    const auto named = network.classify(network.encode(images)).argmax(1);
    truth = torch::where(labels >= 0, labels, named);
  }
  const auto direction = costAscent(network, images, truth, reconstructionWeight, classWeight);
  const torch::NoGradGuard noGrad;
  std::vector<torch::Tensor> pixels, classes, toInput, toClean;
  for (const auto& radius : plan.radii) {
    const auto start = (images + parseFraction(radius).value() * direction).clamp(0.0, 1.0);
    auto at = start;
    for (std::int64_t j = 0; j <= plan.iterations; ++j) {
      task.checkpoint();
      const auto code = network.encode(at);
      pixels.push_back((at.clamp(0.0, 1.0) * 255.0).round().to(torch::kCPU, torch::kUInt8));
      classes.push_back(network.classify(code).argmax(1).to(torch::kCPU));
      toInput.push_back(pearson(at, start).to(torch::kCPU, torch::kFloat64));
      toClean.push_back(pearson(at, images).to(torch::kCPU, torch::kFloat64));
      if (j < plan.iterations) at = network.decode(code).reshape(images.sizes());
    }
  }
  const auto states = plan.iterations + 1;
  const auto radii = static_cast<std::int64_t>(plan.radii.size());
  const auto table = [&](const std::vector<torch::Tensor>& parts) {
    std::vector<std::int64_t> sizes = {images.size(0), radii, states};
    for (std::int64_t i = 1; i < parts.front().dim(); ++i) sizes.push_back(parts.front().size(i));
    return torch::stack(parts, 1).reshape(sizes);
  };
  return {table(pixels), table(classes), table(toInput), table(toClean)};
}

}  // namespace bulwark
