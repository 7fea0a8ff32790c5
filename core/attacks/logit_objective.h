#pragma once

#include <string>

#include "core/attacks/attack.h"
#include "core/attacks/objective.h"
#include "core/attacks/passes.h"

namespace bulwark {

/// What an attack on a classifier may follow instead of the cross-entropy. Larger is worse for the
/// classifier; all are differences of logits, which no softmax can flatten.
enum class LogitLoss {
  Margin,       ///< largest other logit minus the true one (Carlini and Wagner 2017, f_6)
  Dlr,          ///< the margin over z_(1) - z_(3) (Croce and Hein 2020, equation 6)
  TargetedDlr,  ///< (z_t - z_y) / (z_(1) - (z_(3) + z_(4)) / 2) (ibid., equation 7)
};

/// Logits that the loss needs: 2, 3 for DLR, 4 for its targeted form.
std::int64_t leastClasses(LogitLoss loss);

/// Throws `Error` (BadInput) naming `where` when the loss does not exist for `classes` logits: DLR
/// divides by a gap to the third largest, its targeted form by one to the fourth; a scalar score
/// (`classes` 0) has no logits at all.
void requireClasses(LogitLoss loss, std::int64_t classes, const std::string& where);

/// [B] with a graph, from logits [B, K], the true classes and, for the targeted loss, the classes
/// aimed at ([B] int64 on the logits' device).
torch::Tensor logitLoss(LogitLoss loss, const torch::Tensor& logits, const torch::Tensor& labels,
                        const torch::Tensor& targets = {});

/// A classifier's objective with another guide; judged as before, from the same logits.
class LogitObjective : public Objective, public ManyPasses {
 public:
  /// `targets` [N] int64 on the CPU, for the targeted loss only. `base` has classes and outlives
  /// this.
  LogitObjective(Objective& base, LogitLoss loss, torch::Tensor targets = {});

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override;
  torch::Tensor judge(const torch::Tensor& images, const torch::Tensor& samples) override;
  Passes passes() const override { return passesOf(base_); }
  bool randomised() const override { return isRandomised(base_); }
  std::int64_t classes() const override { return base_.classes(); }
  torch::Tensor logits(const torch::Tensor& images) override { return base_.logits(images); }
  torch::Tensor labels(const torch::Tensor& samples, const torch::Device& device) const override;
  torch::Tensor judgeLogits(const torch::Tensor& logits,
                            const torch::Tensor& labels) const override;

 private:
  Objective& base_;
  LogitLoss loss_;
  torch::Tensor targets_;
};

/// The `count` most likely wrong classes of each image [N, C, H, W], most likely first: [N, count]
/// int64 on the CPU; count < classes. One forward per image.
torch::Tensor likelyWrongClasses(Objective& objective, const torch::Tensor& images,
                                 std::int64_t count, const AttackContext& context);

}  // namespace bulwark
