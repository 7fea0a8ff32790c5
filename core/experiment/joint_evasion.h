#pragma once

#include "core/attacks/joint.h"
#include "core/experiment/cells.h"
#include "core/health/check.h"

namespace bulwark {

/// How many in test images a joint attack makes misclassified and accepted at once.
struct JointEvasion {
  std::string detector, attack;
  double threshold = 0.0;  ///< an image is accepted when it scores below
  double clean = 0.0;      ///< share of the images that are so without an attack
  double attacked = 0.0;   ///< share at the attack's best points
  std::int64_t forwards = 0, backwards = 0;
  Json toJson() const;
  static JointEvasion fromJson(const Json& json);
};

/// Attacks the in set `set` with its true labels. `threshold`: the detector's operating point.
/// A random score decides by a draw of its own at the best points.
JointEvasion jointEvasion(const FittedDetector& detector, Network& classifier,
                          const JointAttack& attack, const std::string& label, const ImageSet& set,
                          double threshold, std::int64_t batchSize, const torch::Device& device,
                          Seed seed, Task& task);

/// H36: per detector the joint attack that carries most images across; not applicable where the
/// run has made none. `classified`: the run has a classifier.
std::vector<HealthCheck> checkJointEvasion(const HealthThresholds& thresholds,
                                           const std::vector<JointEvasion>& evasions,
                                           bool classified);

}  // namespace bulwark
