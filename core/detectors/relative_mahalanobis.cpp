#include <memory>
#include <utility>

#include "core/detectors/builtin.h"
#include "core/detectors/class_gaussians.h"
#include "core/detectors/features.h"

namespace bulwark {
namespace {

constexpr const char* kName = "relative_mahalanobis";

/// Relative Mahalanobis distance (Ren et al. 2021, equation 2):
///   s(x) = min_c MD_c(f(x)) - MD_0(f(x)),
/// where MD_0 is the distance under one Gaussian fitted to all training features at once.
class RelativeMahalanobis : public Detector {
 public:
  explicit RelativeMahalanobis(ClassGaussianOptions options) : options_(std::move(options)) {}

  DetectorTraits traits() const override {
    DetectorTraits traits;
    traits.needsLabels = true;
    return traits;
  }

  void fit(const DetectorContext& context) override {
    const auto moments = gatherMoments(context, options_, kName);
    classes_ = SharedGaussians(moments.classMeans(), moments.pooledCovariance(), options_.ridge,
                               context.device, kName);
    background_ = SharedGaussians(moments.mean().unsqueeze(0), moments.totalCovariance(),
                                  options_.ridge, context.device, kName);
    classifier_ = context.classifier;
  }

  torch::Tensor score(const torch::Tensor& images) override {
    const auto values = features(images);
    return classes_.nearest(values) - background_.nearest(values);
  }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    classes_.save(file, std::string(kName) + ".classes");
    background_.save(file, std::string(kName) + ".background");
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& device) override {
    requireDetector(file, kName);
    requireTap(requireClassifier(classifier, kName), options_.tap, options_.tapPath);
    classes_ = SharedGaussians::load(file, std::string(kName) + ".classes", device, kName);
    background_ = SharedGaussians::load(file, std::string(kName) + ".background", device, kName);
    classifier_ = classifier;
  }

  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    const auto values = features(images);
    return {{"features", values},
            {"class_distances", classes_.all(values)},
            {"background_distance", background_.nearest(values)}};
  }

 private:
  torch::Tensor features(const torch::Tensor& images) const {
    return tapFeatures(requireClassifier(classifier_, kName), images, options_.tap);
  }

  ClassGaussianOptions options_;
  Network* classifier_ = nullptr;
  SharedGaussians classes_, background_;
};

}  // namespace

void addRelativeMahalanobis(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "Relative Mahalanobis distance";
  info.summary = "Mahalanobis distance minus that to one Gaussian of all training features";
  info.reference = "Ren et al., ICML workshop on uncertainty 2021";
  info.traits = {"needs classifier", "needs labels"};
  ClassGaussianOptions::declare(info.options);
  registry.add(info, [](const Params& params) {
    return std::make_unique<RelativeMahalanobis>(ClassGaussianOptions::from(params));
  });
}

}  // namespace bulwark
