#include "core/attacks/joint.h"

#include <memory>

#include "core/attacks/ascent.h"
#include "core/attacks/ball.h"
#include "core/attacks/builtin.h"
#include "core/attacks/threat.h"
#include "core/base/error.h"

namespace bulwark {
namespace {

/// The part of `vectors` that is orthogonal to `others`, row by row [B, C, H, W].
torch::Tensor orthogonal(const torch::Tensor& vectors, const torch::Tensor& others) {
  // Scaled by their largest entries: squares of tiny gradients would underflow.
  const auto largest = others.flatten(1).abs().amax(1).clamp_min(1e-30);
  const auto axis = others / perRow(largest);
  const auto squares = axis.square().flatten(1).sum(1).clamp_min(1e-30);
  return vectors - axis * perRow((vectors * axis).flatten(1).sum(1) / squares);
}

}  // namespace

JointObjective::JointObjective(Objective& classifier, Objective& acceptance, double threshold)
    : classifier_(classifier), acceptance_(acceptance), threshold_(threshold) {}

Objective::Values JointObjective::evaluate(const torch::Tensor& images,
                                           const torch::Tensor& samples) {
  const auto fooled = classifier_.evaluate(images, samples);
  const auto accepted = acceptance_.evaluate(images, samples);
  extraForwards_ += images.size(0);
  const auto margin = fooled.judged.to(torch::kFloat64);
  const auto excess = accepted.judged.to(torch::kFloat64) - threshold_;
  const auto judged = torch::minimum(margin, excess);
  if (!images.requires_grad()) return {judged, judged};
  const auto byClassifier = torch::autograd::grad({fooled.guide.sum()}, {images})[0];
  const auto byDetector = torch::autograd::grad({accepted.guide.sum()}, {images})[0];
  // The pass around this counts one more, which only hands the direction on.
  extraBackwards_ += images.size(0);
  const torch::Tensor direction = [&] {
    const torch::NoGradGuard noGrad;
    const auto classifierFirst =
        (margin <= 0).logical_or((excess > 0).logical_and(margin <= excess));
    return torch::where(perRow(classifierFirst), orthogonal(byClassifier, byDetector),
                        orthogonal(byDetector, byClassifier));
  }();
  // A function of value `judged` whose gradient is the direction.
  const auto along = ((images - images.detach()) * direction).flatten(1).sum(1);
  return {along + judged, judged};
}

torch::Tensor JointObjective::judge(const torch::Tensor& images, const torch::Tensor& samples) {
  extraForwards_ += images.size(0);
  return torch::minimum(classifier_.judge(images, samples).to(torch::kFloat64),
                        acceptance_.judge(images, samples).to(torch::kFloat64) - threshold_);
}

JointAttack::JointAttack(const ThreatModel& threat, std::int64_t steps, std::int64_t restarts)
    : threat_(threat), steps_(steps), restarts_(restarts) {}

AttackResult JointAttack::perturb(Objective& objective, const torch::Tensor& images,
                                  const AttackContext& context) const {
  auto* joint = dynamic_cast<JointObjective*>(&objective);
  if (!joint) {
    throw Error::badInput(
        "the joint attack is after images that are misclassified and accepted; a score or a "
        "classifier alone does not see them",
        "joint", "its rate of success is reported beside the tables");
  }
  AscentPlan plan;
  plan.name = "joint";
  plan.threat = threat_;
  plan.steps = steps_;
  plan.stepSize = 2.5 * threat_.epsilon / static_cast<double>(steps_);
  plan.restarts = restarts_;
  plan.randomStart = true;
  const std::int64_t forwards = joint->extraForwards(), backwards = joint->extraBackwards();
  auto result = ascend(plan, objective, images, context);
  result.forwards += joint->extraForwards() - forwards;
  result.backwards += joint->extraBackwards() - backwards;
  return result;
}

void addJoint(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "joint";
  info.title = "Joint attack on classifier and detector";
  info.summary =
      "Orthogonal-projection PGD: misclassified and accepted at once; reported as a rate, not in "
      "AUROC tables";
  info.reference = "Bryniarski et al., ICLR 2022";
  info.traits = {"white box", "needs gradient", "in images only"};
  const std::string source = "Bryniarski et al. 2022, section 5";
  addThreatOptions(info.options, source);
  info.options.integer("steps", 100, "Gradient steps per restart")
      .range(1, 100000)
      .in("steps")
      .from(source)
      .simple();
  info.options.integer("restarts", 1, "Starts; the best point of all is kept")
      .range(1, 10000)
      .from(source);
  registry.add(info, [](const Params& params) {
    return std::make_unique<JointAttack>(threatOf(params, "joint"), params.getInt("steps"),
                                         params.getInt("restarts"));
  });
}

}  // namespace bulwark
