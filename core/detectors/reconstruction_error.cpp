#include <memory>

#include "core/detectors/builtin.h"
#include "core/detectors/features.h"
#include "core/nn/autoencoder.h"

namespace bulwark {
namespace {

constexpr const char* kName = "reconstruction_error";

/// How badly an autoencoder gives an image back (Japkowicz, Myers and Gluck, IJCAI 1995):
///   s(x) = mean over pixels of (G(x) - x)^2, or of |G(x) - x|.
class ReconstructionError : public Detector {
 public:
  explicit ReconstructionError(bool squared) : squared_(squared) {}

  DetectorTraits traits() const override { return {}; }
  void fit(const DetectorContext& context) override { use(context.classifier); }

  torch::Tensor score(const torch::Tensor& images) override {
    const auto difference = (network().reconstruct(images) - images).flatten(1);
    return squared_ ? difference.square().mean(1) : difference.abs().mean(1);
  }

  void save(TensorFile& file) const override { file.metadata["detector"] = kName; }
  void load(const TensorFile& file, Network* classifier, const torch::Device& /*device*/) override {
    requireDetector(file, kName);
    use(classifier);
  }

  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    return {{"reconstruction", network().reconstruct(images)}};
  }

 private:
  void use(Network* classifier) {
    network_ = &requireAutoencoder(requireClassifier(classifier, kName), kName);
  }

  Autoencoder& network() const {
    requireClassifier(network_, kName);
    return *network_;
  }

  bool squared_;
  Autoencoder* network_ = nullptr;
};

}  // namespace

void addReconstructionError(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "Reconstruction error";
  info.summary = "Distance between an image and its reconstruction by an autoencoder";
  info.reference = "Japkowicz, Myers and Gluck, IJCAI 1995";
  info.traits = {"needs classifier", "needs an autoencoder"};
  info.options
      .choice("error", "squared", {"squared", "absolute"}, "What is averaged over the pixels")
      .from("Japkowicz et al. 1995: squared");
  registry.add(info, [](const Params& params) {
    return std::make_unique<ReconstructionError>(params.getText("error") == "squared");
  });
}

}  // namespace bulwark
