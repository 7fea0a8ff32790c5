#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "core/base/error.h"
#include "core/detectors/builtin.h"
#include "core/detectors/features.h"
#include "core/params/layer_option.h"

namespace bulwark {
namespace {

constexpr const char* kName = "knn";
/// Entries of the query-times-bank matrix that is held at once (256 MiB of float32).
constexpr std::int64_t kBlock = std::int64_t{1} << 26;

struct KnnOptions {
  std::string tap, tapPath, kPath;
  std::int64_t k = 50;
  std::int64_t bank = 50000;
  bool normalise = true;
};

/// Deep nearest neighbours (Sun et al., ICML 2022, section 3):
///   s(x) = || z(x) - z_(k) ||,   z = f / ||f||,
/// the distance to the k-th nearest training feature.
///
/// The neighbour is found without a graph and only the distance to it is differentiated: almost
/// everywhere that is the gradient of the score, without autograd through an N x M matrix.
class Knn : public Detector {
 public:
  explicit Knn(KnnOptions options) : options_(std::move(options)) {}

  DetectorTraits traits() const override { return {}; }

  void fit(const DetectorContext& context) override {
    requireTap(requireClassifier(context.classifier, kName), options_.tap, options_.tapPath);
    const auto rows = bankRows(context);
    requireNeighbours(rows.size(0));
    std::vector<torch::Tensor> parts;
    streamFeatures(context, options_.tap, std::string("fit ") + kName, rows,
                   [&](const torch::Tensor& features, const torch::Tensor& /*labels*/) {
                     parts.push_back(embed(features));
                   });
    setBank(torch::cat(parts));
    classifier_ = context.classifier;
  }

  torch::Tensor score(const torch::Tensor& images) override {
    const auto queries = embed(features(images));
    const auto neighbour = bank_.index_select(0, neighbourOf(queries.detach()));
    // Clamped: the root has no gradient at zero, where an image meets itself in the bank.
    return (queries - neighbour).square().sum(1).clamp_min(1e-12).sqrt();
  }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    file.tensors["knn.bank"] = bank_.to(torch::kCPU).contiguous();
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& device) override {
    requireDetector(file, kName);
    requireTap(requireClassifier(classifier, kName), options_.tap, options_.tapPath);
    const auto& bank = file.require("knn.bank", {-1, -1}, kName);
    requireNeighbours(bank.size(0));
    setBank(bank.to(device));
    classifier_ = classifier;
  }

  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    return {{"features", features(images)}};
  }

 private:
  /// All training images, or a subset drawn with the seed, in ascending order.
  torch::Tensor bankRows(const DetectorContext& context) const {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(context.train.size()));
    std::iota(rows.begin(), rows.end(), 0);
    if (options_.bank > 0 && options_.bank < context.train.size()) {
      Random random(context.seed.child("knn bank"));
      random.shuffle(rows);
      rows.resize(static_cast<std::size_t>(options_.bank));
      std::sort(rows.begin(), rows.end());
    }
    return torch::tensor(rows, torch::kInt64);
  }

  void requireNeighbours(std::int64_t available) const {
    if (options_.k <= available) return;
    throw Error::badInput("k is " + std::to_string(options_.k) + ", but the bank holds " +
                              std::to_string(available) + " training images",
                          options_.kPath, "lower k, or raise train_limit or bank");
  }

  void setBank(const torch::Tensor& bank) {
    bank_ = bank;
    squares_ = bank_.square().sum(1);
  }

  torch::Tensor features(const torch::Tensor& images) const {
    return tapFeatures(requireClassifier(classifier_, kName), images, options_.tap);
  }

  torch::Tensor embed(const torch::Tensor& features) const {
    if (!options_.normalise) return features;
    return features / features.square().sum(1, true).sqrt().clamp_min(1e-12);
  }

  /// int64 [N]: row in the bank of the k-th nearest feature.
  torch::Tensor neighbourOf(const torch::Tensor& queries) const {
    const torch::NoGradGuard noGrad;
    const std::int64_t chunk = std::max<std::int64_t>(1, kBlock / bank_.size(0));
    std::vector<torch::Tensor> found;
    for (const auto& part : queries.split(chunk)) {
      // ||z - b||^2 without ||z||^2, which is the same for all neighbours.
      const auto distances = torch::addmm(squares_, part, bank_.t(), 1, -2);
      const auto nearest = distances.topk(options_.k, 1, /*largest=*/false, /*sorted=*/true);
      found.push_back(std::get<1>(nearest).select(1, options_.k - 1));
    }
    return torch::cat(found);
  }

  KnnOptions options_;
  Network* classifier_ = nullptr;
  torch::Tensor bank_;     // [M, F]
  torch::Tensor squares_;  // [M]
};

}  // namespace

void addKnn(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "k nearest neighbours";
  info.summary = "Distance to the k-th nearest training feature";
  info.reference = "Sun et al., ICML 2022";
  info.traits = {"needs classifier"};
  info.options.integer("k", 50, "Which neighbour's distance is the score")
      .range(1, 1000000)
      .from("Sun et al. 2022, section 4.1: k = 50 on CIFAR-10")
      .simple();
  namesLayers(info.options.text("tap", "features", "Layer whose features are compared"), {kLogits})
      .from("Sun et al. 2022, section 3: the penultimate layer");
  info.options.boolean("normalise", true, "Bring features to length 1 before comparing")
      .from("Sun et al. 2022, section 4.2");
  info.options.integer("bank", 50000, "At most so many training images, a seeded subset; 0: all")
      .range(0, 1e9)
      .in("images")
      .from("Sun et al. 2022: all of CIFAR-10's 50,000")
      .expert();
  registry.add(info, [](const Params& params) {
    KnnOptions options;
    options.k = params.getInt("k");
    options.kPath = params.pathOf("k");
    options.tap = params.getText("tap");
    options.tapPath = params.pathOf("tap");
    options.normalise = params.getBool("normalise");
    options.bank = params.getInt("bank");
    return std::make_unique<Knn>(options);
  });
}

}  // namespace bulwark
