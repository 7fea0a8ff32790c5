#include "core/health/convergence.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/base/text.h"

namespace bulwark {
namespace {

bool isIterative(const AttackFacts& attack) {
  static const std::set<std::string> types = {"pgd", "bim_a", "bim_b", "apgd"};
  return types.contains(attack.type);
}

/// H21, by AUROC in the same cell, at the same norm and radius.
HealthCheck iterativeWins(const HealthThresholds& thresholds, const RunFacts& facts) {
  bool any = false;
  double worst = 0.0;
  std::string detail;
  for (const auto& a : facts.attacks) {
    if (!isIterative(a)) continue;
    for (const auto& b : facts.attacks) {
      if (b.type != "fgsm" || a.threat.norm != b.threat.norm ||
          a.threat.epsilon != b.threat.epsilon) {
        continue;
      }
      for (const auto& many : facts.rows) {
        for (const auto& one : facts.rows) {
          if (many.attack != a.label || one.attack != b.label || many.detector != one.detector ||
              many.out != one.out || many.setting != one.setting || std::isnan(many.auroc)) {
            continue;
          }
          any = true;
          if (many.auroc - one.auroc <= worst) continue;
          worst = many.auroc - one.auroc;
          detail = b.label + " beats " + a.label + " on " + many.detector + ", " + many.out + ", " +
                   many.setting;
        }
      }
    }
  }
  return any ? judged(thresholds, "H21", "", worst, detail)
             : notApplicable("H21", "", "no iterative attack beside FGSM at the same radius");
}

std::size_t restartsOf(const AttackFacts& attack) {
  const auto found = attack.options.find("restarts");
  if (found == attack.options.end() || !found->is_number()) return 1;
  return static_cast<std::size_t>(std::max(1.0, found->get<double>()));
}

/// H24, on the mean over images: per detector, the worst of its attacked sets.
std::vector<HealthCheck> atRest(const HealthThresholds& thresholds, const RunFacts& facts) {
  std::map<std::string, std::pair<double, std::string>> worst;
  for (const auto& set : facts.sets) {
    const auto attack =
        std::find_if(facts.attacks.begin(), facts.attacks.end(),
                     [&](const AttackFacts& a) { return a.label == set.attack && isIterative(a); });
    if (attack == facts.attacks.end()) continue;
    const std::size_t restarts = restartsOf(*attack);
    if (set.trajectory.size() <= 3 * restarts) continue;  // too few steps to come to rest in
    std::vector<double> best = set.trajectory;
    for (double& value : best) value *= set.out ? -1.0 : 1.0;
    const double share = lateRise(best, restarts);
    auto& entry = worst.try_emplace(set.detector, -1.0, "").first->second;
    if (share > entry.first) entry = {share, set.attack + ", " + set.dataset};
  }
  if (worst.empty()) return {notApplicable("H24", "", "no iterative attack")};
  std::vector<HealthCheck> checks;
  for (const auto& [detector, entry] : worst) {
    checks.push_back(judged(thresholds, "H24", detector, entry.first, entry.second));
  }
  return checks;
}

/// H25: the mean best value on the path against the mean value returned.
HealthCheck returnsBest(const HealthThresholds& thresholds, const RunFacts& facts) {
  bool any = false, random = false;
  double worst = 0.0;
  std::string detail;
  const auto others = otherAims(facts);
  for (const auto& set : facts.sets) {
    if (set.trajectory.empty() || set.scores.empty() || others.contains(set.attack)) continue;
    if (facts.randomised.contains(set.detector)) {
      random = true;
      continue;
    }
    any = true;
    const double direction = set.out ? -1.0 : 1.0;
    double seen = -std::numeric_limits<double>::infinity(), mean = 0.0, square = 0.0;
    for (const double value : set.trajectory) seen = std::max(seen, direction * value);
    for (const double score : set.scores) {
      mean += direction * score / static_cast<double>(set.scores.size());
      square += score * score / static_cast<double>(set.scores.size());
    }
    const double spread = std::sqrt(std::max(0.0, square - mean * mean));
    const double lost = (seen - mean) / std::max({std::abs(mean), spread, 1e-12});
    if (lost <= worst) continue;
    worst = lost;
    detail = set.attack + " on " + set.detector + ", " + set.dataset;
  }
  if (any) return judged(thresholds, "H25", "", worst, detail);
  return notApplicable("H25", "",
                       random ? "the score is random: the path has means, the result one draw"
                              : "no attack in steps");
}

std::string kindOf(const std::string& type) {
  static const std::map<std::string, std::string> kinds = {
      {"square", "black box"},     {"random_search", "black box"}, {"simba", "black box"},
      {"noise_uniform", "noise"},  {"noise_gaussian", "noise"},    {"salt_pepper", "noise"},
      {"semantic", "semantic"},    {"cw_l2", "minimum distance"},  {"deepfool", "minimum distance"},
      {"fab", "minimum distance"}, {"fab_t", "minimum distance"},  {"jsma", "minimum distance"},
      {"transfer", "transfer"},    {"autoattack", "ensemble"},     {"a3", "ensemble"},
      {"caa", "ensemble"}};
  const auto found = kinds.find(type);
  return found == kinds.end() ? "gradient of the score" : found->second;
}

/// H35: attacks that fail for the same reason do not check one another.
HealthCheck kindsDiffer(const HealthThresholds& thresholds, const RunFacts& facts) {
  std::set<std::string> kinds;
  for (const auto& attack : facts.attacks) kinds.insert(kindOf(attack.type));
  if (facts.attacks.size() < 2) {
    return notApplicable("H35", "", "fewer than two attacks; a full check adds others");
  }
  const bool one = kinds.size() == 1 && *kinds.begin() != "ensemble";
  return judged(thresholds, "H35", "", one,
                one ? "all attacks: " + *kinds.begin() + "; add a black box or an ensemble" : "");
}

/// Stops an attack at the first points it evaluates.
struct FirstPoints {
  torch::Tensor images;
};

class FirstPointsObjective : public Objective {
 public:
  Values evaluate(const torch::Tensor& images, const torch::Tensor&) override {
    throw FirstPoints{images.detach().clone()};
  }
};

/// The points at which the attack begins on `images`; undefined where it begins at the images
/// themselves or asks for more than a score.
torch::Tensor firstPoints(const Attack& attack, const torch::Tensor& images, Seed seed) {
  Task task;
  const AttackContext context{.batchSize = images.size(0),
                              .seed = seed,
                              .task = task,
                              .clean = torch::zeros({images.size(0)}, torch::kFloat64),
                              .thresholds = {1.0}};
  FirstPointsObjective objective;
  try {
    attack.perturb(objective, images, context);
  } catch (const FirstPoints& first) {
    if (first.images.sizes() == images.sizes() && !torch::equal(first.images, images)) {
      return first.images;
    }
  } catch (const std::exception&) {  // an attack on class logits does not begin without them
  }
  return {};
}

/// Pairs of equal points at which the attack begins on four copies of `image`; 0 where chance has
/// no part in them, as in the negative image: they are the same for another seed.
int equalStarts(const Attack& attack, const torch::Tensor& image, Seed seed) {
  constexpr std::int64_t kCopies = 4;
  const auto images = image.expand({kCopies, -1, -1, -1}).contiguous();
  const auto points = firstPoints(attack, images, seed);
  if (!points.defined()) return 0;
  int equal = 0;
  for (std::int64_t i = 0; i < kCopies; ++i) {
    for (std::int64_t j = 0; j < i; ++j) equal += torch::equal(points[i], points[j]);
  }
  if (equal == 0) return 0;
  const auto others = firstPoints(attack, images, seed.child("another"));
  return others.defined() && torch::equal(others, points) ? 0 : equal;
}

/// Whether the global generator is in the same state after scoring, whatever it was before.
bool reseeds(const Target& target) {
  auto generator = at::detail::getDefaultCPUGenerator();
  const auto kept = generator.get_state().clone();
  const auto after = [&](std::uint64_t seed) {
    generator.set_current_seed(seed);
    const torch::NoGradGuard noGrad;
    target.detector.score(target.images);
    return generator.get_state().clone();
  };
  const bool same = torch::equal(after(1), after(2));
  generator.set_state(kept);
  return same;
}

class Linear : public Objective {
 public:
  explicit Linear(torch::Tensor weights) : weights_(std::move(weights)) {}
  Values evaluate(const torch::Tensor& images, const torch::Tensor&) override {
    const auto value = (images.to(torch::kFloat64) * weights_).flatten(1).sum(1);
    return {value, value.detach()};
  }

 private:
  torch::Tensor weights_;
};

}  // namespace

std::size_t lateSteps(std::size_t steps) {
  return std::min<std::size_t>(10, std::max<std::size_t>(1, steps / 2));
}

double lateRise(const std::vector<double>& best, std::size_t restarts) {
  if (best.size() < 2) return 0.0;
  const std::size_t all = best.size() - 1;
  const std::size_t steps = restarts > 0 && all % restarts == 0 ? all / restarts : all;
  double worst = 0.0;
  for (std::size_t end = steps; end <= all; end += steps) {
    const double rise = best[end] - best.front();
    if (!(rise > 0.0)) continue;
    worst = std::max(worst, (best[end] - best[end - lateSteps(steps)]) / rise);
  }
  return worst;
}

std::vector<HealthCheck> checkConvergence(const HealthThresholds& thresholds,
                                          const RunFacts& facts) {
  std::vector<HealthCheck> checks = {iterativeWins(thresholds, facts)};
  for (auto& check : atRest(thresholds, facts)) checks.push_back(std::move(check));
  checks.push_back(returnsBest(thresholds, facts));
  checks.push_back(kindsDiffer(thresholds, facts));
  return checks;
}

HealthCheck checkStarts(const HealthThresholds& thresholds, const Target& target,
                        const std::vector<const Attack*>& attacks, Seed seed) {
  const auto image = target.images.narrow(0, 0, 1).to(torch::kCPU);
  int equal = 0;
  for (const auto* attack : attacks) equal += equalStarts(*attack, image, seed);
  std::string detail;
  if (equal > 0) detail = "starting points repeat";
  const bool reseeded = reseeds(target);
  if (reseeded) detail = "scoring reseeds the global generator";
  if (attacks.empty() && !reseeded) {
    return notApplicable("H26", target.label, "nothing was attacked");
  }
  return judged(thresholds, "H26", target.label, equal + reseeded, detail);
}

HealthCheck checkLinear(const HealthThresholds& thresholds, const std::string& subject,
                        const Attack& attack, Seed seed, Task& task) {
  const auto threat = attack.threat();
  if (threat.norm == Norm::None) return notApplicable("H32", subject, "the attack has no ball");
  if (!(threat.epsilon > 0.0) || threat.epsilon > 0.3) {
    return notApplicable("H32", subject, "the radius is 0 or above 0.3");
  }
  constexpr std::int64_t kCount = 4;
  Random random(seed);
  const auto images = torch::empty({kCount, 1, 8, 8}, torch::kFloat32);
  const auto weights = torch::empty({1, 1, 8, 8}, torch::kFloat64);
  for (std::int64_t i = 0; i < images.numel(); ++i) {
    images.data_ptr<float>()[i] = static_cast<float>(0.3 + 0.4 * random.uniform());
  }
  for (std::int64_t i = 0; i < weights.numel(); ++i) {
    const double size = 0.1 + random.uniform();
    weights.data_ptr<double>()[i] = random.below(2) == 0 ? size : -size;
  }
  Linear objective(weights);
  const auto clean = objective.judge(images, {});
  const AttackContext context{
      .batchSize = kCount, .seed = seed, .task = task, .clean = clean, .thresholds = {1e9}};
  AttackResult result;
  try {
    result = attack.perturb(objective, images, context);
  } catch (const Error& error) {
    if (error.kind() == Error::Kind::Cancelled) throw;
    return notApplicable("H32", subject, "the attack needs more than a score");
  }
  if (result.distances.defined()) {
    return notApplicable("H32", subject, "the attack looks for the nearest crossing");
  }
  const double length = threat.norm == Norm::Linf ? weights.abs().sum().item<double>()
                                                  : weights.norm().item<double>();
  const double gain = threat.epsilon * length;
  const double shortfall = ((clean + gain - result.values).max() / gain).item<double>();
  return judged(thresholds, "H32", subject, std::max(0.0, shortfall));
}

}  // namespace bulwark
