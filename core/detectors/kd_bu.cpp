#include <cmath>
#include <memory>
#include <numbers>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/detectors/adversarial_samples.h"
#include "core/detectors/builtin.h"
#include "core/detectors/features.h"
#include "core/detectors/linear_head.h"
#include "core/detectors/logistic_regression.h"
#include "core/detectors/own_threshold.h"
#include "core/params/layer_option.h"

namespace bulwark {
namespace {

constexpr const char* kName = "kd_bu";

struct KdBuOptions {
  std::string tap, tapPath;
  double bandwidth = 0.0;
  std::int64_t passes = 50;
  double dropout = 0.5;
  SampleOptions samples;
};

/// Kernel density and Bayesian uncertainty (Feinman, Curtin, Shintre and Gardner 2017, sections 4.1
/// and 4.2), two features for a logistic regression trained on FGSM images (positive) against
/// normal and noisy ones; the score is its log-odds.
///
/// KD is the logarithm of the density of the image's hidden features under the training images of
/// the class t that is predicted for it,
///   log (1/n_t) sum_{i in t} (2 pi h^2)^(-D/2) exp(-||f(x) - f(x_i)||^2 / (2 h^2)).
///
/// BU is the variance of the softmax over passes with dropout, averaged over the classes (as the
/// code of Ma et al. 2018 does). Whatever dropout the network was trained with, units of the input
/// of the last layer alone are dropped, with masks that are drawn once, when the detector is
/// fitted, and are the same for all images. So the score is reproducible and differentiable.
class KdBu : public Detector, public HasFitFacts {
 public:
  explicit KdBu(KdBuOptions options) : options_(std::move(options)) {}

  DetectorTraits traits() const override {
    DetectorTraits traits;
    traits.needsLabels = true;
    return traits;
  }

  void fit(const DetectorContext& context) override {
    auto& network = requireClassifier(context.classifier, kName);
    requireTap(network, options_.tap, options_.tapPath);
    classifier_ = context.classifier;
    head_ = linearHeadOf(network, context.device, kName);
    masks_ = drawnMasks(context.seed.child("dropout")).to(context.device);
    const bool grey = network.shape().channels == 1;
    bandwidth_ = options_.bandwidth > 0 ? options_.bandwidth : grey ? 3.7926 : 0.26;
    const auto samples = adversarialSamples(context, options_.samples, 0, kName);
    gatherBanks(context, samples.rows);
    const auto values =
        samples.features(context, std::string("features for ") + kName,
                         [this](const torch::Tensor& images) { return pair(images); });
    regression_ =
        fitLogistic(values, samples.positive(), samples.fold(), usualCosts(), context.task, kName);
  }

  torch::Tensor score(const torch::Tensor& images) override {
    requireClassifier(classifier_, kName);
    return regression_.logOdds(pair(images));
  }

  Json fitFacts() const override {
    return {{"bandwidth", bandwidth_},
            {"cost", regression_.cost},
            {"held_out_accuracy", regression_.accuracy}};
  }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    file.tensors["kd_bu.bandwidth"] = torch::tensor(bandwidth_, torch::kFloat64);
    file.tensors["kd_bu.masks"] = masks_.to(torch::kCPU).contiguous();
    for (std::size_t c = 0; c < banks_.size(); ++c) {
      file.tensors[bankName(c)] = banks_[c].to(torch::kCPU).contiguous();
    }
    file.tensors["kd_bu.centre"] = centre_.to(torch::kCPU).contiguous();
    regression_.save(file, kName);
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& device) override {
    requireDetector(file, kName);
    auto& network = requireClassifier(classifier, kName);
    requireTap(network, options_.tap, options_.tapPath);
    classifier_ = classifier;
    head_ = linearHeadOf(network, device, kName);
    bandwidth_ = file.require("kd_bu.bandwidth", {}, kName).item<double>();
    masks_ = file.require("kd_bu.masks", {-1, head_.weight.size(1)}, kName).to(device);
    centre_ = file.require("kd_bu.centre", {-1}, kName).to(device);
    banks_.clear();
    for (std::int64_t c = 0; c < network.shape().classes; ++c) {
      const auto name = bankName(static_cast<std::size_t>(c));
      banks_.push_back(file.require(name, {-1, centre_.size(0)}, kName).to(device));
    }
    regression_ = LogisticRegression::load(file, kName, 2, device, kName);
  }

  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    const auto both = pair(images);
    return {{"log_density", both.select(1, 0)}, {"uncertainty", both.select(1, 1)}};
  }

 private:
  static std::string bankName(std::size_t c) { return "kd_bu.bank." + std::to_string(c); }

  /// [passes, F]: 0, or 1 / (1 - p) so that the mean stays.
  torch::Tensor drawnMasks(Seed seed) const {
    auto masks = torch::empty({options_.passes, head_.weight.size(1)}, torch::kFloat32);
    Random random(seed);
    float* data = masks.data_ptr<float>();
    for (std::int64_t i = 0; i < masks.numel(); ++i) {
      const bool kept = random.uniform() >= options_.dropout;
      data[i] = kept ? static_cast<float>(1.0 / (1.0 - options_.dropout)) : 0.0F;
    }
    return masks;
  }

  /// The features of all training images but those that the regression is trained on: an image
  /// that is a centre itself looks denser than any other.
  void gatherBanks(const DetectorContext& context, const torch::Tensor& without) {
    const auto& labels = context.train.labels();
    const auto classes = context.classifier->shape().classes;
    auto kept = torch::ones({context.train.size()}, torch::kBool);
    if (without.defined()) kept.index_fill_(0, without, false);
    std::vector<std::vector<torch::Tensor>> parts(static_cast<std::size_t>(classes));
    streamFeatures(context, options_.tap, std::string("fit ") + kName, kept.nonzero().squeeze(1),
                   [&](const torch::Tensor& features, const torch::Tensor& batchLabels) {
                     for (std::int64_t c = 0; c < classes; ++c) {
                       const auto rows = (batchLabels == c).nonzero().squeeze(1);
                       parts[static_cast<std::size_t>(c)].push_back(
                           features.index_select(0, rows.to(features.device())));
                     }
                   });
    std::vector<torch::Tensor> banks;
    for (const auto& part : parts) {
      banks.push_back(part.empty() ? torch::Tensor() : torch::cat(part));
      if (banks.back().defined() && banks.back().size(0) > 0) continue;
      throw Error::badInput(
          "class " + std::to_string(banks.size() - 1) + " has no training image for its density",
          context.train.name(),
          labels.max().item<std::int64_t>() < 0 ? "choose a labelled training set"
                                                : "raise train_limit, or keep a validation set");
    }
    setBanks(banks);
  }

  /// Distances are measured from the mean of all, near zero.
  void setBanks(const std::vector<torch::Tensor>& banks) {
    const torch::NoGradGuard noGrad;
    centre_ = torch::cat(banks).mean(0);
    banks_.clear();
    for (const auto& bank : banks) banks_.push_back(bank - centre_);
  }

  /// [N, 2]: log density and uncertainty.
  torch::Tensor pair(const torch::Tensor& images) const {
    const auto values = layerValues(*classifier_, images, {options_.tap, "features", kLogits});
    return torch::stack(
        {logDensity(averaged(values[0]), values[2].detach().argmax(1)), uncertainty(values[1])}, 1);
  }

  /// [N] from features [N, D] and the predicted classes.
  torch::Tensor logDensity(const torch::Tensor& features, const torch::Tensor& classes) const {
    const auto points = features - centre_;
    const double twice = 2.0 * bandwidth_ * bandwidth_;
    const double unit =
        0.5 * static_cast<double>(features.size(1)) * std::log(std::numbers::pi * twice);
    std::vector<torch::Tensor> order, parts;
    for (std::size_t c = 0; c < banks_.size(); ++c) {
      const auto rows = (classes == static_cast<std::int64_t>(c)).nonzero().squeeze(1);
      if (rows.size(0) == 0) continue;
      const auto some = points.index_select(0, rows);
      const auto& bank = banks_[c];
      const auto squared =
          (some.square().sum(1, true) + bank.square().sum(1) - 2 * torch::mm(some, bank.t()))
              .clamp_min(0.0);
      const double count = std::log(static_cast<double>(bank.size(0)));
      parts.push_back(torch::logsumexp(-squared / twice, 1) - count - unit);
      order.push_back(rows);
    }
    return torch::cat(parts).index_select(0, torch::cat(order).argsort());
  }

  /// [N]: mean over classes of the variance over the masks.
  torch::Tensor uncertainty(const torch::Tensor& features) const {
    const auto dropped = features.unsqueeze(1) * masks_;         // [N, passes, F]
    const auto probability = torch::softmax(head_(dropped), 2);  // [N, passes, K]
    return probability.var(1, /*unbiased=*/false).mean(1);
  }

  KdBuOptions options_;
  Network* classifier_ = nullptr;
  LinearHead head_;
  double bandwidth_ = 0.0;
  torch::Tensor masks_;               // [passes, F]
  torch::Tensor centre_;              // [D]
  std::vector<torch::Tensor> banks_;  // [n_c, D] per class, centred
  LogisticRegression regression_;
};

}  // namespace

void addKdBu(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "Kernel density and Bayesian uncertainty";
  info.summary =
      "Density of the hidden features within the predicted class and variance under dropout, "
      "weighed by a logistic regression that is trained on adversarial samples (FGSM)";
  info.reference = "Feinman et al. 2017";
  info.traits = {"needs classifier", "needs labels", "trains on adversarial samples"};
  info.options
      .number("bandwidth", 0.0,
              "Deviation h of the Gaussian kernel; 0: 3.7926 for grey images, 0.26 for colour")
      .range(0, 1e6)
      .from("code of Ma et al. 2018: 3.7926 MNIST, 0.26 CIFAR-10, 1.00 SVHN")
      .simple();
  namesLayers(info.options.text("tap", "features",
                                "Layer whose density is estimated; spatial ones are averaged"),
              {kLogits})
      .from("Feinman et al. 2017, section 4.1: the last hidden layer");
  info.options.integer("passes", 50, "Passes with dropout")
      .range(2, 10000)
      .in("passes")
      .from("code of Ma et al. 2018: 50");
  info.options.number("dropout", 0.5, "Share of units that a pass drops")
      .above(0, 0.99)
      .from("Feinman et al. 2017: 0.5 in the LeNet for MNIST");
  SampleOptions::declare(info.options);
  registry.add(info, [](const Params& params) {
    KdBuOptions options;
    options.tap = params.getText("tap");
    options.tapPath = params.pathOf("tap");
    options.bandwidth = params.getNumber("bandwidth");
    options.passes = params.getInt("passes");
    options.dropout = params.getNumber("dropout");
    options.samples = SampleOptions::from(params);
    return std::make_unique<KdBu>(options);
  });
}

}  // namespace bulwark
