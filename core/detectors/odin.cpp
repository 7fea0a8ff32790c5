#include <cmath>
#include <memory>

#include "core/detectors/builtin.h"
#include "core/detectors/declarations.h"
#include "core/detectors/features.h"
#include "core/detectors/input_step.h"
#include "core/detectors/own_threshold.h"
#include "core/nn/log_odds.h"

namespace bulwark {
namespace {

constexpr const char* kName = "odin";

/// ODIN (Liang, Li and Srikant, ICLR 2018, equations 1 and 2): the largest softmax probability at
/// temperature T, of an image that was moved towards it,
///   S(x; T) = max_c softmax(z(x) / T)_c,    x' = x - m sign(-grad log S(x; T)).
///
/// The score is T (log((1 - S) / S) - log(K - 1)) + log(K - 1), strictly falling in S: at T = 1 it
/// is that of `msp`, for large T it tends to the mean of the other logits less the largest. At
/// T = 1000 all S lie within some 1e-3 of 1 / K, so it is formed in double.
class Odin : public Detector, public HasSurrogate, public HasFitFacts, public HasPasses {
 public:
  Odin(double temperature, InputStep step) : temperature_(temperature), step_(std::move(step)) {}

  DetectorTraits traits() const override {
    DetectorTraits traits;
    traits.differentiable = !step_.surrogate();
    return traits;
  }

  std::string surrogate() const override {
    return step_.surrogate() ? "The sign in the input step is smooth and differentiated; the score "
                               "takes the sign itself"
                             : "";
  }

  void fit(const DetectorContext& context) override {
    classifier_ = &requireClassifier(context.classifier, kName);
    step_.choose(
        context, [this](const torch::Tensor& images) { return score(images); }, kName);
  }

  torch::Tensor score(const torch::Tensor& images) override { return scored(images, false); }
  torch::Tensor guide(const torch::Tensor& images) override { return scored(images, true); }

  std::int64_t passesPerScore() const override { return step_.magnitude() > 0 ? 2 : 1; }

  Json fitFacts() const override {
    return step_.chooses() ? Json{{"magnitude", step_.magnitude()}} : Json::object();
  }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    step_.save(file, kName);
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& /*device*/) override {
    requireDetector(file, kName);
    classifier_ = &requireClassifier(classifier, kName);
    step_.load(file, kName, kName);
  }

  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    return {{"logits", requireClassifier(classifier_, kName).forward(images)}};
  }

 private:
  torch::Tensor scored(const torch::Tensor& images, bool surrogate) const {
    const auto plain = [this](const torch::Tensor& at) { return unmoved(at); };
    return unmoved(step_(images, plain, surrogate && step_.surrogate()));
  }

  /// The score without the step; its gradient has the sign of -grad log S.
  torch::Tensor unmoved(const torch::Tensor& images) const {
    const auto logits =
        requireClassifier(classifier_, kName).forward(images).to(torch::kFloat64) / temperature_;
    const double even = std::log(static_cast<double>(logits.size(1) - 1));
    const auto odds = negativeLogOdds(logits, logits.detach().argmax(1));
    return (temperature_ * (odds - even) + even).to(torch::kFloat32);
  }

  double temperature_;
  InputStep step_;
  Network* classifier_ = nullptr;
};

}  // namespace

void addOdin(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "ODIN";
  info.summary = "Softmax maximum at a high temperature, after an optional step that raises it";
  info.reference = "Liang, Li and Srikant, ICLR 2018";
  info.traits = {"needs classifier"};
  info.options.number("temperature", 1000.0, "Temperature T of the softmax")
      .above(0, 1e6)
      .from("Liang et al. 2018: T = 1000")
      .simple();
  InputStep::declare(info.options);
  registry.add(info, [](const Params& params) {
    return std::make_unique<Odin>(params.getNumber("temperature"), InputStep::from(params));
  });
}

}  // namespace bulwark
