#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/detectors/detector.h"
#include "core/experiment/cells.h"
#include "core/store/records.h"

namespace bulwark {

enum class Verdict { Green, Amber, Red, NotApplicable };

/// One check of an evaluation's soundness: its number against a rule and a threshold.
struct HealthCheck {
  std::string id = {};     ///< "H1"
  std::string title = {};  ///< "attacked never better than clean"
  Verdict verdict = Verdict::NotApplicable;
  double value = 0.0;
  double threshold = 0.0;
  std::string rule = {};    ///< "largest gain of an attacked score <= 0"
  std::string detail = {};  ///< where it broke; empty when green
  Json toJson() const;
};

std::string toString(Verdict verdict);

/// Consistency of the results (H1, H2): a violation is a bug, not a weak attack.
std::vector<HealthCheck> checkResults(const ScoreTable& scores, const std::vector<ResultRow>& rows);

/// The audits of the evaluation itself: stored images reproduce stored scores (H6), ball and box
/// (H7).
std::vector<HealthCheck> checkAudits(const CellEvaluator& cells);

/// The detector as a target of gradients, on a few in images (one batch at most): determinism
/// (H10), independence of the batch (H12), ties (H14), gradients (H15). Ids carry the detector's
/// label.
std::vector<HealthCheck> checkDetector(const FittedDetector& detector, const ImageSet& in,
                                       const ScoreTable& scores, std::int64_t batchSize,
                                       const torch::Device& device, Task& task);

/// "health: 17 green, 2 amber (H14 knn, H15 msp)".
std::string healthLine(const std::vector<HealthCheck>& checks);

}  // namespace bulwark
