#include "core/metrics/detection.h"

#include <algorithm>
#include <cmath>

#include "core/metrics/operating_point.h"
#include "core/metrics/precision_recall.h"
#include "core/metrics/roc.h"

namespace bulwark {
namespace {

/// The point z with P(|N(0, 1)| < z) = level, by bisection of the error function.
double normalQuantile(double level) {
  double low = 0.0;
  double high = 40.0;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2.0;
    (std::erf(middle / std::sqrt(2.0)) < level ? low : high) = middle;
  }
  return low;
}

Interval aurocInterval(std::span<const double> in, std::span<const double> out, double estimate,
                       const BootstrapOptions& options) {
  if (options.replicates != 0) return bootstrapAuroc(in, out, options).interval;
  if (in.size() < 2 || out.size() < 2) return {0.0, 1.0};
  const double half = normalQuantile(options.level) * delongStandardError(in, out);
  return {std::max(0.0, estimate - half), std::min(1.0, estimate + half)};
}

double keptShare(std::span<const double> scores, double threshold) {
  const auto kept =
      std::count_if(scores.begin(), scores.end(), [&](double s) { return s <= threshold; });
  return static_cast<double>(kept) / static_cast<double>(scores.size());
}

}  // namespace

double thresholdKeeping95(std::span<const double> in) {
  return pointAtTpr(scoreLevels(in, in), Positive::In, 0.95).threshold;
}

DetectionMetrics evaluate(std::span<const double> in, std::span<const double> out,
                          const BootstrapOptions& options, std::optional<double> threshold) {
  const ScoreLevels scores = scoreLevels(in, out);
  DetectionMetrics metrics;
  metrics.auroc = auroc(scores);
  metrics.aurocPessimistic = aurocPessimistic(scores);
  metrics.aurocOptimistic = aurocOptimistic(scores);
  metrics.tieShare = metrics.aurocOptimistic - metrics.aurocPessimistic;
  metrics.auprOut = averagePrecision(scores, Positive::Out);
  metrics.auprIn = averagePrecision(scores, Positive::In);
  metrics.fpr95Id = fprAtTpr(scores, Positive::In);
  metrics.fpr95Ood = fprAtTpr(scores, Positive::Out);
  metrics.tnr95 = 1.0 - metrics.fpr95Id;
  metrics.detectionAccuracy = detectionAccuracy(scores);
  metrics.thresholdFixed = threshold ? *threshold : thresholdKeeping95(in);
  metrics.tprFixed = keptShare(in, metrics.thresholdFixed);
  metrics.fprFixed = keptShare(out, metrics.thresholdFixed);
  metrics.nIn = scores.nIn;
  metrics.nOut = scores.nOut;
  metrics.distinctShare =
      static_cast<double>(scores.levels.size()) / static_cast<double>(scores.nIn + scores.nOut);
  const Interval interval = aurocInterval(in, out, metrics.auroc, options);
  metrics.ciLow = interval.low;
  metrics.ciHigh = interval.high;
  return metrics;
}

const std::vector<MetricInfo>& metricInfos() {
  static const std::vector<MetricInfo> infos = {
      {"auroc", "AUROC", "chance that an out image scores above an in image; ties count half",
       Better::Higher, true},
      {"aupr_out", "AUPR (out positive)",
       "average precision with out as positive; chance level is the share of out images",
       Better::Higher, true},
      {"aupr_in", "AUPR (in positive)",
       "average precision with in as positive; chance level is the share of in images",
       Better::Higher, true},
      {"fpr95_id", "FPR95 (in positive)",
       "share of out images kept when at least 95 % of the in set is kept (ODIN, OpenOOD)",
       Better::Lower, true},
      {"fpr95_ood", "FPR95 (out positive)",
       "share of in images flagged when at least 95 % of the out set is detected (COBRA)",
       Better::Lower, true},
      {"tnr95", "TNR at 95 % TPR", "1 - fpr95_id: share of out images rejected", Better::Higher,
       true},
      {"detection_accuracy", "Detection accuracy",
       "best balanced accuracy over all thresholds, both sets weighing the same", Better::Higher,
       true},
      {"tpr_fixed", "In kept at the clean threshold",
       "share of in images kept at the threshold that keeps 95 % of the clean in set",
       Better::Higher, false},
      {"fpr_fixed", "Out kept at the clean threshold",
       "share of out images kept at the threshold that keeps 95 % of the clean in set",
       Better::Lower, false},
      {"threshold_fixed", "Clean threshold",
       "the score at or below which 95 % of the clean in set lie", Better::Neither, false},
      {"auroc_pessimistic", "AUROC, ties against",
       "AUROC with every tie counted against the detector", Better::Higher, false},
      {"auroc_optimistic", "AUROC, ties for", "AUROC with every tie counted for the detector",
       Better::Higher, false},
      {"tie_share", "Tied pairs", "share of (in, out) pairs with exactly equal scores",
       Better::Lower, false},
      {"distinct_share", "Distinct scores", "number of distinct scores over number of images",
       Better::Higher, false},
      {"tnr95_per_class", "TNR at 95 % TPR, per class",
       "share of out images rejected with one threshold per predicted class, each keeping 95 % of "
       "its in images (Zhao et al.); classes without out images do not count",
       Better::Higher, false},
      {"auroc_per_class", "AUROC, per class",
       "mean of the AUROCs of the predicted classes, weighted by their images (Zhao et al.)",
       Better::Higher, false},
      {"tnr95_per_class_transductive", "TNR per class, transductive",
       "tnr95_per_class of scores normalised over the in and out sets under test, as published",
       Better::Higher, false},
      {"auroc_per_class_transductive", "AUROC per class, transductive",
       "auroc_per_class of scores normalised over the in and out sets under test, as published",
       Better::Higher, false},
      {"ci_low", "AUROC interval, low", "lower end of the 95 % bootstrap interval of the AUROC",
       Better::Neither, true},
      {"ci_high", "AUROC interval, high", "upper end of the 95 % bootstrap interval of the AUROC",
       Better::Neither, true},
      {"n_in", "In images", "number of in images evaluated", Better::Neither, true},
      {"n_out", "Out images", "number of out images evaluated", Better::Neither, true},
  };
  return infos;
}

std::optional<double> metricValue(const DetectionMetrics& m, const std::string& name) {
  if (name == "auroc") return m.auroc;
  if (name == "aupr_out") return m.auprOut;
  if (name == "aupr_in") return m.auprIn;
  if (name == "fpr95_id") return m.fpr95Id;
  if (name == "fpr95_ood") return m.fpr95Ood;
  if (name == "tnr95") return m.tnr95;
  if (name == "detection_accuracy") return m.detectionAccuracy;
  if (name == "tpr_fixed") return m.tprFixed;
  if (name == "fpr_fixed") return m.fprFixed;
  if (name == "threshold_fixed") return m.thresholdFixed;
  if (name == "auroc_pessimistic") return m.aurocPessimistic;
  if (name == "auroc_optimistic") return m.aurocOptimistic;
  if (name == "tie_share") return m.tieShare;
  if (name == "distinct_share") return m.distinctShare;
  if (name == "tnr95_per_class") return m.tnr95PerClass;
  if (name == "auroc_per_class") return m.aurocPerClass;
  if (name == "tnr95_per_class_transductive") return m.tnr95PerClassTransductive;
  if (name == "auroc_per_class_transductive") return m.aurocPerClassTransductive;
  if (name == "ci_low") return m.ciLow;
  if (name == "ci_high") return m.ciHigh;
  if (name == "n_in") return static_cast<double>(m.nIn);
  if (name == "n_out") return static_cast<double>(m.nOut);
  return std::nullopt;
}

}  // namespace bulwark
