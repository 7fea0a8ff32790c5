#include "core/detectors/input_step.h"

#include <limits>

#include "core/metrics/threshold.h"

namespace bulwark {
namespace {

/// The grid of the code of Zhao et al.
const std::vector<double>& magnitudes() {
  static const std::vector<double> values = {0.0,   0.0005, 0.001, 0.0015, 0.002, 0.0025,
                                             0.005, 0.01,   0.05,  0.1,    0.15,  0.2};
  return values;
}

/// Share of FGSM images that pass as normal where 95 % of the normal ones do.
double missed(const torch::Tensor& normal, const torch::Tensor& adversarial) {
  const auto* data = normal.data_ptr<double>();
  const SortedScores scores(std::span<const double>(data, data + normal.numel()));
  return (adversarial <= scores.keepingBelow(0.95)).to(torch::kFloat64).mean().item<double>();
}

}  // namespace

void InputStep::declare(OptionSchema& options) {
  options
      .number("magnitude", 0.0,
              "Length m of the step that the image makes before it is scored; 0: none")
      .range(0, 1)
      .in("fraction of the [0,1] range")
      .from("Zhao et al., tables 2 to 7: without; Liang et al. 2018 on CIFAR-10: 0.0014")
      .simple();
  options
      .choice("magnitude_from", "given", {"given", "confidence", "fgsm"},
              "Who settles the step: the option magnitude, the least mean score of validation "
              "images, or how well it tells them from FGSM images; never an out set")
      .from(
          "confidence: Hsu et al., CVPR 2020; fgsm: Lee et al. 2018, where no out data are known. "
          "Liang et al. use the out set itself");
  options
      .choice("step_gradient", "through", {"through", "constant"},
              "What an attack knows of the step: its dependence on the image, with a smooth sign, "
              "or only that it is added")
      .from("not in the paper")
      .expert();
}

InputStep InputStep::from(const Params& params) {
  InputStep step;
  step.magnitude_ = params.getNumber("magnitude");
  step.from_ = params.getText("magnitude_from");
  step.through_ = params.getText("step_gradient") == "through";
  return step;
}

torch::Tensor InputStep::operator()(const torch::Tensor& images, const Score& score,
                                    bool surrogate) const {
  if (magnitude_ == 0.0) return images;
  const bool follows = torch::GradMode::is_enabled() && images.requires_grad();
  const bool smooth = surrogate && follows;
  const torch::AutoGradMode enabled(true);  // the step needs a gradient even where we do not
  const auto at = smooth ? images : images.detach().requires_grad_(true);
  const auto gradient = torch::autograd::grad({score(at).sum()}, {at}, {}, /*retain_graph=*/smooth,
                                              /*create_graph=*/smooth)[0];
  const auto base = follows ? images : images.detach();
  if (!surrogate) return base - magnitude_ * gradient.sign();
  const auto size = gradient.abs();
  const auto scale = size.flatten(1).mean(1).clamp_min(1e-30).view({-1, 1, 1, 1});
  return base - magnitude_ * gradient / (size + scale);
}

void InputStep::choose(const DetectorContext& context, const Score& scoreOf,
                       const std::string& detector) {
  if (!chooses()) return;
  const auto samples = adversarialSamples(context, samples_, 0, detector);
  const auto scored = [&](const torch::Tensor& images) {
    std::vector<torch::Tensor> parts;
    for (const auto& batch : images.split(context.batchSize)) {
      const torch::NoGradGuard noGrad;
      parts.push_back(scoreOf(batch.to(context.device)).to(torch::kCPU, torch::kFloat64));
      context.task.advance(batch.size(0));
    }
    return torch::cat(parts).contiguous();
  };
  const bool byConfidence = from_ == "confidence";
  const std::int64_t sets = byConfidence ? 1 : 2;
  context.task.begin("choose the step of " + detector,
                     sets * samples.clean.size(0) * static_cast<std::int64_t>(magnitudes().size()),
                     "images");
  double best = 0.0, least = std::numeric_limits<double>::infinity();
  for (const double candidate : magnitudes()) {
    magnitude_ = candidate;
    const auto normal = scored(samples.clean);
    const double loss =
        byConfidence ? normal.mean().item<double>() : missed(normal, scored(samples.adversarial));
    if (loss < least) {
      best = candidate;
      least = loss;
    }
  }
  magnitude_ = best;
  context.task.end();
}

void InputStep::save(TensorFile& file, const std::string& prefix) const {
  file.tensors[prefix + ".magnitude"] = torch::tensor(magnitude_, torch::kFloat64);
}

void InputStep::load(const TensorFile& file, const std::string& prefix, const std::string& where) {
  magnitude_ = file.require(prefix + ".magnitude", {}, where).item<double>();
}

}  // namespace bulwark
