#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/health/probe_budget.h"
#include "core/health/target.h"

namespace bulwark {

/// What the checks that take attacks of their own work on: one detector and a few of its images.
struct ProbeSetting {
  Detector& detector;
  std::string label;
  const Registries& registries;
  torch::Tensor in, out;   ///< [n, C, H, W] float32 on the CPU
  torch::Tensor inLabels;  ///< [n] int64; undefined: unknown
  /// The white-box attack examined: its type and options are varied.
  AttackFacts reference;
  /// Classifier behind the detector, for attacks that ask for it; null: there is none.
  Network* classifier = nullptr;
  /// A detector without this one's defence, to transfer from (H29); null: there is none.
  Detector* surrogate = nullptr;
  std::string surrogateName = {};
  /// Whether H33 and H34 are made, too, which concern the attack and the network, whatever the
  /// detector: once for the run, and filed under no detector.
  bool ofRun = true;
  Network* features = nullptr;  ///< to plant a point in (H33); null: there are none
  /// A fitted softmax score on a plainly trained classifier (H34); null: there is none.
  Detector* twin = nullptr;
  torch::Device device = torch::kCPU;
  std::int64_t batchSize = 256;
  ProbeBudget budget = {};
};

/// Passes (forwards plus backwards of one image) that `probe` takes at most.
double probePasses(const ProbeSetting& setting);

/// H22 to H24, H27 to H31, H33 and H34, with the small plots.
HealthReport probe(const HealthThresholds& thresholds, const ProbeSetting& setting, Seed seed,
                   Task& task);

/// The ids that `probe` judges, so that earlier verdicts on them can be replaced.
const std::vector<std::string>& probedChecks();

}  // namespace bulwark
