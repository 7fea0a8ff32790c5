#pragma once

#include <QByteArray>
#include <QString>
#include <QStringList>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/attacks/attack.h"
#include "core/health/convergence.h"
#include "core/health/probes.h"
#include "core/nn/network.h"
#include "core/training/recipe.h"

/// Scores with planted faults, and what examines them.
namespace planted {

using namespace bulwark;

using Score = std::function<torch::Tensor(const torch::Tensor&)>;

class Made : public Detector {
 public:
  explicit Made(Score score) : score_(std::move(score)) {}
  DetectorTraits traits() const override { return {.needsClassifier = false}; }
  void fit(const DetectorContext&) override {}
  torch::Tensor score(const torch::Tensor& images) override { return score_(images); }
  void save(TensorFile&) const override {}
  void load(const TensorFile&, Network*, const torch::Device&) override {}

 private:
  Score score_;
};

constexpr std::int64_t kCount = 64;

/// In images are dark, out images are bright; the last is brighter than all others.
inline torch::Tensor imagesAround(double level, std::uint64_t seed) {
  Random random{Seed(seed)};
  auto images = torch::empty({kCount, 1, 6, 6}, torch::kFloat32);
  for (std::int64_t i = 0; i < kCount; ++i) {
    const double own = level + 0.2 * (random.uniform() - 0.5);
    for (std::int64_t p = 0; p < 36; ++p) {
      images[i].view({36})[p] = own + 0.2 * (random.uniform() - 0.5);
    }
  }
  return images;
}

/// A smooth score: a fixed small tanh network.
inline torch::Tensor smooth(const torch::Tensor& images) {
  Random random{Seed(5)};
  auto weights = torch::empty({36, 8}, torch::kFloat32);
  for (std::int64_t i = 0; i < weights.numel(); ++i) {
    weights.data_ptr<float>()[i] = static_cast<float>(random.normal() * 0.3);
  }
  const auto flat = images.flatten(1);
  return 4.0 * flat.mean(1) + torch::tanh(flat.matmul(weights)).mean(1);
}

/// Linear layer, batch norm, softsign, dropout, logits.
class NormedNet : public Network {
 public:
  NormedNet() : Network({1, 6, 6, 3}) {
    registerNormalisation();
    linear_ =
        register_module("linear", torch::nn::Linear(torch::nn::LinearOptions(36, 12).bias(false)));
    norm_ = register_module("norm", torch::nn::BatchNorm1d(12));
    dropout_ = register_module("dropout", torch::nn::Dropout(0.5));
    head_ = register_module("head", torch::nn::Linear(12, 3));
  }
  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    prepare(taps);
    // Not tanh: its tails would lose their gradients far from the data.
    const auto sums = norm_(linear_(normalise(images).flatten(1)));
    const auto hidden = sums / (1.0 + sums.abs());
    keep(taps, "features", hidden);
    return head_(dropout_(hidden));
  }
  std::vector<std::string> taps() const override { return {"features"}; }
  torch::nn::Linear linear_{nullptr}, head_{nullptr};
  torch::nn::BatchNorm1d norm_{nullptr};
  torch::nn::Dropout dropout_{nullptr};
};

/// Three classes of images [n, 1, 6, 6]: dark, grey and bright.
inline std::shared_ptr<TensorImageSet> shades(std::int64_t count, std::uint64_t seed) {
  Random random{Seed(seed)};
  auto images = torch::empty({count, 1, 6, 6}, torch::kFloat32);
  auto labels = torch::empty({count}, torch::kInt64);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::int64_t>(random.below(3));
    labels[i] = label;
    for (std::int64_t p = 0; p < 36; ++p) {
      images.data_ptr<float>()[36 * i + p] =
          static_cast<float>(0.1 + 0.3 * static_cast<double>(label) + 0.2 * random.uniform());
    }
  }
  return std::make_shared<TensorImageSet>("shades", images, labels,
                                          std::vector<std::string>{"dark", "grey", "bright"});
}

/// A small network fitted to `train` by a recipe of the program.
inline std::shared_ptr<NormedNet> trained(const TensorImageSet& train, const std::string& recipe,
                                          const Json& options) {
  torch::manual_seed(3);
  auto network = std::make_shared<NormedNet>();
  Registries registries;
  registerRecipes(registries.recipes);
  Task task;
  FitContext context{.network = *network, .train = train, .seed = Seed(9), .task = task};
  registries.recipes.make(recipe, options, recipe)->fit(context);
  return network;
}

inline QString lights(const std::vector<HealthCheck>& checks) {
  QStringList found;
  for (const auto& check : checks) {
    const auto id = QString::fromStdString(check.id);
    const bool lit = check.verdict == Verdict::Red || check.verdict == Verdict::Amber;
    if (lit && !found.contains(id)) found << id;
  }
  return found.join(' ');
}

inline QByteArray told(const std::vector<HealthCheck>& checks) {
  std::string text;
  for (const auto& check : checks) {
    text += check.name() + " " + toString(check.verdict) + " " + std::to_string(check.value) + " " +
            check.detail + "\n";
  }
  return QByteArray::fromStdString(text);
}

inline std::vector<double> toVector(const torch::Tensor& values) {
  const auto flat = values.detach().to(torch::kFloat64).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

/// C.2 and H26 of a score.
inline std::vector<HealthCheck> examine(Detector& detector, Network* network = nullptr) {
  const torch::NoGradGuard noGrad;
  const auto in = imagesAround(0.3, 1), out = imagesAround(0.6, 2);
  Target target{.detector = detector, .label = "made", .classifier = network, .images = in};
  for (const auto& images : {in, out}) {
    const auto scores = toVector(detector.score(images));
    target.scores.insert(target.scores.end(), scores.begin(), scores.end());
  }
  Task task;
  auto checks = checkTarget(HealthThresholds(), target, Seed(3), task).checks;
  checks.push_back(checkStarts(HealthThresholds(), target, {}, Seed(4)));
  return checks;
}

class Lab {
 public:
  Lab() { registerAttacks(registries.attacks); }
  ProbeSetting setting(Detector& detector, const Json& options) {
    AttackFacts pgd{.label = "pgd", .type = "pgd"};
    pgd.options = Params(registries.attacks.info("pgd").options, options, "pgd").values();
    pgd.threat = registries.attacks.make("pgd", pgd.options, "pgd")->threat();
    return {.detector = detector,
            .label = "made",
            .registries = registries,
            .in = imagesAround(0.3, 1).narrow(0, 0, 24),
            .out = imagesAround(0.6, 2).narrow(0, 0, 24),
            .inLabels = {},
            .reference = pgd,
            .budget = {.draws = 300, .noiseImages = 4, .restarts = 4, .squareQueries = 150}};
  }
  Registries registries;
};

}  // namespace planted
