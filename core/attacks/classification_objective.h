#pragma once

#include "core/attacks/objective.h"
#include "core/nn/network.h"

namespace bulwark {

/// Untargeted attack on a classifier: maximises the cross-entropy of the true labels.
///
/// The judged value is the cross-entropy, -log p_y. The gradient is followed through its log-odds
/// log((1 - p_y) / p_y): the two differ by a positive factor per image, so sign and normalised
/// steps are those of the cross-entropy, but the log-odds' gradient does not vanish where float32
/// rounds p_y to 1 (Carlini et al. 2019, section 5.3: saturated losses hide weak models).
class ClassificationObjective : public Objective {
 public:
  /// `labels` [N] int64 on the CPU, in [0, classes); throws `Error` (BadInput) otherwise. The
  /// network is in evaluation mode and outlives the objective.
  ClassificationObjective(Network& network, torch::Tensor labels);

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override;

 private:
  Network& network_;
  torch::Tensor labels_;
};

}  // namespace bulwark
