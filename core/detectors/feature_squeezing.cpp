#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/detectors/builtin.h"
#include "core/detectors/declarations.h"
#include "core/detectors/features.h"
#include "core/detectors/own_threshold.h"
#include "core/detectors/squeezers.h"
#include "core/metrics/threshold.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

constexpr const char* kName = "feature_squeezing";
constexpr const char* kThreshold = "feature_squeezing.threshold";

/// Feature squeezing (Xu, Evans and Qi, NDSS 2018, section 5): how far the softmax moves when the
/// image is squeezed,
///   d(x) = max_j || softmax(z(x)) - softmax(z(squeeze_j(x))) ||_1,
/// rejected above the threshold that keeps 95 % of the training images.
///
/// The score is log(d / (2 - d)), which ranks as d does; 2 - d is twice the overlap
/// sum_c min(p_c, q_c). With a softmax in double it neither ties nor loses its gradient where the
/// network is sure, before squeezing or after, as d would. The guide passes the rounding of
/// the bit depth straight through (Athalye, Carlini and Wagner, ICML 2018); median and non-local
/// means are differentiated as they are.
class FeatureSqueezing : public Detector,
                         public HasSurrogate,
                         public HasThreshold,
                         public HasPasses {
 public:
  FeatureSqueezing(std::vector<Squeezer> squeezers, double keep, std::int64_t images)
      : squeezers_(std::move(squeezers)), keep_(keep), images_(images) {}

  DetectorTraits traits() const override {
    DetectorTraits traits;
    // Without squeezers the usual ones are meant, which round.
    traits.quantised = squeezers_.empty();
    for (const auto& squeezer : squeezers_) traits.quantised |= rounds(squeezer);
    return traits;
  }

  std::string surrogate() const override {
    return traits().quantised
               ? "The score itself, with the gradient of the identity for rounding to a bit depth"
               : "";
  }

  void fit(const DetectorContext& context) override {
    use(context.classifier);
    const std::int64_t size = context.train.size();
    const std::int64_t count = images_ > 0 ? std::min(images_, size) : size;
    const auto rows = torch::div(torch::arange(count, torch::kInt64) * size, count, "floor");
    std::vector<double> scores;
    context.task.begin(std::string("fit ") + kName, count, "images");
    for (const auto& part : rows.split(context.batchSize)) {
      const torch::NoGradGuard noGrad;
      const auto values = score(toDevice(context.train.images(part), context.device))
                              .to(torch::kCPU, torch::kFloat64)
                              .contiguous();
      const auto* data = values.data_ptr<double>();
      scores.insert(scores.end(), data, data + values.numel());
      context.task.advance(part.size(0));
    }
    context.task.end();
    threshold_ = SortedScores(std::span<const double>(scores)).keepingBelow(keep_);
  }

  torch::Tensor score(const torch::Tensor& images) override {
    return std::get<0>(compared(images).second.max(1)).to(torch::kFloat32);
  }

  double threshold() const override { return threshold_; }
  std::int64_t passesPerScore() const override {
    return 1 + static_cast<std::int64_t>(squeezers_.size());
  }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    file.tensors[kThreshold] = torch::tensor(threshold_, torch::kFloat64);
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& /*device*/) override {
    requireDetector(file, kName);
    use(classifier);
    threshold_ = file.require(kThreshold, {}, kName).item<double>();
  }

  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    return {{"squeezer_distances", compared(images).first}};
  }

 private:
  static bool rounds(const Squeezer& squeezer) { return squeezer.name.rfind("bit_depth", 0) == 0; }

  void use(Network* classifier) {
    classifier_ = &requireClassifier(classifier, kName);
    if (!squeezers_.empty()) return;
    const bool grey = classifier_->shape().channels == 1;
    const std::vector<std::string> usual =
        grey ? std::vector<std::string>{"bit_depth_1", "median_filter_2_2"}
             : std::vector<std::string>{"bit_depth_5", "median_filter_2_2",
                                        "non_local_means_13_3_2"};
    for (const auto& name : usual) squeezers_.push_back(squeezerNamed(name, kName));
  }

  /// For each squeezer the L1 distance by which it moves the softmax, and its log-odds; [N, J]
  /// float64 each.
  std::pair<torch::Tensor, torch::Tensor> compared(const torch::Tensor& images) const {
    auto& network = requireClassifier(classifier_, kName);
    const auto probability = [&](const torch::Tensor& of) {
      return torch::softmax(network.forward(of).to(torch::kFloat64), 1);
    };
    constexpr double tiny = 1e-300;  // squeezing may change nothing at all
    const auto plain = probability(images);
    std::vector<torch::Tensor> distances, odds;
    for (const auto& squeezer : squeezers_) {
      const auto squeezed = probability(squeezer.apply(images));
      distances.push_back((plain - squeezed).abs().sum(1));
      const auto overlap = torch::minimum(plain, squeezed).sum(1);
      odds.push_back((distances.back() / 2 + tiny).log() - (overlap + tiny).log());
    }
    return {torch::stack(distances, 1), torch::stack(odds, 1)};
  }

  std::vector<Squeezer> squeezers_;
  double keep_;
  std::int64_t images_;
  Network* classifier_ = nullptr;
  double threshold_ = 0.0;
};

}  // namespace

void addFeatureSqueezing(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "Feature squeezing";
  info.summary =
      "How far the softmax moves when the image is squeezed: bit depth, median, non-local means";
  info.reference = "Xu, Evans and Qi, NDSS 2018";
  info.traits = {"needs classifier", "quantised"};
  info.options
      .textList("squeezers", {},
                "bit_depth_B, median_filter_H_W, non_local_means_SEARCH_PATCH_STRENGTH; empty: "
                "bit_depth_1 and median_filter_2_2 for grey images, bit_depth_5, median_filter_2_2 "
                "and non_local_means_13_3_2 for colour")
      .from("Xu et al. 2018, the joint detectors for MNIST and CIFAR-10")
      .simple();
  info.options.number("keep", 0.95, "Share of training images that its own threshold keeps")
      .above(0, 1)
      .from("Xu et al. 2018: 5 % false positives");
  info.options
      .integer("threshold_images", 2000,
               "Training images, spread evenly, that the threshold is set by; 0: all")
      .range(0, 1000000000)
      .in("images")
      .from("all in the paper; non-local means take milliseconds an image")
      .expert();
  registry.add(info, [](const Params& params) {
    std::vector<Squeezer> squeezers;
    for (const auto& name : params.getTextList("squeezers")) {
      squeezers.push_back(squeezerNamed(name, params.pathOf("squeezers")));
    }
    return std::make_unique<FeatureSqueezing>(std::move(squeezers), params.getNumber("keep"),
                                              params.getInt("threshold_images"));
  });
}

}  // namespace bulwark
