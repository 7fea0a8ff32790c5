#pragma once

#include "core/attacks/objective.h"
#include "core/attacks/passes.h"
#include "core/detectors/detector.h"

namespace bulwark {

/// End-to-end attack on a detector: maximises direction times the anomaly score.
class DetectorObjective : public Objective, public ManyPasses {
 public:
  /// `direction` +1 raises the score (an in image), -1 lowers it (an out image). The detector is
  /// fitted and outlives the objective. A score that is not differentiable or quantised is led by
  /// its surrogate and judged by itself; throws `Error` where it declares none.
  DetectorObjective(Detector& detector, int direction);

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override;
  torch::Tensor judge(const torch::Tensor& images, const torch::Tensor& samples) override;
  Passes passes() const override;
  bool randomised() const override { return detector_.traits().randomised; }

 private:
  Detector& detector_;
  double direction_;
  bool oneForward_;  ///< the guide is the score itself
};

}  // namespace bulwark
