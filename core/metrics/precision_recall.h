#pragma once

#include <span>
#include <vector>

#include "core/metrics/score_levels.h"

namespace bulwark {

/// Precision and recall at the distinct scores, by rising recall; all vectors have one length.
/// Positives are predicted at scores >= the threshold (Out) or <= the threshold (In).
struct PrCurve {
  std::vector<double> recall;
  std::vector<double> precision;
  std::vector<double> thresholds;
};

PrCurve precisionRecallCurve(const ScoreLevels& scores, Positive positive = Positive::Out);
PrCurve precisionRecallCurve(std::span<const double> in, std::span<const double> out,
                             Positive positive = Positive::Out);

/// sum_k (R_k - R_{k-1}) P_k over the distinct scores: scikit-learn's average_precision_score, and
/// what Bulwark reports as `aupr_out` and `aupr_in`. The chance level is the share of positives.
double averagePrecision(const ScoreLevels& scores, Positive positive);
double averagePrecision(std::span<const double> in, std::span<const double> out, Positive positive);

/// The precision from which a trapezoid over (R_k, P_k) starts at recall 0.
enum class PrStart {
  First,  ///< the first precision, repeated
  One,    ///< scikit-learn's auc(precision_recall_curve)
  Half,   ///< 0.5
};

/// Area under the precision-recall curve by trapezoids.
double auprTrapezoid(const ScoreLevels& scores, Positive positive, PrStart start);

/// AUIN (In) and AUOUT (Out) as the released code of Lee et al. 2018 computes them: a trapezoid
/// with one point per image, in before out among equal scores, and precision 0.5 at the end where
/// everything is accepted. For comparison with published figures only.
double auprMdc(const ScoreLevels& scores, Positive positive);

}  // namespace bulwark
