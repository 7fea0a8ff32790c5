#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/detectors/detector.h"
#include "core/health/check.h"
#include "core/health/consistency.h"

namespace bulwark {

/// A fitted detector with what its checks look at.
struct Target {
  Detector& detector;
  std::string label;
  Network* classifier = nullptr;    ///< behind the detector, if any
  torch::Tensor images;             ///< [n, C, H, W] on the detector's device; 64 suffice
  std::vector<double> scores = {};  ///< clean scores of all sets, for H13 and H14
  /// For H15, too: images of the out sets by name, and per attacked set ("pgd on mnist") the share
  /// of images that met a gradient of exactly zero.
  std::vector<std::pair<std::string, torch::Tensor>> outs = {};
  std::vector<std::pair<std::string, double>> zeroGradients = {};
};

/// H10 to H18 and H20, and the histogram of gradient norms. About 2000 forwards of one image and
/// 72 backwards.
HealthReport checkTarget(const HealthThresholds& thresholds, const Target& target, Seed seed,
                         Task& task);

/// H19: attacks of the classifier need enough `classes` (0: there is no classifier) for their loss.
HealthCheck checkOutputCount(const HealthThresholds& thresholds,
                             const std::vector<AttackFacts>& attacks, std::int64_t classes);

/// Differences relative to the scores or to their spread, whichever is larger; the largest.
double relativeDifference(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace bulwark
