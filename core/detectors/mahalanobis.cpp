#include <memory>
#include <utility>

#include "core/detectors/builtin.h"
#include "core/detectors/class_gaussians.h"
#include "core/detectors/features.h"

namespace bulwark {
namespace {

constexpr const char* kName = "mahalanobis";

/// Mahalanobis distance (Lee et al., NeurIPS 2018, equations 1 and 2):
///   s(x) = min_c (f(x) - mu_c)^T S^-1 (f(x) - mu_c),
/// with class means mu_c and one covariance S pooled over the classes. The features are those of
/// one layer, without the paper's input preprocessing and layer ensemble.
class Mahalanobis : public Detector {
 public:
  explicit Mahalanobis(ClassGaussianOptions options) : options_(std::move(options)) {}

  DetectorTraits traits() const override {
    DetectorTraits traits;
    traits.needsLabels = true;
    return traits;
  }

  void fit(const DetectorContext& context) override {
    const auto moments = gatherMoments(context, options_, kName);
    gaussians_ = SharedGaussians(moments.classMeans(), moments.pooledCovariance(), options_.ridge,
                                 context.device, kName);
    classifier_ = context.classifier;
  }

  torch::Tensor score(const torch::Tensor& images) override {
    return gaussians_.nearest(features(images));
  }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    gaussians_.save(file, kName);
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& device) override {
    requireDetector(file, kName);
    requireTap(requireClassifier(classifier, kName), options_.tap, options_.tapPath);
    gaussians_ = SharedGaussians::load(file, kName, device, kName);
    classifier_ = classifier;
  }

  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    const auto values = features(images);
    return {{"features", values}, {"class_distances", gaussians_.all(values)}};
  }

 private:
  torch::Tensor features(const torch::Tensor& images) const {
    return tapFeatures(requireClassifier(classifier_, kName), images, options_.tap);
  }

  ClassGaussianOptions options_;
  Network* classifier_ = nullptr;
  SharedGaussians gaussians_;
};

}  // namespace

void addMahalanobis(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "Mahalanobis distance";
  info.summary = "Squared distance to the nearest class mean under the pooled covariance";
  info.reference = "Lee et al., NeurIPS 2018";
  info.traits = {"needs classifier", "needs labels"};
  ClassGaussianOptions::declare(info.options);
  registry.add(info, [](const Params& params) {
    return std::make_unique<Mahalanobis>(ClassGaussianOptions::from(params));
  });
}

}  // namespace bulwark
