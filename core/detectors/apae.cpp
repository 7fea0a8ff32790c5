#include <algorithm>
#include <memory>

#include "core/base/error.h"
#include "core/detectors/builtin.h"
#include "core/detectors/features.h"
#include "core/detectors/own_threshold.h"
#include "core/nn/autoencoder.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

constexpr const char* kName = "apae";
constexpr const char* kState = "apae.errors";

/// Approximate projection autoencoder (Goodge et al., IJCAI 2020, as COBRA's appendix C describes
/// it: gradient descent on the code, errors weighted feature by feature):
///   z_0 = E(x),   z_{t+1} = z_t - a grad_z ||D(z_t) - x||^2,
///   s(x) = mean_i (D(z*)_i - x_i)^2 / e_i,
/// where z* is the iterate of least error and e_i the mean error of pixel i on the training images.
/// The code is moved to where the decoder comes nearest to the image, whatever an adversary made of
/// the encoder; pixels that are hard to reconstruct count less.
///
/// Steps and their length are not given; keeping the best iterate makes too long a step harmless.
/// The gradient of the score goes through all steps.
class Apae : public Detector, public HasPasses {
 public:
  Apae(std::int64_t steps, double stepSize) : steps_(steps), stepSize_(stepSize) {}

  DetectorTraits traits() const override {
    DetectorTraits traits;
    traits.optimisesAtInference = true;
    return traits;
  }

  /// Every step decodes once more.
  std::int64_t passesPerScore() const override { return 1 + steps_; }

  void fit(const DetectorContext& context) override {
    use(context.classifier);
    const torch::NoGradGuard noGrad;
    torch::Tensor sum;
    context.task.begin(std::string("fit ") + kName, context.train.size(), "images");
    for (std::int64_t begin = 0; begin < context.train.size(); begin += context.batchSize) {
      const std::int64_t end = std::min(begin + context.batchSize, context.train.size());
      const auto images =
          toDevice(context.train.images(torch::arange(begin, end, torch::kInt64)), context.device);
      const auto part = errors(images).to(torch::kFloat64).sum(0);
      sum = sum.defined() ? sum + part : part;
      context.task.advance(end - begin);
    }
    context.task.end();
    if (!torch::isfinite(sum).all().item<bool>()) {
      throw Error::failed("the reconstructions of the training images are not finite", kName,
                          "the network's training has diverged; train it again");
    }
    const auto mean = sum / static_cast<double>(context.train.size());
    // A pixel that never varies has no error to divide by.
    mean_ = mean.clamp_min(1e-3 * mean.mean().item<double>() + 1e-12).to(torch::kFloat32);
  }

  torch::Tensor score(const torch::Tensor& images) override {
    return (errors(images) / mean_).mean(1);
  }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    file.tensors[kState] = mean_.to(torch::kCPU).contiguous();
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& device) override {
    requireDetector(file, kName);
    use(classifier);
    const auto& shape = network_->shape();
    mean_ = toDevice(file.require(kState, {shape.channels * shape.height * shape.width}, kName),
                     device);
  }

 private:
  void use(Network* classifier) {
    network_ = &requireAutoencoder(requireClassifier(classifier, kName), kName);
  }

  /// [N, pixels]: squared error of each pixel after the projection.
  torch::Tensor errors(const torch::Tensor& images) {
    requireClassifier(network_, kName);
    const bool follows = torch::GradMode::is_enabled() && images.requires_grad();
    const torch::AutoGradMode enabled(true);  // the projection needs gradients even where we do not
    const auto flat = (follows ? images : images.detach()).flatten(1);
    const auto errorAt = [&](const torch::Tensor& code) {
      return (network_->decode(code) - flat).square();
    };
    auto code = network_->encode(follows ? images : images.detach());
    torch::Tensor best, least;
    for (std::int64_t step = 0; step <= steps_; ++step) {
      if (!follows) code = code.detach().requires_grad_(true);
      const auto error = errorAt(code);
      const auto total = error.sum(1);
      const auto better = least.defined() ? total.detach() < least : torch::Tensor();
      best = least.defined() ? torch::where(better.unsqueeze(1), error, best) : error;
      least = least.defined() ? torch::where(better, total.detach(), least) : total.detach();
      if (!follows) best = best.detach();
      if (step == steps_) break;
      const auto gradient =
          torch::autograd::grad({total.sum()}, {code}, {}, /*retain_graph=*/follows,
                                /*create_graph=*/follows)[0];
      code = code - stepSize_ * gradient;
    }
    return best;
  }

  std::int64_t steps_;
  double stepSize_;
  Autoencoder* network_ = nullptr;
  torch::Tensor mean_;  // [pixels]
};

}  // namespace

void addApae(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "Approximate projection autoencoder";
  info.summary = "Reconstruction error after the code was moved to where the decoder fits best";
  info.reference = "Goodge et al., IJCAI 2020 (APAE)";
  info.traits = {"needs classifier", "needs an autoencoder", "optimises at inference"};
  info.options.integer("steps", 20, "Gradient steps of the code; 0: only the weighted error")
      .range(0, 10000)
      .in("steps")
      .from("COBRA does not give it and there is no code; chosen here");
  info.options.number("step_size", 0.1, "Length of a step, times the gradient of the squared error")
      .above(0, 1000)
      .from("COBRA does not give it and there is no code; chosen here");
  registry.add(info, [](const Params& params) {
    return std::make_unique<Apae>(params.getInt("steps"), params.getNumber("step_size"));
  });
}

}  // namespace bulwark
