#include <memory>

#include "core/attacks/ascent.h"
#include "core/attacks/builtin.h"
#include "core/attacks/expectation.h"
#include "core/attacks/threat.h"

namespace bulwark {
namespace {

/// Fast gradient sign method (Goodfellow, Shlens and Szegedy, ICLR 2015, section 4):
///   x' = clip(x + eps sign(grad L(x)))      (l2: eps grad / ||grad||),
/// one step from the clean image.
class Fgsm : public Attack {
 public:
  explicit Fgsm(const ThreatModel& threat) : threat_(threat) {}

  ThreatModel threat() const override { return threat_; }
  std::int64_t forwardsPerImage() const override { return 2; }
  std::int64_t backwardsPerImage() const override { return 1; }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    AscentPlan plan;
    plan.name = "fgsm";
    plan.threat = threat_;
    plan.steps = 1;
    plan.stepSize = threat_.epsilon;
    return ascend(plan, objective, images, context);
  }

 private:
  ThreatModel threat_;
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
  addGradientAttack(registry, info, [](const Params& params) {
    return std::make_unique<Fgsm>(threatOf(params, "fgsm"));
  });
}

}  // namespace bulwark
