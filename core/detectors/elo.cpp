#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/data/split.h"
#include "core/detectors/builtin.h"
#include "core/detectors/features.h"
#include "core/detectors/layer_search.h"
#include "core/detectors/one_class_machine.h"
#include "core/detectors/own_threshold.h"

namespace bulwark {
namespace {

constexpr const char* kName = "elo";

struct EloOptions {
  LayerOptions layer;
  OneClassOptions machine;
  std::int64_t points = 0;
};

/// Early layer output (Abdelzad et al., "Detecting out-of-distribution inputs in deep neural
/// networks using an early-layer output", 2019):
///   s(x) = -log sum_i a_i K(z_i, z),
/// from the kernel sum of one one-class machine on the channel means z of the layer that
/// discriminates best, for all classes together. The logarithm is ours: it leaves the order as it
/// is, and far from the support vectors, where the sum is too small for float32, images still
/// differ and an attack has a gradient.
class Elo : public Detector, public HasFitFacts {
 public:
  explicit Elo(EloOptions options) : options_(std::move(options)) {}

  DetectorTraits traits() const override { return {}; }

  void fit(const DetectorContext& context) override {
    classifier_ = &requireClassifier(context.classifier, kName);
    layer_ = chosenLayer(context, options_.layer, options_.machine, kName, facts_);
    std::vector<torch::Tensor> parts;
    streamFeatures(context, layer_, std::string("fit ") + kName, rows(context),
                   [&](const torch::Tensor& features, const torch::Tensor& /*labels*/) {
                     parts.push_back(features.to(torch::kCPU));
                   });
    context.task.begin(std::string("fit machine of ") + kName, 1, "machines");
    machine_ = OneClassMachine::fit({torch::cat(parts)}, options_.machine, context.device,
                                    context.task)[0];
    context.task.end();
    facts_["support_vectors"] = machine_.supports().size(0);
  }

  torch::Tensor score(const torch::Tensor& images) override {
    return -machine_.logKernelSum(features(images));
  }

  Json fitFacts() const override { return facts_; }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    file.metadata["elo.layer"] = layer_;
    file.metadata["elo.facts"] = facts_.dump();
    machine_.save(file, kName);
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& device) override {
    requireDetector(file, kName);
    classifier_ = &requireClassifier(classifier, kName);
    const auto layer = file.metadata.find("elo.layer"), facts = file.metadata.find("elo.facts");
    if (layer == file.metadata.end() || facts == file.metadata.end()) {
      throw Error::badInput("the file does not tell the layer", kName,
                            "choose the file that this detector saved");
    }
    layer_ = layer->second;
    facts_ = Json::parse(facts->second);
    requireTap(*classifier_, layer_, options_.layer.path);
    machine_ = OneClassMachine::load(file, kName, device, kName);
  }

  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    return {{"features", features(images)}};
  }

 private:
  torch::Tensor features(const torch::Tensor& images) const {
    return tapFeatures(requireClassifier(classifier_, kName), images, layer_);
  }

  /// All training images, or a subset drawn with the seed, in ascending order.
  torch::Tensor rows(const DetectorContext& context) const {
    const auto all = torch::arange(context.train.size(), torch::kInt64);
    if (options_.points == 0 || options_.points >= all.size(0)) return all;
    return subsetIndices(all, options_.points, "random", context.seed.child("elo points"));
  }

  EloOptions options_;
  Network* classifier_ = nullptr;
  std::string layer_;
  OneClassMachine machine_;
  Json facts_ = Json::object();
};

}  // namespace

void addElo(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "Early layer output";
  info.summary = "One one-class machine for all classes on the channel means of one layer";
  info.reference = "Abdelzad, Czarnecki, Salay, Denouden, Vernekar and Phan 2019";
  info.traits = {"needs classifier"};
  LayerOptions::declare(info.options, "the paper: the layer of least detection error");
  OneClassOptions::declare(info.options, 0.001, "the published code: 0.001");
  info.options.integer("points", 0, "At most so many training images, a seeded subset; 0: all")
      .range(0, 1e9)
      .in("images")
      .from("the published code: all")
      .expert();
  registry.add(info, [](const Params& params) {
    EloOptions options;
    options.layer = LayerOptions::from(params);
    options.machine = OneClassOptions::from(params);
    options.points = params.getInt("points");
    return std::make_unique<Elo>(std::move(options));
  });
}

}  // namespace bulwark
