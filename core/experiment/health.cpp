#include "core/experiment/health.h"

#include <algorithm>
#include <cmath>

#include "core/health/target.h"
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
                             const ExperimentData& data, Network* classifier,
                             const ScoreTable& scores, const torch::Device& device, Seed seed,
                             Task& task) {
  const HealthThresholds thresholds(specification.evaluation.healthThresholds);
  const std::int64_t count =
      std::min({kImages, data.in.set->size(), specification.evaluation.batchSize});
  const bool uses = fitted.detector->traits().needsClassifier;
  Target target{.detector = *fitted.detector,
                .label = fitted.label,
                .classifier = uses ? classifier : nullptr,
                .images = toDevice(data.in.set->range(0, count), device),
                .scores = {}};
  for (const auto& set : scores.sets()) {
    if (set.detector != fitted.label || !set.attack.empty()) continue;
    target.scores.insert(target.scores.end(), set.scores.begin(), set.scores.end());
  }
  return checkTarget(thresholds, target, seed.child("health").child(fitted.label), task);
}

HealthReport examineResults(const Specification& specification, const CellEvaluator& cells,
                            const std::vector<ResultRow>& rows,
                            const std::vector<NamedAttack>& attacks, Network* classifier) {
  const HealthThresholds thresholds(specification.evaluation.healthThresholds);
  const RunFacts facts{cells.scores().sets(), rows, attackFacts(specification, attacks)};
  HealthReport report;
  report.checks = checkResults(thresholds, facts);
  report.add({checkAudits(thresholds, cells.worstRescoring(), cells.worstExcess(),
                          cells.auditedCells(), cells.attackedCells()),
              bestScores(facts.sets)});
  report.checks.push_back(
      checkOutputCount(thresholds, facts.attacks, classifier ? classifier->shape().classes : 0));
  return report;
}

void writeHealth(const HealthReport& report, Json& summary) {
  summary["health"] = healthLine(report.checks);
  summary["health_checks"] = Json::array();
  for (const auto& check : report.checks) summary["health_checks"].push_back(check.toJson());
  summary["health_series"] = Json::array();
  for (const auto& series : report.series) summary["health_series"].push_back(series.toJson());
}

}  // namespace bulwark
