#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/report/curves.h"
#include "core/report/run_report.h"

namespace bulwark {

/// Figures per predicted class against the weight of the logits in a detector with two parts (Zhao
/// et al., figure 7). Of attacked points: those found against the detector's own weight.
struct WeightCurve {
  /// Of `ResultRow::extra`.
  static constexpr const char* key = "logit_weight_curve";
  struct Series {
    std::string metric;          ///< "tnr95_per_class", ...; titles in metrics/detection.h
    std::vector<double> values;  ///< [W], as reported for the detector's own weight
    bool operator==(const Series&) const = default;
  };

  double own = 0.0;             ///< the detector's weight; one of `weights`
  std::vector<double> weights;  ///< [W], 0 to 1, ascending
  std::vector<Series> series;

  bool operator==(const WeightCurve&) const = default;

  Json toJson() const;
  /// None where the row has none, or what it has is no such curve.
  static std::optional<WeightCurve> of(const ResultRow& row);
};

/// One figure per detector and metric (and run): a line per out set, clean, as the paper's.
std::vector<Figure> weightFigures(const std::vector<RunReport>& runs);

/// Every curve of every row. Throws `Error` (BadInput) when the runs have none.
std::string writeWeightCurves(const std::vector<RunReport>& runs, CurveFormat format);

}  // namespace bulwark
