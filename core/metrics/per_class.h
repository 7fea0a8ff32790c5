#pragma once

#include <cstdint>
#include <vector>

#include "core/metrics/threshold.h"

namespace bulwark {

/// Anomaly scores of the images that a classifier put into one class.
struct ClassScores {
  std::vector<double> in;
  std::vector<double> out;
};

struct ClassResult {
  double threshold = 0.0;  ///< keeps about 95 % of this class's in images (zhaoThreshold)
  ConfusionCounts counts;
  double auroc = 0.0;   ///< NaN without in or out images
  bool pooled = false;  ///< received at least one out image and one in image
};

/// One threshold per predicted class, as Zhao et al. evaluate (methods: their equation for TNR and
/// the weighted AUROC). Classes without an out image do not enter the pooled values.
struct PerClassResult {
  std::vector<ClassResult> classes;
  double pooledTnr = 0.0;      ///< out images flagged / out images, over the pooled classes
  double pooledTpr = 0.0;      ///< in images kept / in images, over the pooled classes
  double weightedAuroc = 0.0;  ///< by the classes' numbers of images
  double weightedTpr = 0.0;    ///< over all classes with in images, by their share of in images
};

/// Throws `Error` when no class has both in and out images, or a score is not finite.
PerClassResult perClassDetection(const std::vector<ClassScores>& classes, double tpr = 0.95);

}  // namespace bulwark
