#include "ui/bridge/health_cost.h"

#include <QCoreApplication>
#include <QLocale>
#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/experiment/specification.h"
#include "core/health/probe_budget.h"

namespace bulwark {

namespace {

double optionOf(const Json& specification, const char* part, const char* key, double otherwise) {
  if (!specification.is_object() || !specification.contains(part)) return otherwise;
  const Json* place = &specification.at(part);
  if (place->is_array()) place = place->empty() ? nullptr : &place->front();
  if (!place || !place->is_object() || !place->contains(key)) return otherwise;
  return place->at(key).is_number() ? place->at(key).get<double>() : otherwise;
}

}  // namespace

QString healthCost(const RunStore& store, const RunRecord& run) {
  std::set<std::string> detectors;
  double passes = 0, seconds = 0, steps = 0;
  for (const ScoreSet& set : store.scoreSets(run.id)) {
    if (set.attack.empty()) continue;
    detectors.insert(set.detector);
    passes += static_cast<double>(set.forwards + set.backwards);
    seconds += set.seconds;
    steps = std::max(steps, static_cast<double>(set.trajectory.size()) - 1);
  }
  if (detectors.empty() || passes <= 0 || seconds <= 0 || steps < 1) return {};
  const double restarts = std::max(1.0, optionOf(run.specification, "attacks", "restarts", 1));
  const double images = 2 * optionOf(run.specification, "evaluation", "health_images",
                                     static_cast<double>(EvaluationRequest().healthImages));
  // A trajectory goes over all restarts; a step is a forward and a backward.
  ProbeBudget::Attack attack{.passes = 2 * steps, .restarts = restarts, .images = images};
  double all = ProbeBudget().passes(attack);
  attack.features = attack.twin = false;  // H33 and H34 are made once, with the first detector
  all += static_cast<double>(detectors.size() - 1) * ProbeBudget().passes(attack);
  return QCoreApplication::translate("HealthPanel",
                                     "About %1 at this run's speed: %2 passes of one image.")
      .arg(QString::fromStdString(formatDuration(all * seconds / passes)),
           QLocale().toString(all, 'f', 0));
}

}  // namespace bulwark
