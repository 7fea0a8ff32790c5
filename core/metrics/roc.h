#pragma once

#include <span>
#include <vector>

#include "core/metrics/score_levels.h"

namespace bulwark {

/// A ROC curve at the distinct scores, from (0, 0) to (1, 1); all three vectors have one length.
///
/// With out as positive (the convention of Bulwark's plots) an image is flagged when its anomaly
/// score is >= the threshold, thresholds decrease and the first is +infinity. With in as positive
/// an image is kept when its score is <= the threshold, thresholds increase from -infinity.
struct RocCurve {
  std::vector<double> fpr;
  std::vector<double> tpr;
  std::vector<double> thresholds;
};

RocCurve rocCurve(const ScoreLevels& scores, Positive positive = Positive::Out);
RocCurve rocCurve(std::span<const double> in, std::span<const double> out,
                  Positive positive = Positive::Out);

/// P(out > in) + 1/2 P(out = in) (Mann-Whitney, by mid-ranks), in [0, 1]. O(n log n); the counts
/// are integers, so the result does not depend on the order of summation. Which class is called
/// positive does not matter. Throws `Error` on an empty set or a score that is not finite.
double auroc(std::span<const double> in, std::span<const double> out);
double auroc(const ScoreLevels& scores);

/// Every tie counted against the detector: P(out > in). This is also what the released code of
/// Lee et al. 2018 (deep_Mahalanobis_detector, calculate_log.py) calls AUROC.
double aurocPessimistic(const ScoreLevels& scores);
/// Every tie counted for the detector: P(out >= in).
double aurocOptimistic(const ScoreLevels& scores);

}  // namespace bulwark
