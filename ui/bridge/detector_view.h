#pragma once

#include <QVector>
#include <optional>
#include <string>

#include "core/base/json.h"
#include "core/store/run_store.h"
#include "ui/models/threshold_model.h"
#include "ui/plots/curve_plot.h"
#include "ui/plots/histogram_bins.h"
#include "ui/plots/trend_plot.h"

namespace bulwark {

/// Everything the plots show of one detector, attack and out set; made in the database's thread.
struct DetectorView {
  std::string detector, attack, out;
  QVector<HistogramSeries> histogram;
  ThresholdModel::Scores scores;
  QVector<ThresholdCurve> roc;  ///< clean, in, out, in_out as far as there are scores
  QVector<ThresholdCurve> pr;
  QVector<TrendSeries> paths;  ///< mean best score per step of the attacked sets
  double outShare = 0.5;       ///< of the clean sets: chance level of the PR curve
};

/// Reads four score sets and computes the curves from them. `attack` may be empty.
DetectorView loadDetectorView(const RunStore& store, std::int64_t run, const std::string& detector,
                              const std::string& attack, const std::string& out);

/// The curves of a run that tell what AUROC becomes as the adversary may spend more: kinds
/// "auroc-epsilon", "auroc-steps", "auroc-restarts", "auroc-propagations".
std::vector<CurveRecord> loadTrends(const RunStore& store, std::int64_t run);

/// The ROC curve of one setting alone; without points when the run lacks the scores.
ThresholdCurve loadRoc(const RunStore& store, std::int64_t run, const std::string& detector,
                       const std::string& attack, const std::string& setting,
                       const std::string& out);

/// The type of the detector with that label in a run's specification; empty when there is none.
QString typeOfDetector(const Json& specification, const QString& label);

/// The threshold that a detector brings along, from the decisions in a run's summary.
std::optional<double> ownThreshold(const Json& summary, const QString& detector);

}  // namespace bulwark
