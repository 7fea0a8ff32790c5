#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/metrics/interval.h"

namespace bulwark {

/// Everything Bulwark reports about one detector on one in and one out set.
struct DetectionMetrics {
  double auroc = 0.0;
  double auprOut = 0.0, auprIn = 0.0;    ///< average precision, out or in as positive
  double fpr95Id = 0.0, fpr95Ood = 0.0;  ///< TPR >= 0.95, in or out as positive
  double tnr95 = 0.0;                    ///< 1 - fpr95Id
  double detectionAccuracy = 0.0;        ///< equal priors
  double aurocPessimistic = 0.0, aurocOptimistic = 0.0;  ///< ties against and for the detector
  /// At one threshold fixed beforehand (default: the one of `tnr95` on these very scores): shares
  /// of in and of out images kept, that is with a score <= the threshold.
  double thresholdFixed = 0.0, tprFixed = 0.0, fprFixed = 0.0;
  double tieShare = 0.0;       ///< (in, out) pairs with equal scores; optimistic - pessimistic
  double distinctShare = 0.0;  ///< distinct scores / images
  std::int64_t nIn = 0, nOut = 0;
  double ciLow = 0.0, ciHigh = 0.0;  ///< interval of the AUROC
  /// With thresholds per predicted class (per_class.h), of the scores and of those normalised over
  /// the pair of sets (class_normalisation.h); NaN unless the detector scores by class: `evaluate`
  /// sees no classes.
  double tnr95PerClass = std::numeric_limits<double>::quiet_NaN();
  double aurocPerClass = std::numeric_limits<double>::quiet_NaN();
  double tnr95PerClassTransductive = std::numeric_limits<double>::quiet_NaN();
  double aurocPerClassTransductive = std::numeric_limits<double>::quiet_NaN();
};

/// All metrics at once. The interval is the stratified percentile bootstrap; with
/// `options.replicates` 0 it is DeLong's normal interval, cut to [0, 1] (and [0, 1] itself when a
/// set has one image). Throws `Error` on an empty set or a score that is not finite.
DetectionMetrics evaluate(std::span<const double> in, std::span<const double> out,
                          const BootstrapOptions& options = {},
                          std::optional<double> threshold = std::nullopt);

/// Smallest threshold that keeps at least 95 % of the in scores; an image is kept at or below it.
double thresholdKeeping95(std::span<const double> in);

enum class Better { Higher, Lower, Neither };

/// What a metric is called and means; the names are those of JSON and CSV.
struct MetricInfo {
  std::string name;   ///< "fpr95_id"
  std::string title;  ///< "FPR at 95 % TPR (in positive)"
  std::string help;   ///< one line
  Better better = Better::Higher;
  bool primary = true;  ///< a field of the results; the others are in `extra`
};

/// In the order in which they are shown.
const std::vector<MetricInfo>& metricInfos();
/// The value of a metric by name; empty for a name that is none.
std::optional<double> metricValue(const DetectionMetrics& metrics, const std::string& name);

}  // namespace bulwark
