#include "core/experiment/health.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "core/base/error.h"
#include "core/detectors/detector_objective.h"
#include "core/health/convergence.h"
#include "core/health/other_aim.h"
#include "core/health/probes.h"
#include "core/health/target.h"
#include "core/metrics/roc.h"
#include "core/nn/device.h"
#include "core/nn/network.h"

namespace bulwark {
namespace {

constexpr std::int64_t kImages = 64;

/// All steps of a short walk, else about two hundred of them, closer together at the beginning: the
/// whole trajectory is kept with the scores.
std::vector<std::size_t> stepsToShow(std::size_t count) {
  constexpr double kMost = 200;
  std::vector<std::size_t> steps = {0};
  const double last = static_cast<double>(count - 1);
  for (double k = 1; k <= kMost; ++k) {
    const auto step = static_cast<std::size_t>(
        last <= kMost ? std::min(k, last) : std::lround(std::pow(last, k / kMost)));
    if (step > steps.back()) steps.push_back(step);
  }
  return steps;
}

/// The mean best score per step of every attacked set.
std::vector<HealthSeries> bestScores(const std::vector<ScoreSet>& sets) {
  std::vector<HealthSeries> all;
  for (const auto& set : sets) {
    if (set.trajectory.size() < 3) continue;
    HealthSeries series{
        .kind = "best_score", .detector = set.detector, .attack = set.attack, .set = set.dataset};
    for (const auto step : stepsToShow(set.trajectory.size())) {
      series.x.push_back(static_cast<double>(step));
      series.y.push_back(set.trajectory[step]);
    }
    all.push_back(std::move(series));
  }
  return all;
}

class Mean : public Objective {
 public:
  Values evaluate(const torch::Tensor& images, const torch::Tensor&) override {
    const auto value = images.flatten(1).mean(1);
    return {value, value.detach()};
  }
};

/// H8 of an attack; nothing where it has no radius.
std::optional<HealthCheck> zeroRadius(const HealthThresholds& thresholds, const AttackFacts& facts,
                                      const Registries& registries, Objective& objective,
                                      const torch::Tensor& images, const AttackContext& context) {
  if (!facts.options.contains("eps") || facts.threat.norm == Norm::None) return std::nullopt;
  if (followsCost(facts.type, facts.options)) {
    return notApplicable("H8", facts.label, "it follows a cost of the classifier, not the score");
  }
  Json options = facts.options;
  options["eps"] = 0;
  try {
    const auto attack = registries.attacks.make(facts.type, options, "health");
    return checkZeroRadius(thresholds, facts.label, *attack, objective, images, context);
  } catch (const Error& error) {
    if (error.kind() == Error::Kind::Cancelled) throw;
    return notApplicable("H8", facts.label, error.problem());
  }
}

/// H8 of every attack that has a radius, on a score that is no detector's.
std::vector<HealthCheck> zeroRadii(const HealthThresholds& thresholds,
                                   const std::vector<AttackFacts>& attacks,
                                   const Registries& registries, Seed seed, Task& task) {
  constexpr std::int64_t kCount = 4;
  std::vector<HealthCheck> checks;
  const auto images = torch::linspace(0, 1, kCount * 64).reshape({kCount, 1, 8, 8}).contiguous();
  Mean objective;
  const auto clean = objective.judge(images, {}).to(torch::kFloat64);
  const AttackContext context{
      .batchSize = kCount, .seed = seed, .task = task, .clean = clean, .thresholds = {1e9}};
  for (const auto& facts : attacks) {
    if (auto check = zeroRadius(thresholds, facts, registries, objective, images, context)) {
      checks.push_back(std::move(*check));
    }
  }
  return checks;
}

/// H8 of a detector of the run under all its attacks, the worst of them; the attacks compute the
/// clean scores for themselves.
HealthCheck zeroRadiusOn(const HealthThresholds& thresholds, const FittedDetector& fitted,
                         const std::vector<AttackFacts>& attacks, const Registries& registries,
                         const torch::Tensor& images, const torch::Device& device, Seed seed,
                         Task& task) {
  if (fitted.detector->traits().randomised) {
    return notApplicable("H8", fitted.label, "the score is random");
  }
  DetectorObjective objective(*fitted.detector, 1);
  const AttackContext context{.device = device,
                              .batchSize = images.size(0),
                              .seed = seed,
                              .task = task,
                              .thresholds = {1e9}};
  std::optional<HealthCheck> worst;
  for (const auto& facts : attacks) {
    auto check = zeroRadius(thresholds, facts, registries, objective, images, context);
    if (!check || check->verdict == Verdict::NotApplicable) continue;
    if (worst && !(check->value > worst->value)) continue;
    check->subject = fitted.label;
    check->detail = facts.label;
    worst = std::move(check);
  }
  return worst ? *worst : notApplicable("H8", fitted.label, "no attack on a score has a radius");
}

/// H9 per detector and attack, over the pooled out sets.
std::vector<HealthCheck> roundTrips(const HealthThresholds& thresholds,
                                    const CellEvaluator& cells) {
  std::map<std::pair<std::string, std::string>, CellAudit> in, out;
  for (const auto& trip : cells.audits()) {
    auto& all = (trip.out ? out : in)[{trip.detector, trip.attack}];
    for (const auto& [from, to] :
         {std::pair{&trip.clean, &all.clean}, std::pair{&trip.attacked, &all.attacked},
          std::pair{&trip.rounded, &all.rounded}}) {
      to->insert(to->end(), from->begin(), from->end());
    }
  }
  std::vector<HealthCheck> checks;
  for (const auto& [key, low] : in) {
    const auto high = out.find(key);
    if (high == out.end()) continue;
    checks.push_back(checkRoundTrip(
        thresholds, key.second + " on " + key.first, auroc(low.clean, high->second.clean),
        auroc(low.attacked, high->second.attacked), auroc(low.rounded, high->second.rounded)));
  }
  return checks;
}

/// Whether the gradients of an attack are those of another score.
bool followsAnother(const Specification& specification, const std::string& label) {
  return std::any_of(
      specification.attacks.begin(), specification.attacks.end(), [&](const auto& request) {
        return request.label == label &&
               (request.type == "transfer" || followsCost(request.type, request.options));
      });
}

}  // namespace

std::vector<AttackFacts> attackFacts(const Specification& specification,
                                     const std::vector<NamedAttack>& attacks) {
  std::vector<AttackFacts> facts;
  // Joint attacks have no cells and are not among `attacks`.
  for (const auto& request : specification.attacks) {
    for (const auto& attack : attacks) {
      if (attack.label != request.label) continue;
      facts.push_back({request.label, request.type, request.options, attack.attack->threat()});
    }
  }
  return facts;
}

HealthReport examineDetector(const Specification& specification, const FittedDetector& fitted,
                             const std::vector<NamedAttack>& attacks, const Registries& registries,
                             const ExperimentData& data, Network* classifier,
                             const CellEvaluator& cells, const torch::Device& device, Seed seed,
                             Task& task) {
  const HealthThresholds thresholds(specification.evaluation.healthThresholds);
  const std::int64_t batch = specification.evaluation.batchSize;
  const std::int64_t count = std::min({kImages, data.in.set->size(), batch});
  const bool uses = fitted.detector->traits().needsClassifier;
  Target target{.detector = *fitted.detector,
                .label = fitted.label,
                .classifier = uses ? classifier : nullptr,
                .images = toDevice(data.in.set->range(0, count), device),
                .scores = {}};
  for (const auto& out : data.outs) {
    const std::int64_t few = std::min({kImages, out.set->size(), batch});
    target.outs.emplace_back(out.name, toDevice(out.set->range(0, few), device));
  }
  for (const auto& audit : cells.audits()) {
    if (audit.detector != fitted.label || followsAnother(specification, audit.attack)) continue;
    target.zeroGradients.emplace_back(audit.attack + " on " + audit.dataset, audit.zeroGradient);
  }
  for (const auto& set : cells.scores().sets()) {
    if (set.detector != fitted.label || !set.attack.empty()) continue;
    target.scores.insert(target.scores.end(), set.scores.begin(), set.scores.end());
  }
  const Seed own = seed.child("health").child(fitted.label);
  auto report = checkTarget(thresholds, target, own, task);
  std::vector<const Attack*> all;
  for (const auto& attack : attacks) all.push_back(attack.attack.get());
  report.checks.push_back(checkStarts(thresholds, target, all, own.child("starts")));
  const auto few = data.in.set->range(0, std::min<std::int64_t>(4, count));
  report.checks.push_back(zeroRadiusOn(thresholds, fitted, attackFacts(specification, attacks),
                                       registries, few, device, own.child("zero"), task));
  return report;
}

HealthReport examineResults(const Specification& specification, const CellEvaluator& cells,
                            const std::vector<ResultRow>& rows,
                            const std::vector<NamedAttack>& attacks, const Registries& registries,
                            Network* classifier, Seed seed, Task& task) {
  const HealthThresholds thresholds(specification.evaluation.healthThresholds);
  const RunFacts facts{cells.scores().sets(), rows, attackFacts(specification, attacks),
                       cells.randomised()};
  HealthReport report;
  report.checks = checkResults(thresholds, facts);
  double rescoring = 0.0, excess = 0.0;
  std::int64_t random = 0;
  for (const auto& audit : cells.audits()) {
    excess = std::max(excess, audit.excess);
    if (cells.randomised().contains(audit.detector)) {
      ++random;
    } else {
      rescoring = std::max(rescoring, audit.rescoring);
    }
  }
  report.add(
      {checkAudits(thresholds, rescoring, excess, static_cast<std::int64_t>(cells.audits().size()),
                   cells.attackedCells(), random),
       bestScores(facts.sets)});
  for (auto& check : zeroRadii(thresholds, facts.attacks, registries, seed.child("zero"), task)) {
    report.checks.push_back(std::move(check));
  }
  for (auto& check : roundTrips(thresholds, cells)) report.checks.push_back(std::move(check));
  report.checks.push_back(
      checkOutputCount(thresholds, facts.attacks, classifier ? classifier->shape().classes : 0));
  for (auto& check : checkConvergence(thresholds, facts)) report.checks.push_back(std::move(check));
  for (std::size_t i = 0; i < attacks.size(); ++i) {
    const auto& traits = registries.attacks.info(facts.attacks[i].type).traits;
    if (std::count(traits.begin(), traits.end(), "needs gradient") == 0) continue;
    // l2: full steps, so that a short walk turns onto the gradient's direction. Radii beyond 1
    // leave the box of the linear score, where the check does not apply.
    Json options = facts.attacks[i].options;
    const ThreatModel& threat = facts.attacks[i].threat;
    const bool fullSteps = threat.norm == Norm::L2 && threat.epsilon <= 1.0;
    if (fullSteps && options.contains("step_size")) options["step_size"] = threat.epsilon;
    const auto attack = registries.attacks.make(facts.attacks[i].type, options, "health");
    report.checks.push_back(
        checkLinear(thresholds, attacks[i].label, *attack, seed.child("linear"), task));
  }
  return report;
}

void mergeHealth(const HealthReport& report, const std::string& detector, Json& summary) {
  HealthReport all;
  const auto& again = probedChecks();
  for (const auto& json : summary.value("health_checks", Json::array())) {
    auto check = HealthCheck::fromJson(json);
    // What concerns the whole run comes with one of its detectors.
    const bool fresh = std::any_of(
        report.checks.begin(), report.checks.end(),
        [&](const HealthCheck& one) { return one.id == check.id && one.subject == check.subject; });
    const bool replaced = (check.subject == detector || fresh) &&
                          std::find(again.begin(), again.end(), check.id) != again.end();
    if (!replaced) all.checks.push_back(std::move(check));
  }
  all.checks.insert(all.checks.end(), report.checks.begin(), report.checks.end());
  Json series = Json::array();
  for (const auto& json : summary.value("health_series", Json::array())) {
    const bool replaced =
        std::any_of(report.series.begin(), report.series.end(), [&](const HealthSeries& fresh) {
          // Bands of single images replace the mean over all of the same attack.
          return json.value("kind", "") == fresh.kind && json.value("detector", "") == detector &&
                 json.value("attack", "") == fresh.attack;
        });
    if (!replaced) series.push_back(json);
  }
  for (const auto& fresh : report.series) series.push_back(fresh.toJson());
  writeHealth(all, summary);
  summary["health_series"] = series;
}

void writeHealth(const HealthReport& report, Json& summary) {
  summary["health"] = healthLine(report.checks);
  summary["health_checks"] = Json::array();
  for (const auto& check : report.checks) summary["health_checks"].push_back(check.toJson());
  summary["health_series"] = Json::array();
  for (const auto& series : report.series) summary["health_series"].push_back(series.toJson());
}

}  // namespace bulwark
