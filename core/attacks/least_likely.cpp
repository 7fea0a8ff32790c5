#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "core/attacks/ascent.h"
#include "core/attacks/builtin.h"
#include "core/attacks/expectation.h"
#include "core/attacks/threat.h"
#include "core/nn/device.h"
#include "core/nn/log_odds.h"

namespace bulwark {
namespace {

/// Guides towards one class per sample; the judge stays that of the objective behind it.
class TowardsClasses : public Objective {
 public:
  TowardsClasses(Objective& objective, torch::Tensor targets)
      : objective_(objective), targets_(std::move(targets)) {}

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override {
    const auto scores = objective_.logits(images);
    const auto target = targets_.index_select(0, samples).to(images.device());
    const auto truth = objective_.labels(samples, images.device());
    // The log-odds of the target: gradients point where those of -CE do, without saturating.
    return {-negativeLogOdds(scores, target), objective_.judgeLogits(scores, truth)};
  }
  torch::Tensor judge(const torch::Tensor& images, const torch::Tensor& samples) override {
    return objective_.judge(images, samples);
  }

 private:
  Objective& objective_;
  torch::Tensor targets_;  // [N] int64, CPU
};

/// arg min_c p(c | x) of every clean image, [N] int64.
torch::Tensor leastLikely(Objective& objective, const torch::Tensor& images,
                          const AttackContext& context) {
  const torch::NoGradGuard noGrad;
  const std::int64_t count = images.size(0);
  const std::int64_t width = std::max<std::int64_t>(1, passSize(count, context.batchSize));
  std::vector<torch::Tensor> classes;
  for (std::int64_t begin = 0; begin < count; begin += width) {
    context.task.checkpoint();
    const auto batch =
        toDevice(images.slice(0, begin, std::min(begin + width, count)), context.device);
    classes.push_back(objective.logits(batch).argmin(1).to(torch::kCPU));
  }
  return classes.empty() ? torch::zeros({0}, torch::kInt64) : torch::cat(classes);
}

/// Iterative least-likely class method (Kurakin, Goodfellow and Bengio, ICLR workshop 2017,
/// section 2.3): descends the cross-entropy of the class that the clean image is least likely of,
///   x_0 = x,   x_{k+1} = Clip_eps(x_k - a sign(grad CE(x_k, y_LL))).
/// A scalar score has no classes: the attack is then the basic iterative method.
class LeastLikely : public Attack {
 public:
  explicit LeastLikely(AscentPlan plan) : plan_(std::move(plan)) {}

  ThreatModel threat() const override { return plan_.threat; }
  std::int64_t forwardsPerImage() const override { return plan_.steps + 2; }
  std::int64_t backwardsPerImage() const override { return plan_.steps; }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    if (objective.classes() == 0) return ascend(plan_, objective, images, context);
    requireImages(images, plan_.name);
    TowardsClasses towards(objective, leastLikely(objective, images, context));
    auto result = ascend(plan_, towards, images, context);
    result.forwards += images.size(0);
    return result;
  }

 private:
  AscentPlan plan_;
};

/// Kurakin's number of steps of one grey level: min(eps + 4, 1.25 eps) with eps in grey levels.
std::int64_t publishedSteps(double epsilon) {
  const double levels = 255.0 * epsilon;
  // An eps like 8/255 must not lose a step to rounding.
  return std::max<std::int64_t>(
      1, static_cast<std::int64_t>(std::floor(std::min(levels + 4, 1.25 * levels) + 1e-9)));
}

}  // namespace

void addLeastLikely(Registry<Attack>& registry) {
  const std::string kurakin = "Kurakin et al. 2017, section 2";
  ComponentInfo info;
  info.name = "least_likely";
  info.title = "Iterative least-likely class";
  info.summary = "Sign steps towards the class that the clean image is least likely of";
  info.reference = "Kurakin et al., ICLR workshop 2017";
  info.traits = {"white box", "needs gradient"};
  addThreatOptions(info.options, "Madry et al. 2018, section 5: 8 of 255, l-inf, on CIFAR-10");
  info.options.integer("steps", 0, "Gradient steps; 0: min(eps + 4, 1.25 eps) in grey levels")
      .range(0, 100000)
      .in("steps")
      .from(kurakin);
  info.options.number("step_size", "1/255", "Length of a step")
      .above(0, 10)
      .in("fraction of the [0,1] range")
      .from(kurakin + ": one grey level");
  addKeepOption(info.options);
  addGradientAttack(registry, info, [](const Params& params) {
    AscentPlan plan;
    plan.name = "least_likely";
    plan.threat = threatOf(params, "least_likely");
    plan.steps = params.getInt("steps");
    if (plan.steps == 0) plan.steps = publishedSteps(plan.threat.epsilon);
    plan.stepSize = params.getNumber("step_size");
    plan.keeps = keptOf(params);
    return std::make_unique<LeastLikely>(plan);
  });
}

}  // namespace bulwark
