#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "core/attacks/ascent.h"
#include "core/attacks/builtin.h"
#include "core/attacks/expectation.h"
#include "core/attacks/merge.h"
#include "core/attacks/threat.h"
#include "core/base/error.h"

namespace bulwark {
namespace {

/// Basic iterative method (Kurakin, Goodfellow and Bengio, ICLR workshop 2017, section 2.2):
///   x_0 = x,   x_{k+1} = Clip_eps(x_k + a sign(grad L(x_k))),   no random start.
/// Ma et al. (ICLR 2018) tell two apart: BIM-a ends a sample at the first iterate that crosses the
/// threshold (is misclassified), BIM-b runs all steps. Published is the point where each ends.
class Bim : public Attack {
 public:
  Bim(AscentPlan plan, bool stops) : plan_(std::move(plan)), stops_(stops) {}

  ThreatModel threat() const override { return plan_.threat; }
  std::int64_t forwardsPerImage() const override { return walks() * (plan_.steps + 1); }
  std::int64_t backwardsPerImage() const override { return walks() * plan_.steps; }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    if (!stops_) return ascend(plan_, objective, images, context);
    auto thresholds = context.thresholds;
    if (thresholds.empty()) {
      throw Error::failed("an attack that stops at a threshold was given none", plan_.name);
    }
    std::sort(thresholds.begin(), thresholds.end());
    const auto until = [this](double threshold) {
      return [this, threshold](Objective& to, const torch::Tensor& from, const AttackContext& by) {
        AscentPlan plan = plan_;
        plan.enough = threshold;
        return ascend(plan, to, from, by);
      };
    };
    // The path does not depend on the threshold. The best point before the highest is at least as
    // bad as where the lower ones would have stopped; a last iterate need not be.
    if (plan_.keeps == Kept::Best || thresholds.size() == 1) {
      return until(thresholds.back())(objective, images, context);
    }
    WorstOf worst(plan_.name, objective, images, context);
    for (std::size_t i = 0; i < thresholds.size(); ++i) {
      worst.add("threshold " + std::to_string(i + 1), until(thresholds[i]));
    }
    return worst.take();
  }

 private:
  /// Of a published BIM-a: one for each threshold, three for a detector (methods, section 2).
  std::int64_t walks() const { return stops_ && plan_.keeps == Kept::Last ? 3 : 1; }

  AscentPlan plan_;
  bool stops_;
};

void add(Registry<Attack>& registry, bool stops) {
  ComponentInfo info;
  info.name = stops ? "bim_a" : "bim_b";
  info.title = stops ? "Basic iterative method, first crossing" : "Basic iterative method";
  info.summary = stops ? "Sign steps from the clean image until the threshold is crossed"
                       : "Sign steps from the clean image, as many as given";
  info.reference = "Kurakin et al., ICLR workshop 2017; Ma et al., ICLR 2018";
  info.traits = {"white box", "needs gradient"};
  if (stops) info.traits.emplace_back("needs a threshold");
  addThreatOptions(info.options, "Madry et al. 2018, section 5: 8 of 255, l-inf, on CIFAR-10");
  info.options.integer("steps", 50, "Gradient steps")
      .range(1, 100000)
      .in("steps")
      .from("Ma et al. 2018, released code: 50")
      .simple();
  info.options.number("step_size", 0, "Length of a step; 0: eps / 40")
      .range(0, 10)
      .in("fraction of the [0,1] range")
      .from("Ma et al. 2018, released code: 0.010 for eps 0.40 on MNIST");
  addKeepOption(info.options);
  addGradientAttack(registry, info, [name = info.name, stops](const Params& params) {
    AscentPlan plan;
    plan.name = name;
    plan.threat = threatOf(params, name);
    plan.steps = params.getInt("steps");
    plan.stepSize = params.getNumber("step_size");
    if (plan.stepSize == 0.0) plan.stepSize = plan.threat.epsilon / 40.0;
    plan.keeps = keptOf(params);
    return std::make_unique<Bim>(plan, stops);
  });
}

}  // namespace

void addBim(Registry<Attack>& registry) {
  add(registry, true);
  add(registry, false);
}

}  // namespace bulwark
