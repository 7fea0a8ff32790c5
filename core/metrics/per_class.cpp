#include "core/metrics/per_class.h"

#include <cmath>

#include "core/base/error.h"
#include "core/metrics/operating_point.h"
#include "core/metrics/roc.h"

namespace bulwark {

PerClassResult perClassDetection(const std::vector<ClassScores>& classes, double tpr) {
  PerClassResult result;
  ConfusionCounts pooled;
  std::int64_t allIn = 0;
  std::int64_t allKept = 0;
  double aurocSum = 0.0;
  double aurocWeight = 0.0;
  for (const ClassScores& scores : classes) {
    ClassResult one;
    one.auroc = std::nan("");
    one.threshold = std::nan("");
    if (!scores.in.empty()) {
      const SortedScores in(scores.in);
      const SortedScores out(scores.out);
      one.threshold = zhaoThreshold(scores.in, tpr);
      one.counts = confusionAt(in, out, one.threshold, TieRule::In);
      allIn += in.size();
      allKept += one.counts.inKept;
      if (!out.empty()) {
        one.pooled = true;
        one.auroc = auroc(scores.in, scores.out);
        pooled.inKept += one.counts.inKept;
        pooled.inFlagged += one.counts.inFlagged;
        pooled.outKept += one.counts.outKept;
        pooled.outFlagged += one.counts.outFlagged;
        const auto weight = static_cast<double>(in.size() + out.size());
        aurocSum += weight * one.auroc;
        aurocWeight += weight;
      }
    }
    result.classes.push_back(one);
  }
  if (aurocWeight == 0.0) {
    throw Error::badInput("no class has both in and out images", "metrics",
                          "per-class thresholds need at least one such class");
  }
  result.pooledTnr = pooled.flaggedOut();
  result.pooledTpr = pooled.keptIn();
  result.weightedAuroc = aurocSum / aurocWeight;
  result.weightedTpr = static_cast<double>(allKept) / static_cast<double>(allIn);
  return result;
}

}  // namespace bulwark
