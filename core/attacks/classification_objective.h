#pragma once

#include "core/attacks/objective.h"
#include "core/nn/network.h"

namespace bulwark {

/// Untargeted attack on a classifier: maximises the cross-entropy of the true labels.
///
/// The judged value is the margin, largest other logit minus the true one: above 0 exactly where
/// the image is misclassified, so the best point of a sample is a misclassified one if any was
/// found. The gradient is that of the log-odds log((1 - p_y) / p_y): it differs from the
/// cross-entropy's by a positive factor per image, so sign and normalised steps are those of the
/// cross-entropy, but it does not vanish where float32 rounds p_y to 1 (Carlini et al. 2019,
/// section 5.3: saturated losses hide weak models).
class ClassificationObjective : public Objective {
 public:
  /// `labels` [N] int64 on the CPU, in [0, classes); throws `Error` (BadInput) otherwise. The
  /// network is in evaluation mode and outlives the objective.
  ClassificationObjective(Network& network, torch::Tensor labels);

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override;
  std::int64_t classes() const override;
  torch::Tensor logits(const torch::Tensor& images) override;
  torch::Tensor labels(const torch::Tensor& samples, const torch::Device& device) const override;
  torch::Tensor judgeLogits(const torch::Tensor& logits,
                            const torch::Tensor& labels) const override;

 private:
  Network& network_;
  torch::Tensor labels_;
};

/// Largest other logit minus that of `labels` [B], from logits [B, K], K >= 2: [B], with a graph.
torch::Tensor classificationMargin(const torch::Tensor& logits, const torch::Tensor& labels);

}  // namespace bulwark
