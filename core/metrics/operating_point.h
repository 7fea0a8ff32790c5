#pragma once

#include <cstdint>
#include <span>

#include "core/metrics/roc.h"
#include "core/metrics/score_levels.h"

namespace bulwark {

// False positive rate at a true positive rate -------------------------------------------------
//
// The literature has two opposite conventions on the same scores. Positive::In ("fpr95_id": ODIN,
// Lee, OpenOOD): keep 95 % of the in set, count the out images kept. Positive::Out ("fpr95_ood":
// COBRA, appendix N): detect 95 % of the out set, count the in images flagged.

/// One point of a ROC curve: the rates reached and the score that reaches them.
struct OperatingPoint {
  double threshold = 0.0;
  double tpr = 0.0;
  double fpr = 0.0;
};

/// Smallest FPR among the thresholds with TPR >= `tpr`; `tpr` in (0, 1]. Bulwark's default rule.
OperatingPoint pointAtTpr(const ScoreLevels& scores, Positive positive, double tpr = 0.95);
double fprAtTpr(const ScoreLevels& scores, Positive positive, double tpr = 0.95);
/// Linear interpolation of the ROC curve at `tpr` (Vahdat's OODL code).
double fprAtTprInterpolated(const ScoreLevels& scores, Positive positive, double tpr = 0.95);
/// FPR at the point whose TPR is nearest to `tpr`, the strictest threshold among equals.
double fprAtTprNearest(const ScoreLevels& scores, Positive positive, double tpr = 0.95);

/// Rules of released code, kept to compare with figures published with them. In is positive.
enum class FprRule {
  ZhaoCode,  ///< threshold is element int(tpr n) - 1 of the in set, most normal first
  MdcCode,   ///< Lee's code: nearest TPR while removing single images, the worst among equals
  OdinCode,  ///< mean FPR of 100,000 thresholds with TPR within 0.0005 of the target
};

/// NaN for OdinCode when no threshold comes that near (small sets). Throws on empty sets.
double fprCompatible(std::span<const double> in, std::span<const double> out, FprRule rule,
                     double tpr = 0.95);
/// Element int(share n) - 1 of the scores in ascending order: the threshold of Zhao et al.'s code,
/// below or at which an image counts as in. Throws on an empty set.
double zhaoThreshold(std::span<const double> in, double share = 0.95);

/// 1 - fprAtTpr(In, 0.95): the share of out images rejected while 95 % of the in set is kept.
double tnrAt95(const ScoreLevels& scores);

// Detection accuracy --------------------------------------------------------------------------

/// max over thresholds of (TPR + 1 - FPR) / 2: both sets weigh the same (Lee et al. 2018, 3.1).
/// The same for either positive class; in [0.5, 1].
double detectionAccuracy(const ScoreLevels& scores);
/// max over thresholds of the share of images on the right side, weighted by the sets' sizes.
double detectionAccuracyWeighted(const ScoreLevels& scores);
/// min over thresholds that keep at least `tpr` of the in set of (1 - TPR) / 2 + FPR / 2
/// (Vahdat's OODL code).
double detectionError(const ScoreLevels& scores, double tpr = 0.95);

}  // namespace bulwark
