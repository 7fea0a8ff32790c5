#include <algorithm>
#include <memory>

#include "core/base/error.h"
#include "core/detectors/builtin.h"
#include "core/detectors/features.h"
#include "core/nn/autoencoder.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

constexpr const char* kName = "principals";
constexpr const char* kMean = "principals.mean";
constexpr const char* kBasis = "principals.basis";

/// Reconstruction from the principal part of the code (Lo, Oza and Patel, "PrincipaLS", as COBRA's
/// appendix describes it):
///   s(x) = mean over pixels of (D(m + V V^T (E(x) - m)) - x)^2,
/// where m and V are the mean and the leading principal directions of the training images' codes:
/// what an adversary adds to the code outside the directions in which training images vary is
/// dropped. The published cascade goes on along the positions of a map of codes; the code of a
/// fully connected network has one position. The adversarial training that the paper adds is a
/// matter of the network's recipe, not of the score.
class Principals : public Detector {
 public:
  Principals(std::int64_t components, double share) : components_(components), share_(share) {}

  DetectorTraits traits() const override { return {}; }

  void fit(const DetectorContext& context) override {
    use(context.classifier);
    const torch::NoGradGuard noGrad;
    torch::Tensor sum, squares;  // float64 on the CPU: of the codes and their products
    const std::int64_t count = context.train.size();
    context.task.begin(std::string("fit ") + kName, count, "images");
    for (std::int64_t begin = 0; begin < count; begin += context.batchSize) {
      const std::int64_t end = std::min(begin + context.batchSize, count);
      const auto images =
          toDevice(context.train.images(torch::arange(begin, end, torch::kInt64)), context.device);
      const auto code = network_->encode(images).to(torch::kCPU, torch::kFloat64);
      sum = sum.defined() ? sum + code.sum(0) : code.sum(0);
      const auto products = code.t().mm(code);
      squares = squares.defined() ? squares + products : products;
      context.task.advance(end - begin);
    }
    context.task.end();
    if (!torch::isfinite(squares).all().item<bool>()) {
      throw Error::failed("the codes of the training images are not finite", kName,
                          "the network's training has diverged; train it again");
    }
    const auto images = static_cast<double>(count);
    const auto mean = sum / images;
    const auto covariance = squares / images - mean.unsqueeze(1) * mean.unsqueeze(0);
    const auto [variances, directions] = torch::linalg_eigh(covariance, "L");  // ascending
    const auto kept = keptOf(variances.flip(0).clamp_min(0.0));
    mean_ = toDevice(mean.to(torch::kFloat32), context.device);
    basis_ = toDevice(directions.flip(1).slice(1, 0, kept).to(torch::kFloat32).contiguous(),
                      context.device);
  }

  torch::Tensor score(const torch::Tensor& images) override {
    requireClassifier(network_, kName);
    const auto code = network_->encode(images) - mean_;
    const auto cleaned = mean_ + code.mm(basis_).mm(basis_.t());
    return (network_->decode(cleaned) - images.flatten(1)).square().mean(1);
  }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    file.tensors[kMean] = mean_.to(torch::kCPU).contiguous();
    file.tensors[kBasis] = basis_.to(torch::kCPU).contiguous();
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& device) override {
    requireDetector(file, kName);
    use(classifier);
    const std::int64_t width = network_->classifier()->weight.size(1);
    mean_ = toDevice(file.require(kMean, {width}, kName), device);
    basis_ = toDevice(file.require(kBasis, {width, -1}, kName), device);
  }

 private:
  void use(Network* classifier) {
    network_ = &requireAutoencoder(requireClassifier(classifier, kName), kName);
  }

  /// As many directions as are asked for, or as hold the share of the variance.
  std::int64_t keptOf(const torch::Tensor& variances) const {
    const std::int64_t width = variances.size(0);
    if (components_ > 0) return std::min(components_, width);
    const auto held = variances.cumsum(0) / variances.sum().clamp_min(1e-300);
    return std::min(width, held.lt(share_ - 1e-12).sum().item<std::int64_t>() + 1);
  }

  std::int64_t components_;
  double share_;
  Autoencoder* network_ = nullptr;
  torch::Tensor mean_, basis_;  // [F], [F, kept]
};

}  // namespace

void addPrincipals(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "Principal latent space";
  info.summary = "Reconstruction error from the principal components of the code alone";
  info.reference = "Lo, Oza and Patel, arXiv 2108.11168 (PrincipaLS)";
  info.traits = {"needs classifier", "needs an autoencoder"};
  info.options.integer("components", 0, "Principal directions kept; 0: as many as hold the share")
      .range(0, 65536)
      .from("COBRA does not give it and there is no code; chosen here");
  info.options.number("share", 0.95, "Share of the codes' variance that is kept")
      .above(0, 1)
      .from("COBRA does not give it and there is no code; chosen here");
  registry.add(info, [](const Params& params) {
    return std::make_unique<Principals>(params.getInt("components"), params.getNumber("share"));
  });
}

}  // namespace bulwark
