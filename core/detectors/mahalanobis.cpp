#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/detectors/adversarial_samples.h"
#include "core/detectors/builtin.h"
#include "core/detectors/class_gaussians.h"
#include "core/detectors/declarations.h"
#include "core/detectors/features.h"
#include "core/detectors/input_step.h"
#include "core/detectors/logistic_regression.h"
#include "core/detectors/own_threshold.h"
#include "core/params/layer_option.h"

namespace bulwark {
namespace {

constexpr const char* kName = "mahalanobis";

struct MahalanobisOptions {
  ClassGaussianOptions gaussians;
  std::vector<std::string> ensemble;
  std::string ensemblePath;
  InputStep step;
  SampleOptions samples;
};

/// Mahalanobis distance (Lee et al., NeurIPS 2018, equations 1 and 2):
///   M(x) = min_c (f(x) - mu_c)^T S^-1 (f(x) - mu_c),
/// with class means mu_c and one covariance S pooled over the classes. The score is M at one layer
/// or, as an ensemble (section 2.2), the log-odds sum_l a_l M_l(x) + b of a logistic
/// regression trained on FGSM images; before each M_l the image may be moved towards the nearest
/// mean.
class Mahalanobis : public Detector, public HasSurrogate, public HasFitFacts, public HasPasses {
 public:
  explicit Mahalanobis(MahalanobisOptions options) : options_(std::move(options)) {}

  DetectorTraits traits() const override {
    DetectorTraits traits;
    traits.needsLabels = true;
    traits.differentiable = !options_.step.surrogate();
    return traits;
  }

  std::string surrogate() const override {
    return options_.step.surrogate() ? "The sign in the input step is smooth and differentiated; "
                                       "the score takes the sign itself"
                                     : "";
  }

  void fit(const DetectorContext& context) override {
    for (const auto& tap : options_.ensemble) {
      requireTap(requireClassifier(context.classifier, kName), tap, options_.ensemblePath);
    }
    gaussians_.clear();
    for (const auto& tap : taps()) {
      auto options = options_.gaussians;
      options.tap = tap;
      const auto moments = gatherMoments(context, options, kName);
      gaussians_.emplace_back(moments.classMeans(), moments.pooledCovariance(), options.ridge,
                              context.device, kName);
    }
    classifier_ = context.classifier;
    options_.step.choose(
        context, [this](const torch::Tensor& images) { return distances(images, false).mean(1); },
        kName);
    if (!combines()) return;
    const auto samples = adversarialSamples(context, options_.samples, 0, kName);
    const auto values =
        samples.features(context, std::string("distances for ") + kName,
                         [this](const torch::Tensor& images) { return distances(images, false); });
    regression_ =
        fitLogistic(values, samples.positive(), samples.fold(), usualCosts(), context.task, kName);
  }

  torch::Tensor score(const torch::Tensor& images) override {
    return combined(distances(images, false));
  }
  torch::Tensor guide(const torch::Tensor& images) override {
    return combined(distances(images, options_.step.surrogate()));
  }

  /// With a step every layer has an image of its own.
  std::int64_t passesPerScore() const override {
    const auto layers = static_cast<std::int64_t>(taps().size());
    return options_.step.magnitude() > 0 ? 2 * layers : 1;
  }

  Json fitFacts() const override {
    Json facts = Json::object();
    if (options_.step.chooses()) facts["magnitude"] = options_.step.magnitude();
    if (combines()) {
      facts["cost"] = regression_.cost;
      facts["held_out_accuracy"] = regression_.accuracy;
    }
    return facts;
  }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    for (std::size_t i = 0; i < gaussians_.size(); ++i) gaussians_[i].save(file, part(i));
    if (options_.step.chooses()) options_.step.save(file, kName);
    if (combines()) regression_.save(file, kName);
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& device) override {
    requireDetector(file, kName);
    gaussians_.clear();
    for (std::size_t i = 0; i < taps().size(); ++i) {
      requireTap(requireClassifier(classifier, kName), taps()[i],
                 combines() ? options_.ensemblePath : options_.gaussians.tapPath);
      gaussians_.push_back(SharedGaussians::load(file, part(i), device, kName));
    }
    if (options_.step.chooses()) options_.step.load(file, kName, kName);
    if (combines()) {
      regression_ = LogisticRegression::load(
          file, kName, static_cast<std::int64_t>(gaussians_.size()), device, kName);
    }
    classifier_ = classifier;
  }

  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override {
    if (combines()) return {{"layer_distances", distances(images.detach(), false).detach()}};
    const torch::NoGradGuard noGrad;
    const auto values = features(images, 0);
    return {{"features", values}, {"class_distances", gaussians_.at(0).all(values)}};
  }

 private:
  bool combines() const { return !options_.ensemble.empty(); }

  std::vector<std::string> taps() const {
    return combines() ? options_.ensemble : std::vector<std::string>{options_.gaussians.tap};
  }

  /// Name of a layer's tensors in the file.
  std::string part(std::size_t layer) const {
    std::string name = kName;
    if (combines()) name.append(".").append(std::to_string(layer));
    return name;
  }

  torch::Tensor features(const torch::Tensor& images, std::size_t layer) const {
    return tapFeatures(requireClassifier(classifier_, kName), images, taps()[layer]);
  }

  /// [N, L]: M_l of the image that was moved for layer l.
  torch::Tensor distances(const torch::Tensor& images, bool surrogate) const {
    auto& network = requireClassifier(classifier_, kName);
    std::vector<torch::Tensor> columns;
    if (options_.step.magnitude() == 0.0) {
      const auto values = layerValues(network, images, taps());
      for (std::size_t i = 0; i < gaussians_.size(); ++i) {
        columns.push_back(gaussians_[i].nearest(averaged(values[i])));
      }
      return torch::stack(columns, 1);
    }
    for (std::size_t i = 0; i < gaussians_.size(); ++i) {
      const auto plain = [&](const torch::Tensor& at) {
        return gaussians_[i].nearest(features(at, i));
      };
      columns.push_back(plain(options_.step(images, plain, surrogate)));
    }
    return torch::stack(columns, 1);
  }

  torch::Tensor combined(const torch::Tensor& distances) const {
    return combines() ? regression_.logOdds(distances) : distances.squeeze(1);
  }

  MahalanobisOptions options_;
  Network* classifier_ = nullptr;
  std::vector<SharedGaussians> gaussians_;
  LogisticRegression regression_;
};

}  // namespace

void addMahalanobis(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "Mahalanobis distance";
  info.summary =
      "Squared distance to the nearest class mean under the pooled covariance, of one layer or of "
      "an ensemble of layers that is trained on adversarial samples (FGSM)";
  info.reference = "Lee et al., NeurIPS 2018";
  info.traits = {"needs classifier", "needs labels", "an ensemble trains on adversarial samples"};
  ClassGaussianOptions::declare(info.options);
  namesLayers(info.options.textList("ensemble", {},
                                    "Layers whose distances a logistic regression weighs, in "
                                    "place of the option tap; \"logits\" is the network's output"),
              {kLogits})
      .from(
          "Zhao et al., tables 2 to 8: the logits alone, no ensemble; Lee et al. 2018, algorithm "
          "1: the end of every block");
  InputStep::declare(info.options);
  SampleOptions::declare(info.options);
  registry.add(info, [](const Params& params) {
    return std::make_unique<Mahalanobis>(MahalanobisOptions{
        ClassGaussianOptions::from(params), params.getTextList("ensemble"),
        params.pathOf("ensemble"), InputStep::from(params), SampleOptions::from(params)});
  });
}

}  // namespace bulwark
