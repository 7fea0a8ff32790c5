#include <memory>

#include "core/attacks/ascent.h"
#include "core/attacks/builtin.h"
#include "core/attacks/expectation.h"
#include "core/attacks/threat.h"
#include "core/base/error.h"

namespace bulwark {
namespace {

/// Projected gradient descent (Madry et al., ICLR 2018, section 2.1):
///   x_{k+1} = Proj(x_k + a sign(grad L(x_k)))      (l2: a grad / ||grad||),
/// from a random point of the ball, several times; the best point of all is kept. With momentum
/// (Dong et al., CVPR 2018, algorithm 1) the gradients of earlier steps count, decaying by mu:
///   g_{k+1} = mu g_k + grad L(x_k) / ||grad L(x_k)||_1.
class Pgd : public Attack {
 public:
  Pgd(AscentPlan plan, bool ownStep) : plan_(std::move(plan)), ownStep_(ownStep) {}

  ThreatModel threat() const override { return plan_.threat; }
  std::int64_t forwardsPerImage() const override {
    return plan_.restarts * (plan_.steps + 1) + (plan_.randomStart ? 1 : 0);
  }
  std::int64_t backwardsPerImage() const override { return plan_.restarts * plan_.steps; }
  bool stepsAreNested() const override { return ownStep_ && plan_.restarts == 1; }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    return ascend(plan_, objective, images, context);
  }

 private:
  AscentPlan plan_;
  bool ownStep_;  ///< given, not made from the number of steps
};

std::unique_ptr<Attack> makePgd(const Params& params) {
  AscentPlan plan;
  plan.name = "pgd";
  plan.threat = threatOf(params, "pgd");
  plan.steps = params.getInt("steps");
  plan.stepSize = params.getNumber("step_size");
  const bool ownStep = plan.stepSize > 0.0;
  if (!ownStep) {
    plan.stepSize = 2.5 * plan.threat.epsilon / static_cast<double>(plan.steps);
  }
  plan.restarts = params.getInt("restarts");
  plan.randomStart = params.getBool("random_start");
  plan.momentum = params.getNumber("momentum");
  if (plan.restarts > 1 && !plan.randomStart) {
    throw Error::badInput("several restarts from the same point would all find the same",
                          params.pathOf("restarts"), "set random_start to true, or restarts to 1");
  }
  return std::make_unique<Pgd>(plan, ownStep);
}

}  // namespace

void addPgd(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "pgd";
  info.title = "Projected gradient descent";
  info.summary = "Gradient steps projected back into the ball, from random starts";
  info.reference = "Madry et al., ICLR 2018";
  info.traits = {"white box", "needs gradient"};
  const std::string madry = "Madry et al. 2018, section 5";
  addThreatOptions(info.options, madry + ": 8 of 255, l-inf, on CIFAR-10");
  info.options.integer("steps", 20, "Gradient steps per restart")
      .range(1, 100000)
      .in("steps")
      .from(madry + ": PGD-20 on CIFAR-10")
      .simple();
  info.options.number("step_size", 0, "Length of a step; 0: 2.5 eps / steps")
      .range(0, 10)
      .in("fraction of the [0,1] range")
      .from("Madry et al. 2018, appendix: 2.5 eps / 100 with 100 steps");
  info.options.integer("restarts", 1, "Starts; the best point of all is kept")
      .range(1, 10000)
      .from(madry);
  info.options.boolean("random_start", true, "Start at a random point of the ball")
      .from("Madry et al. 2018, section 4");
  info.options.number("momentum", 0, "Decay of the accumulated gradient; 0: none, 1: MI-FGSM")
      .range(0, 10)
      .from("Madry et al. 2018: none; Dong et al. 2018, section 4.1: 1")
      .expert();
  addGradientAttack(registry, info, makePgd);
}

}  // namespace bulwark
