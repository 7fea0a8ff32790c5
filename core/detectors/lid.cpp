#include "core/detectors/lid.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/detectors/adversarial_samples.h"
#include "core/detectors/builtin.h"
#include "core/detectors/features.h"
#include "core/detectors/logistic_regression.h"
#include "core/detectors/own_threshold.h"
#include "core/nn/device.h"
#include "core/params/layer_option.h"

namespace bulwark {

torch::Tensor localDimension(const torch::Tensor& points, const torch::Tensor& references,
                             std::int64_t k) {
  // Distances one by one (2: not by a matrix product), exact also where they are small; LibTorch's
  // derivative of them needs no [N, M, D].
  const auto distances = torch::cdist(points, references, 2.0, /*compute_mode=*/2);
  const auto nearest = std::get<0>(distances.topk(k, 1, /*largest=*/false, /*sorted=*/true));
  const auto furthest = nearest.slice(1, k - 1, k).clamp_min(1e-12);
  const auto logs = (nearest / furthest).clamp_min(1e-4).log();
  return 1.0 / (-logs.mean(1)).clamp_min(1e-6);
}

namespace {

constexpr const char* kName = "lid";
constexpr const char* kReferences = "lid.references";

struct LidOptions {
  std::int64_t k = 20, minibatch = 100;
  std::string kPath, layersPath;
  std::vector<std::string> layers;
  SampleOptions samples;
};

/// Local intrinsic dimensionality (Ma et al., ICLR 2018, algorithm 1): the dimension around an
/// image at every layer, estimated from the distances to its k nearest of a minibatch of normal
/// images; the score is the log-odds of a logistic regression over the layers,
///   s(x) = sum_l w_l LID_l(x) + b,
/// trained on FGSM images (positive) against normal and noisy ones.
///
/// The published code estimates an image within the minibatch that it is part of, and leaves its
/// nearest neighbour out, which is the image itself or the clean version of it. Here one minibatch
/// of training images is drawn when the detector is fitted and kept, so that the score of an image
/// is its own; none of them is among the images of the regression.
class Lid : public Detector, public HasFitFacts {
 public:
  explicit Lid(LidOptions options) : options_(std::move(options)) {
    if (options_.k <= options_.minibatch) return;
    throw Error::badInput("k is " + std::to_string(options_.k) + ", but the minibatch holds " +
                              std::to_string(options_.minibatch) + " images",
                          options_.kPath, "lower k, or raise minibatch");
  }

  DetectorTraits traits() const override { return {}; }

  void fit(const DetectorContext& context) override {
    requireLayers(requireClassifier(context.classifier, kName));
    const std::int64_t size = context.train.size();
    if (size < options_.minibatch) {
      throw Error::badInput("the minibatch of " + std::to_string(options_.minibatch) +
                                " images is larger than the training set of " +
                                std::to_string(size),
                            context.train.name(), "lower minibatch, or raise train_limit");
    }
    const auto rows = shuffledTrainingRows(context, 0, options_.minibatch);
    setReferences(context.train.images(rows), context.classifier, context.device);
    const auto samples = adversarialSamples(context, options_.samples, options_.minibatch, kName);
    const auto values =
        samples.features(context, std::string("dimensions for ") + kName,
                         [this](const torch::Tensor& images) { return dimensions(images); });
    regression_ =
        fitLogistic(values, samples.positive(), samples.fold(), usualCosts(), context.task, kName);
  }

  torch::Tensor score(const torch::Tensor& images) override {
    return regression_.logOdds(dimensions(images));
  }

  Json fitFacts() const override {
    return {{"cost", regression_.cost}, {"held_out_accuracy", regression_.accuracy}};
  }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    file.metadata["lid.layers"] = Json(layers_).dump();
    file.tensors[kReferences] = references_;
    regression_.save(file, kName);
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& device) override {
    requireDetector(file, kName);
    requireLayers(requireClassifier(classifier, kName));
    // Those it was fitted with: a network may have more taps than it had then.
    if (const auto told = file.metadata.find("lid.layers"); told != file.metadata.end()) {
      layers_ = Json::parse(told->second).get<std::vector<std::string>>();
      for (const auto& layer : layers_) {
        if (layer != kInput) requireTap(*classifier, layer, options_.layersPath);
      }
    }
    const auto& shape = classifier->shape();
    setReferences(
        file.require(kReferences, {options_.minibatch, shape.channels, shape.height, shape.width},
                     kName),
        classifier, device);
    regression_ = LogisticRegression::load(file, kName, static_cast<std::int64_t>(layers_.size()),
                                           device, kName);
  }

  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    return {{"dimensions", dimensions(images)}};
  }

 private:
  void requireLayers(const Network& network) {
    layers_ = options_.layers;
    if (layers_.empty()) {
      layers_ = network.taps();
      layers_.insert(layers_.begin(), kInput);
      layers_.push_back(kLogits);
      return;
    }
    for (const auto& layer : layers_) {
      if (layer != kInput) requireTap(network, layer, options_.layersPath);
    }
  }

  void setReferences(const torch::Tensor& images, Network* classifier,
                     const torch::Device& device) {
    const torch::NoGradGuard noGrad;
    references_ = images.contiguous();
    classifier_ = classifier;
    layerReferences_.clear();
    for (const auto& value : layerValues(*classifier_, toDevice(references_, device), layers_)) {
      layerReferences_.push_back(value.flatten(1).clone());
    }
  }

  /// [N, L].
  torch::Tensor dimensions(const torch::Tensor& images) const {
    const auto values = layerValues(requireClassifier(classifier_, kName), images, layers_);
    std::vector<torch::Tensor> columns;
    for (std::size_t i = 0; i < values.size(); ++i) {
      columns.push_back(localDimension(values[i].flatten(1), layerReferences_[i], options_.k));
    }
    return torch::stack(columns, 1);
  }

  LidOptions options_;
  std::vector<std::string> layers_;
  Network* classifier_ = nullptr;
  torch::Tensor references_;                    // [minibatch, C, H, W], CPU
  std::vector<torch::Tensor> layerReferences_;  // [minibatch, D] per layer
  LogisticRegression regression_;
};

}  // namespace

void addLid(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "Local intrinsic dimensionality";
  info.summary =
      "Dimension around an image at every layer, weighed by a logistic regression that is trained "
      "on adversarial samples (FGSM)";
  info.reference = "Ma et al., ICLR 2018";
  info.traits = {"needs classifier", "trains on adversarial samples"};
  info.options.integer("k", 20, "Nearest neighbours that the dimension is estimated from")
      .range(2, 100000)
      .from("code of Ma et al. 2018: 20 for minibatches of 100")
      .simple();
  info.options
      .integer("minibatch", 100, "Training images among which the neighbours are looked for")
      .range(2, 100000)
      .in("images")
      .from("Ma et al. 2018, section 4: 100");
  namesLayers(info.options.textList("layers", {},
                                    "Layers, \"input\" and \"logits\" among them; empty: all"),
              {kInput, kLogits})
      .from("Ma et al. 2018, algorithm 1: all layers");
  SampleOptions::declare(info.options);
  registry.add(info, [](const Params& params) {
    LidOptions options;
    options.k = params.getInt("k");
    options.kPath = params.pathOf("k");
    options.minibatch = params.getInt("minibatch");
    options.layers = params.getTextList("layers");
    options.layersPath = params.pathOf("layers");
    options.samples = SampleOptions::from(params);
    return std::make_unique<Lid>(options);
  });
}

}  // namespace bulwark
