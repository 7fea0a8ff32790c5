#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/data/split.h"
#include "core/detectors/builtin.h"
#include "core/detectors/class_parts.h"
#include "core/detectors/declarations.h"
#include "core/detectors/features.h"
#include "core/detectors/layer_search.h"
#include "core/detectors/one_class_machine.h"
#include "core/detectors/own_threshold.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

constexpr const char* kName = "svdd";
/// A class that fewer training images are predicted as shares the machine of all training images.
constexpr std::int64_t kLeast = 10;
/// What a machine describes: the channel means of the chosen layer, or the logits.
constexpr std::size_t kParts = 2;
constexpr const char* kPartNames[kParts] = {"layer", "logits"};

struct SvddOptions {
  LayerOptions layer;
  OneClassOptions machine;
  std::int64_t points = 10000;
  double logitWeight = 0.5;
  std::string normalisation = "train";
  std::string guide = "both";
  std::int64_t mapImages = 200;
};

/// The uniform framework (Zhao et al., section 4):
///   g(x) = (1 - beta) g1*(x) + beta g2*(x),   s(x) = -g(x).
///
/// With i = C(x) the predicted class, g1 and g2 are the kernel sums of two one-class machines,
/// fitted on the training images that are predicted as i: g1 on the channel means of the most
/// discriminative layer, g2 on the logits. The star brings each to [0, 1] between the smallest and
/// the largest kernel sum of the class's training images (an unseen image may leave that range).
///
/// The published code takes those two from the class's in and out scores under test: an image then
/// has no score of its own. That form is computed beside this one where it is asked for
/// (`normalisation` "transductive"), for the figures per class alone; "none" adds the bare sums, as
/// the code does for fooling images. The class is piecewise constant in x, the rest is smooth.
///
/// An attack follows s + 0.001 l with l = -((1 - beta) log g1 + beta log g2), judged by s. Far from
/// the support vectors a kernel sum and its gradient vanish in float32, and l leads an out image
/// towards them; near them the gradient of s is the larger one. Alone, s
/// is the weaker attack on out images, from where it finds no way in, and l on in images: it
/// spends all on the part that falls fastest, long after s has none of it left
/// (docs/results/svdd.md). `attack_guide` takes one alone, to compare.
class Svdd : public Detector, public HasSurrogate, public HasFitFacts, public ScoresByClass {
 public:
  explicit Svdd(SvddOptions options) : options_(std::move(options)) {}

  DetectorTraits traits() const override {
    DetectorTraits traits;
    traits.differentiable = options_.guide == "score";
    return traits;
  }

  std::string surrogate() const override {
    return options_.guide == "score"
               ? ""
               : "The logarithms of both kernel sums, which have a gradient where the sums are too "
                 "small for float32, are followed beside the score or in its place";
  }

  void fit(const DetectorContext& context) override {
    classifier_ = &requireClassifier(context.classifier, kName);
    layer_ = chosenLayer(context, options_.layer, options_.machine, kName, facts_);
    const auto seen = trainingFeatures(context);
    fitMachines(context, seen);
    measureRanges(context, seen);
  }

  torch::Tensor score(const torch::Tensor& images) override {
    const auto seen = look(images);
    return -weighted([&](std::size_t part) { return normality(part, seen); });
  }

  torch::Tensor guide(const torch::Tensor& images) override {
    constexpr double share = 1e-3;  // of l in "both"
    const auto seen = look(images);
    const auto logarithms = [&] {
      return weighted([&](std::size_t part) {
        return kernelSums(part, seen.features[part], seen.classes, true);
      });
    };
    if (options_.guide == "log") return -logarithms();
    const auto total = weighted([&](std::size_t part) { return normality(part, seen); });
    return options_.guide == "score" ? -total : -(total + share * logarithms());
  }

  ClassParts classParts(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    const auto [features, classes] = look(images);
    std::vector<torch::Tensor> sums, stars;
    for (std::size_t part = 0; part < kParts; ++part) {
      sums.push_back(kernelSums(part, features[part], classes));
      stars.push_back(normal(part, sums.back(), classes));
    }
    return {classes.to(torch::kCPU), torch::stack(sums, 1).to(torch::kCPU, torch::kFloat64),
            torch::stack(stars, 1).to(torch::kCPU, torch::kFloat64)};
  }

  std::vector<double> partWeights() const override {
    return {1.0 - options_.logitWeight, options_.logitWeight};
  }

  std::vector<double> transductiveWeights() const override {
    return options_.normalisation == "transductive" ? partWeights() : std::vector<double>{};
  }

  std::vector<ClassPart> classPartNames() const override {
    return {{kPartNames[0], layer_}, {kPartNames[1], kLogits}};
  }

  ClassFeatures classFeatures(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    const auto [features, classes] = look(images);
    ClassFeatures found{classes.to(torch::kCPU), {}};
    for (const auto& values : features) {
      found.features.push_back(values.to(torch::kCPU, torch::kFloat32));
    }
    return found;
  }

  std::int64_t mapImages() const override { return options_.mapImages; }

  Json fitFacts() const override { return facts_; }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    file.metadata["svdd.layer"] = layer_;
    file.metadata["svdd.facts"] = facts_.dump();
    file.tensors["svdd.machine_of_class"] = torch::tensor(machineOf_, torch::kInt64);
    for (std::size_t part = 0; part < kParts; ++part) {
      const std::string prefix = std::string("svdd.") + kPartNames[part];
      file.tensors[prefix + ".ranges"] = ranges_[part].to(torch::kCPU);
      for (std::size_t i = 0; i < machines_[part].size(); ++i) {
        machines_[part][i].save(file, prefix + "." + std::to_string(i));
      }
    }
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& device) override {
    requireDetector(file, kName);
    classifier_ = &requireClassifier(classifier, kName);
    const auto told = [&](const char* key) {
      const auto found = file.metadata.find(key);
      if (found != file.metadata.end()) return found->second;
      throw Error::badInput(std::string("the file does not tell ") + key, kName,
                            "choose the file that this detector saved");
    };
    layer_ = told("svdd.layer");
    facts_ = Json::parse(told("svdd.facts"));
    requireTap(*classifier_, layer_, options_.layer.path);
    const std::int64_t classes = classifier_->shape().classes;
    const auto& of = file.require("svdd.machine_of_class", {classes}, kName);
    machineOf_.assign(of.data_ptr<std::int64_t>(), of.data_ptr<std::int64_t>() + of.numel());
    const std::int64_t machines = 1 + *std::max_element(machineOf_.begin(), machineOf_.end());
    for (std::size_t part = 0; part < kParts; ++part) {
      const std::string prefix = std::string("svdd.") + kPartNames[part];
      ranges_[part] = file.require(prefix + ".ranges", {machines, 2}, kName).to(device);
      machines_[part].clear();
      for (std::int64_t i = 0; i < machines; ++i) {
        machines_[part].push_back(
            OneClassMachine::load(file, prefix + "." + std::to_string(i), device, kName));
      }
    }
    place(device);
  }

  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    const auto [features, classes] = look(images);
    return {{"features", features[0]},
            {"logits", features[1]},
            {"class", classes},
            {"normality_layer", starred(0, kernelSums(0, features[0], classes), classes)},
            {"normality_logits", starred(1, kernelSums(1, features[1], classes), classes)}};
  }

 private:
  struct Seen {
    torch::Tensor features[kParts];  // float32 [N, F] on the CPU
    torch::Tensor classes;           // int64 [N], predicted
  };
  struct Look {
    torch::Tensor features[kParts];  // [N, F]
    torch::Tensor classes;           // int64 [N]
  };

  /// sum_k w_k t_k over the parts k, [N].
  template <class Term>
  torch::Tensor weighted(const Term& term) const {
    const auto weights = partWeights();
    torch::Tensor total = weights[0] * term(0);
    for (std::size_t part = 1; part < kParts; ++part) total = total + weights[part] * term(part);
    return total;
  }

  /// One pass through the classifier.
  Look look(const torch::Tensor& images) const {
    TapValues taps{{layer_, {}}};
    const auto logits = requireClassifier(classifier_, kName).run(images, &taps);
    const auto& value = taps.at(layer_);
    return {{value.dim() > 2 ? value.flatten(2).mean(2) : value, logits},
            logits.detach().argmax(1)};
  }

  Seen trainingFeatures(const DetectorContext& context) const {
    const torch::NoGradGuard noGrad;
    const std::int64_t total = context.train.size();
    std::vector<torch::Tensor> features[kParts], classes;
    context.task.begin(std::string("fit ") + kName, total, "images");
    for (std::int64_t begin = 0; begin < total; begin += context.batchSize) {
      const std::int64_t end = std::min(begin + context.batchSize, total);
      const auto found = look(toDevice(context.train.range(begin, end), context.device));
      for (std::size_t part = 0; part < kParts; ++part) {
        features[part].push_back(found.features[part].to(torch::kCPU));
        if (torch::isfinite(features[part].back()).all().item<bool>()) continue;
        throw Error::failed("the network is not finite on the training images", kName,
                            "the classifier's training has diverged; train it again");
      }
      classes.push_back(found.classes.to(torch::kCPU));
      context.task.advance(end - begin);
    }
    context.task.end();
    Seen seen;
    for (std::size_t part = 0; part < kParts; ++part)
      seen.features[part] = torch::cat(features[part]);
    seen.classes = torch::cat(classes);
    return seen;
  }

  /// At most `points` of the rows, drawn with the seed, in ascending order.
  torch::Tensor limited(const torch::Tensor& rows, Seed seed) const {
    if (options_.points == 0 || rows.size(0) <= options_.points) return rows;
    return rows.index_select(0, subsetIndices(rows, options_.points, "random", seed));
  }

  /// One machine per class and part; the classes that hardly any image is predicted as share the
  /// last, which describes all training images.
  void fitMachines(const DetectorContext& context, const Seen& seen) {
    const std::int64_t classes = seen.features[1].size(1);
    const Seed seed = context.seed.child("svdd points");
    rows_.clear();
    machineOf_.clear();
    Json counts = Json::array(), without = Json::array();
    for (std::int64_t c = 0; c < classes; ++c) {
      const auto rows = (seen.classes == c).nonzero().squeeze(1).contiguous();
      counts.push_back(rows.size(0));
      if (rows.size(0) < kLeast) {
        machineOf_.push_back(-1);
        without.push_back(c);
        continue;
      }
      machineOf_.push_back(static_cast<std::int64_t>(rows_.size()));
      rows_.push_back(limited(rows, seed.child(static_cast<std::uint64_t>(c))));
    }
    if (!without.empty()) {
      for (auto& machine : machineOf_) {
        if (machine < 0) machine = static_cast<std::int64_t>(rows_.size());
      }
      rows_.push_back(limited(torch::arange(context.train.size()), seed.child("all")));
      context.task.log(LogLevel::Warning,
                       std::to_string(without.size()) + " of " + std::to_string(classes) +
                           " classes are predicted for fewer than " + std::to_string(kLeast) +
                           " training images; svdd judges them by all training images");
    }
    std::vector<torch::Tensor> matrices;
    for (const auto& features : seen.features) {
      for (const auto& rows : rows_) matrices.push_back(features.index_select(0, rows));
    }
    context.task.begin("fit machines of svdd", static_cast<std::int64_t>(matrices.size()),
                       "machines");
    auto machines = OneClassMachine::fit(matrices, options_.machine, context.device, context.task);
    context.task.end();
    Json supports = Json::object();
    for (std::size_t part = 0; part < kParts; ++part) {
      const auto begin = machines.begin() + static_cast<std::ptrdiff_t>(part * rows_.size());
      machines_[part].assign(begin, begin + static_cast<std::ptrdiff_t>(rows_.size()));
      for (const auto& machine : machines_[part]) {
        supports[kPartNames[part]].push_back(machine.supports().size(0));
      }
    }
    facts_["class_images"] = counts;
    facts_["classes_without_machine"] = without;
    facts_["support_vectors"] = supports;
    place(context.device);
  }

  /// Smallest and largest kernel sum of the images that each machine was fitted on.
  void measureRanges(const DetectorContext& context, const Seen& seen) {
    const torch::NoGradGuard noGrad;
    for (std::size_t part = 0; part < kParts; ++part) {
      std::vector<torch::Tensor> found;
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        std::vector<torch::Tensor> sums;
        for (const auto& some : rows_[i].split(context.batchSize)) {
          context.task.checkpoint();
          const auto features = seen.features[part].index_select(0, some).to(context.device);
          sums.push_back(machines_[part][i].kernelSum(features));
        }
        const auto all = torch::cat(sums);
        found.push_back(torch::stack({all.min(), all.max()}));
      }
      ranges_[part] = torch::stack(found);
    }
  }

  void place(const torch::Device& device) {
    machineOfClass_ = torch::tensor(machineOf_, torch::kInt64).to(device);
  }

  /// g of the machine that belongs to each row's class, or its logarithm, [N].
  torch::Tensor kernelSums(std::size_t part, const torch::Tensor& features,
                           const torch::Tensor& classes, bool logarithm = false) const {
    const auto chosen = machineOfClass_.index_select(0, classes);
    std::vector<torch::Tensor> sums, rows;
    for (std::size_t i = 0; i < machines_[part].size(); ++i) {
      const auto mine = (chosen == static_cast<std::int64_t>(i)).nonzero().squeeze(1);
      if (mine.size(0) == 0) continue;
      const auto own = features.index_select(0, mine);
      const auto& machine = machines_[part][i];
      sums.push_back(logarithm ? machine.logKernelSum(own) : machine.kernelSum(own));
      rows.push_back(mine);
    }
    return torch::cat(sums).index_select(0, torch::cat(rows).argsort());
  }

  torch::Tensor starred(std::size_t part, const torch::Tensor& sums,
                        const torch::Tensor& classes) const {
    const auto range = ranges_[part]
                           .to(sums.scalar_type())
                           .index_select(0, machineOfClass_.index_select(0, classes));
    const auto least = range.select(1, 0), most = range.select(1, 1);
    return (sums - least) / (most - least).clamp_min(1e-12);
  }

  torch::Tensor normality(std::size_t part, const Look& seen) const {
    return normal(part, kernelSums(part, seen.features[part], seen.classes), seen.classes);
  }

  /// What the score adds, [N].
  torch::Tensor normal(std::size_t part, const torch::Tensor& sums,
                       const torch::Tensor& classes) const {
    return options_.normalisation == "none" ? sums : starred(part, sums, classes);
  }

  SvddOptions options_;
  Network* classifier_ = nullptr;
  std::string layer_;
  std::vector<OneClassMachine> machines_[kParts];
  torch::Tensor ranges_[kParts];         // [machines, 2]: smallest and largest kernel sum
  std::vector<std::int64_t> machineOf_;  // by class
  torch::Tensor machineOfClass_;         // the same on the device
  std::vector<torch::Tensor> rows_;      // the training images of every machine
  Json facts_ = Json::object();
};

}  // namespace

void addSvdd(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "SVDD per class";
  info.summary = "Per predicted class, one SVDD on a layer's channel means and one on the logits";
  info.reference = "Zhao, Zhang, Dong, You and Wu (uniform framework), section 4";
  info.traits = {"needs classifier"};
  LayerOptions::declare(info.options, "Zhao et al., section 4: the most discriminative layer");
  info.options.number("logit_weight", 0.5, "beta: weight of the logits against the layer")
      .range(0, 1)
      .from("Zhao et al., section 5.1: 0.5 and 0.5")
      .simple();
  info.options
      .choice("normalisation", "train", {"train", "transductive", "none"},
              "What brings both kernel sums to [0, 1]: the class's training images; in the "
              "figures per class also the in and out scores under test; nothing")
      .from(
          "train is ours and leaks nothing; transductive: the code of Zhao et al.; none: the "
          "same for fooling images");
  OneClassOptions::declare(info.options, 0.1, "Zhao et al., footnote 3: 0.1");
  info.options.integer("points", 10000, "At most so many training images per machine; 0: all")
      .range(0, 1e9)
      .in("images")
      .from("not in the paper, whose classes have some 6,000; libsvm's time grows with the square")
      .expert();
  info.options
      .choice(
          "attack_guide", "both", {"both", "score", "log"},
          "What an attack follows: the score with a small share of the logarithms of its kernel "
          "sums, which do not vanish far from the training images; or one of the two alone")
      .from("not in the paper, which attacks no detector")
      .expert();
  info.options
      .integer("map_images", 200,
               "Clean images of each out set, and ten times as many of the in set, whose features "
               "the run lays out class by class for the window; 0: none")
      .range(0, 10000)
      .in("images")
      .from("figures to look at (Zhao et al., figures 2 to 6); no score depends on them")
      .expert();
  registry.add(info, [](const Params& params) {
    SvddOptions options;
    options.layer = LayerOptions::from(params);
    options.machine = OneClassOptions::from(params);
    options.points = params.getInt("points");
    options.logitWeight = params.getNumber("logit_weight");
    options.guide = params.getText("attack_guide");
    options.normalisation = params.getText("normalisation");
    options.mapImages = params.getInt("map_images");
    return std::make_unique<Svdd>(std::move(options));
  });
}

}  // namespace bulwark
