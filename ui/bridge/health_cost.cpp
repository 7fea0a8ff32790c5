#include "ui/bridge/health_cost.h"

#include <QCoreApplication>
#include <QLocale>
#include <algorithm>
#include <set>

#include "core/base/text.h"

namespace bulwark {

namespace {

// The budget of core/health's probes: what is added to the attack itself, restarts of H23,
// queries of H27 per image, draws of H28 in all; in images and out images by default.
constexpr double kVariants = 6.5, kRestarts = 20, kQueries = 1000, kDraws = 100000;
constexpr double kImages = 100;

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
  const double images = 2 * optionOf(run.specification, "evaluation", "health_images", kImages);
  // A trajectory goes over all restarts; a step is a forward and a backward.
  const double attack = 2 * steps * images;
  const double each = attack * (kVariants + kRestarts / restarts) + kQueries * images + kDraws;
  const double all = each * static_cast<double>(detectors.size());
  return QCoreApplication::translate("HealthPanel",
                                     "About %1 at this run's speed: %2 passes of one image.")
      .arg(QString::fromStdString(formatDuration(all * seconds / passes)),
           QLocale().toString(all, 'f', 0));
}

}  // namespace bulwark
