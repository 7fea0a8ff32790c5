#include <memory>

#include "core/attacks/ascent.h"
#include "core/attacks/builtin.h"
#include "core/attacks/expectation.h"
#include "core/attacks/threat.h"
#include "core/attacks/training_cost.h"

namespace bulwark {
namespace {

/// Fast gradient sign method (Goodfellow, Shlens and Szegedy, ICLR 2015, section 4):
///   x' = clip(x + eps sign(grad L(x)))      (l2: eps grad / ||grad||),
/// one step from the clean image. L is what judges, or a cost of the classifier.
class Fgsm : public Attack {
 public:
  Fgsm(const ThreatModel& threat, const TrainingCost& cost, Kept keeps)
      : threat_(threat), cost_(cost), keeps_(keeps) {}

  ThreatModel threat() const override { return threat_; }
  /// Before and after the step; a cost of the classifier takes more.
  std::int64_t forwardsPerImage() const override { return followsCost() ? 5 : 2; }
  std::int64_t backwardsPerImage() const override { return 1; }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    AscentPlan plan;
    plan.name = "fgsm";
    plan.threat = threat_;
    plan.steps = 1;
    plan.stepSize = threat_.epsilon;
    plan.keeps = keeps_;
    if (!followsCost()) return ascend(plan, objective, images, context);
    TrainingCostObjective led(objective, cost_, images, context);
    return ascend(plan, led, images, context);
  }

 private:
  bool followsCost() const { return cost_.kind != TrainingCost::Kind::Objective; }

  ThreatModel threat_;
  TrainingCost cost_;
  Kept keeps_;
};

}  // namespace

void addFgsm(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "fgsm";
  info.title = "Fast gradient sign method";
  info.summary = "One step of size eps along the gradient's sign, from the clean image";
  info.reference = "Goodfellow et al., ICLR 2015";
  info.traits = {"white box", "needs gradient"};
  addThreatOptions(info.options, "Madry et al. 2018, section 5: 8 of 255, l-inf, on CIFAR-10");
  addKeepOption(info.options);
  TrainingCost::declare(info.options);
  addGradientAttack(registry, info, [](const Params& params) {
    return std::make_unique<Fgsm>(threatOf(params, "fgsm"), TrainingCost::from(params),
                                  keptOf(params));
  });
}

}  // namespace bulwark
