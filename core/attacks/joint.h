#pragma once

#include <torch/torch.h>

#include "core/attacks/attack.h"
#include "core/attacks/objective.h"

namespace bulwark {

/// Two objectives to be passed at once: a classifier to be fooled, and a detector that is to accept
/// the image all the same.
///
/// Judged: the smaller of the classifier's margin and of what acceptance exceeds its threshold by,
/// so above 0 exactly where the image is misclassified and accepted. The guide follows the
/// classifier until the image is misclassified, then the detector until it is accepted, then
/// whichever has the smaller excess; each time along that part of the gradient which is orthogonal
/// to the other's (Bryniarski et al., ICLR 2022, sections 4.1 and 4.2: selective and orthogonal
/// projected gradient descent), so that a step for one leaves the other, to first order, alone.
class JointObjective : public Objective {
 public:
  /// `classifier` judges by the margin; `acceptance` is the detector's score in the direction -1,
  /// and an image is accepted when its judged value exceeds `threshold`. Both outlive this.
  JointObjective(Objective& classifier, Objective& acceptance, double threshold);

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override;
  torch::Tensor judge(const torch::Tensor& images, const torch::Tensor& samples) override;

  /// Propagations beyond one per evaluation that `evaluate` and `judge` have made.
  std::int64_t extraForwards() const { return extraForwards_; }
  std::int64_t extraBackwards() const { return extraBackwards_; }

 private:
  Objective& classifier_;
  Objective& acceptance_;
  double threshold_;
  std::int64_t extraForwards_ = 0, extraBackwards_ = 0;
};

/// Orthogonal-projection PGD on a `JointObjective`. It has a value of its own, which is neither a
/// score nor a margin, so it is no cell of an AUROC table: an evaluation counts the images that it
/// carries across (check H36).
///
/// There is no expectation over the draws of a random score: a step follows a single draw, so that
/// such a detector looks more robust to it than it is.
class JointAttack : public Attack {
 public:
  JointAttack(const ThreatModel& threat, std::int64_t steps, std::int64_t restarts);

  ThreatModel threat() const override { return threat_; }
  std::int64_t forwardsPerImage() const override { return 2 * (restarts_ * (steps_ + 1) + 1); }
  std::int64_t backwardsPerImage() const override { return 3 * restarts_ * steps_; }
  /// Throws `Error` (BadInput) unless `objective` is a `JointObjective`.
  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override;

 private:
  ThreatModel threat_;
  std::int64_t steps_, restarts_;
};

}  // namespace bulwark
