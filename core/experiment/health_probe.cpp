#include "core/experiment/health_probe.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "core/base/text.h"
#include "core/experiment/health.h"
#include "core/health/consistency.h"
#include "core/health/landscape.h"
#include "core/health/other_aim.h"
#include "core/nn/device.h"
#include "core/training/recipe.h"

namespace bulwark {
namespace {

constexpr std::int64_t kTwinImages = 2000;
constexpr std::int64_t kTwinEpochs = 3;

/// `count` positions spread evenly over a set of `size`.
torch::Tensor spreadPositions(std::int64_t count, std::int64_t size) {
  std::vector<std::int64_t> positions;
  count = std::min(count, size);
  for (std::int64_t i = 0; i < count; ++i) positions.push_back(i * size / count);
  return torch::tensor(positions, torch::kInt64);
}

/// Those of the attacks of whose ball convergence can be judged: of the radii at which any score
/// breaks there is nothing to learn. All that have a ball, if there are no others.
std::vector<AttackFacts> usualRadii(const std::vector<AttackFacts>& attacks) {
  std::vector<AttackFacts> balls, usual;
  for (const auto& attack : attacks) {
    if (attack.threat.norm == Norm::None) continue;
    balls.push_back(attack);
    const bool anything = attack.threat.norm == Norm::Linf && attack.threat.epsilon >= 0.5;
    if (!anything) usual.push_back(attack);
  }
  return usual.empty() ? balls : usual;
}

/// Gradients per image; 0 for an attack that does not follow the score's gradient for its own sake
/// or gives its last point away instead of the best.
double effortOf(const AttackFacts& attack) {
  static const std::set<std::string> types = {"pgd", "apgd", "bim_a", "bim_b", "fgsm"};
  if (!types.contains(attack.type) || !followsJudge(attack)) return 0.0;
  if (attack.options.value("keep", std::string("best")) == "last") return 0.0;
  if (followsCost(attack.type, attack.options)) return 0.0;
  return attack.options.value("steps", 1.0) * attack.options.value("restarts", 1.0);
}

}  // namespace

AttackFacts attackToExamine(const std::vector<AttackFacts>& attacks, const Registries& registries) {
  const auto candidates = usualRadii(attacks);
  const auto most = std::max_element(
      candidates.begin(), candidates.end(),
      // Of as thorough ones that with the largest radius, at which an attack fails last.
      [](const AttackFacts& a, const AttackFacts& b) {
        return std::pair(effortOf(a), a.threat.epsilon) < std::pair(effortOf(b), b.threat.epsilon);
      });
  if (most != candidates.end() && effortOf(*most) > 0.0) return *most;
  AttackFacts plain{.label = "pgd", .type = "pgd"};
  Json changes = Json::object();
  if (!candidates.empty()) {
    const ThreatModel threat = candidates.back().threat;
    changes = {{"eps", threat.epsilon}, {"norm", threat.norm == Norm::L2 ? "l2" : "linf"}};
  }
  plain.options = Params(registries.attacks.info("pgd").options, changes, "health").values();
  plain.threat = registries.attacks.make("pgd", plain.options, "health")->threat();
  return plain;
}

struct FullHealth::Impl {
  const Specification& specification;
  const Registries& registries;
  const ExperimentData& data;
  Network* classifier;
  torch::Device device;
  Seed seed;
  Task& task;
  AttackFacts attack;
  torch::Tensor in, inLabels, out;
  std::unique_ptr<Network> plainNetwork;  // H34, where the run's own is defended
  std::unique_ptr<Detector> twin;

  bool trainsAutoencoder() const {
    const auto& traits = registries.recipes.info(specification.recipe.type).traits;
    return std::find(traits.begin(), traits.end(), "needs an autoencoder") != traits.end();
  }
  /// The recipe without a defence that trains such a network.
  std::string plainRecipe() const { return trainsAutoencoder() ? "autoencoder" : "standard"; }
  bool defended() const { return specification.recipe.type != plainRecipe(); }

  std::unique_ptr<Detector> scoreOf(const std::string& type, Network& network) const {
    auto detector = registries.detectors.make(type, Json::object(), "health");
    detector->fit({.classifier = &network,
                   .train = *data.train,
                   .device = device,
                   .batchSize = specification.evaluation.batchSize,
                   .seed = seed.child(type),
                   .task = task});
    return detector;
  }

  /// Trains a small plain classifier unless the run's own is one.
  Detector* undefended() {
    if (!classifier) return nullptr;
    if (twin) return twin.get();
    Network* network = classifier;
    if (defended()) {
      const auto shape = classifier->shape();
      plainNetwork = registries.networks.make(
          specification.network.type, specification.network.options, "classifier.network", shape);
      plainNetwork->initialise(seed.child("twin"));
      const auto rows = spreadPositions(kTwinImages, data.train->size());
      const TensorImageSet train("twin", data.train->images(rows),
                                 data.train->labels().index_select(0, rows),
                                 data.train->classNames());
      FitContext context{.network = *plainNetwork,
                         .train = train,
                         .device = device,
                         .seed = seed.child("twin training"),
                         .task = task};
      Json options = {{"epochs", kTwinEpochs}};
      if (trainsAutoencoder()) options["pretraining_epochs"] = 0;
      registries.recipes.make(plainRecipe(), options, "health")->fit(context);
      plainNetwork->to(device);
      plainNetwork->freeze();
      network = plainNetwork.get();
    }
    twin = scoreOf("msp", *network);
    return twin.get();
  }

  ProbeSetting setting(const FittedDetector& fitted) const {
    const bool reads = fitted.detector->traits().needsClassifier;
    return {.detector = *fitted.detector,
            .label = fitted.label,
            .registries = registries,
            .in = in,
            .out = out,
            .inLabels = inLabels,
            .reference = attack,
            .classifier = reads ? classifier : nullptr,
            .ofRun = fitted.label == specification.detectors.front().label,
            .features = classifier,
            .device = device,
            .batchSize = specification.evaluation.batchSize};
  }

  /// What to transfer from: the plain softmax score, or the energy for that score itself.
  std::string surrogateType(const FittedDetector& fitted) const {
    for (const auto& request : specification.detectors) {
      if (request.label != fitted.label || request.type != "msp") continue;
      const auto plain = registries.detectors.info("msp").options;
      return Params(plain, request.options, "health").changed().empty() ? "energy" : "msp";
    }
    return "msp";
  }
};

FullHealth::FullHealth(const Specification& specification, const Registries& registries,
                       const ExperimentData& data, Network* classifier,
                       const std::vector<NamedAttack>& attacks, const torch::Device& device,
                       Seed seed, Task& task)
    : impl_(new Impl{specification,
                     registries,
                     data,
                     classifier,
                     device,
                     seed.child("health probes"),
                     task,
                     attackToExamine(attackFacts(specification, attacks), registries),
                     {},
                     {},
                     {},
                     nullptr,
                     nullptr}) {
  const std::int64_t count = specification.evaluation.healthImages;
  const auto rows = spreadPositions(count, data.in.set->size());
  impl_->in = data.in.set->images(rows);
  impl_->inLabels = data.in.set->labels().index_select(0, rows);
  std::vector<torch::Tensor> outs;
  const auto sets = static_cast<std::int64_t>(data.outs.size());
  for (const auto& out : data.outs) {
    outs.push_back(out.set->images(spreadPositions((count + sets - 1) / sets, out.set->size())));
  }
  impl_->out = torch::cat(outs);
}

FullHealth::~FullHealth() = default;

std::string FullHealth::Cost::text() const {
  const std::string digits = formatFixed(std::ceil(passes), 0);
  std::string count;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) count += ',';
    count += digits[i];
  }
  return "up to " + count + " passes of one image, about " +
         formatFixed(std::max(1.0, seconds), 0) + " s";
}

FullHealth::Cost FullHealth::cost(const FittedDetector& fitted) {
  auto setting = impl_->setting(fitted);
  // Only whether there are such counts for the estimate.
  if (impl_->classifier) setting.surrogate = setting.twin = fitted.detector.get();
  Cost cost{probePasses(setting), 0};
  if (impl_->classifier && setting.ofRun && impl_->defended() && !impl_->twin) {
    cost.passes +=
        static_cast<double>(2 * kTwinEpochs * std::min(kTwinImages, impl_->data.train->size()));
  }
  const auto rows = std::min(setting.batchSize, setting.in.size(0));
  const auto images = toDevice(setting.in.narrow(0, 0, rows), impl_->device);
  const auto pass = [&] {
    if (const auto gradient = guideGradient(*fitted.detector, images)) {
      gradient->sum().item<double>();  // waits for the device
    }
  };
  pass();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) pass();
  const double taken =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  cost.seconds = cost.passes * taken / static_cast<double>(3 * 2 * rows);
  return cost;
}

HealthReport FullHealth::examine(const FittedDetector& fitted) {
  auto& impl = *impl_;
  const HealthThresholds thresholds(impl.specification.evaluation.healthThresholds);
  auto setting = impl.setting(fitted);
  std::unique_ptr<Detector> surrogate;
  if (impl.classifier) {
    setting.surrogateName = impl.surrogateType(fitted);
    surrogate = impl.scoreOf(setting.surrogateName, *impl.classifier);
    setting.surrogate = surrogate.get();
    if (setting.ofRun) setting.twin = impl.undefended();
  }
  return probe(thresholds, setting, impl.seed.child(fitted.label), impl.task);
}

}  // namespace bulwark
