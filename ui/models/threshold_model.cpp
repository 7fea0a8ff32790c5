#include "ui/models/threshold_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bulwark {

ThresholdModel::ThresholdModel(QObject* parent) : QObject(parent) {}

void ThresholdModel::setScores(qint64 run, const QString& detector, Scores scores) {
  run_ = run;
  detector_ = detector;
  scores_ = std::move(scores);
  threshold_.reset();
  const auto known = remembered_.find({run, detector});
  if (known != remembered_.end()) {
    threshold_ = known->second;
  } else if (!scores_.cleanIn.empty()) {
    threshold_ = scores_.cleanIn.keepingBelow(0.95);
  }
  Q_EMIT scoresChanged();
  if (threshold_) Q_EMIT thresholdChanged(*threshold_);
}

void ThresholdModel::clear() {
  run_ = 0;
  detector_.clear();
  scores_ = {};
  threshold_.reset();
  Q_EMIT scoresChanged();
}

bool ThresholdModel::isEmpty() const {
  return scores_.cleanIn.empty() && scores_.cleanOut.empty();
}

bool ThresholdModel::hasAttack() const {
  return !scores_.attackedIn.empty() || !scores_.attackedOut.empty();
}

void ThresholdModel::setThreshold(double threshold) {
  if (isEmpty() || !std::isfinite(threshold) || threshold_ == threshold) return;
  threshold_ = threshold;
  remembered_[{run_, detector_}] = threshold;
  Q_EMIT thresholdChanged(threshold);
}

void ThresholdModel::keepIn(double share) {
  if (!scores_.cleanIn.empty()) setThreshold(scores_.cleanIn.keepingBelow(share));
}

void ThresholdModel::flagOut(double share) {
  if (scores_.cleanOut.empty()) return;
  // Flagged means above, so the score that must still be flagged lies just above the threshold.
  setThreshold(std::nextafter(scores_.cleanOut.keepingAbove(share),
                              -std::numeric_limits<double>::infinity()));
}

void ThresholdModel::bestYouden() {
  const std::vector<double>& in = scores_.cleanIn.values();
  const std::vector<double>& out = scores_.cleanOut.values();
  if (in.empty() || out.empty()) return;
  double best = -1, at = in.back();
  std::size_t i = 0, o = 0;
  // Walks the distinct scores upwards; everything up to `score` is kept.
  while (i < in.size() || o < out.size()) {
    const double score = i < in.size() && (o >= out.size() || in[i] <= out[o]) ? in[i] : out[o];
    while (i < in.size() && in[i] <= score) ++i;
    while (o < out.size() && out[o] <= score) ++o;
    const double youden = double(i) / double(in.size()) - double(o) / double(out.size());
    if (youden > best) {
      best = youden;
      at = score;
    }
  }
  setThreshold(at);
}

ConfusionCounts ThresholdModel::clean() const {
  return confusionAt(scores_.cleanIn, scores_.cleanOut, threshold_.value_or(0));
}

ConfusionCounts ThresholdModel::attacked() const {
  return confusionAt(scores_.attackedIn, scores_.attackedOut, threshold_.value_or(0));
}

std::pair<double, double> ThresholdModel::range() const {
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const SortedScores* set :
       {&scores_.cleanIn, &scores_.cleanOut, &scores_.attackedIn, &scores_.attackedOut}) {
    if (set->empty()) continue;
    least = std::min(least, set->values().front());
    most = std::max(most, set->values().back());
  }
  return least <= most ? std::pair(least, most) : std::pair(0.0, 1.0);
}

}  // namespace bulwark
