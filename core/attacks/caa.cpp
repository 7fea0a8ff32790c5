#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/attacks/apgd.h"
#include "core/attacks/ball.h"
#include "core/attacks/builtin.h"
#include "core/attacks/ddn.h"
#include "core/attacks/expectation.h"
#include "core/attacks/merge.h"
#include "core/attacks/threat.h"

namespace bulwark {
namespace {

/// One attack of a composition.
struct Stage {
  enum class Kind { Targets, Margin, Loss, Ddn } kind = Kind::Loss;
  std::int64_t steps = 1;
};

/// The searched policies (Mao et al., AAAI 2021, table 1), for classifiers of four classes or more.
std::vector<Stage> policy(Norm norm) {
  using Kind = Stage::Kind;
  if (norm == Norm::L2) return {{Kind::Targets, 100}, {Kind::Loss, 25}, {Kind::Ddn, 1000}};
  return {{Kind::Targets, 50}, {Kind::Targets, 25}, {Kind::Margin, 125}};
}

/// On a score, all stages climb it.
std::vector<Stage> scorePolicy() {
  using Kind = Stage::Kind;
  return {{Kind::Loss, 50}, {Kind::Loss, 25}, {Kind::Loss, 125}};
}

/// Composite adversarial attack: stages in a searched order, each from the worst point of those
/// before it and once more from the clean image.
///
/// The published stages have a radius of their own around their start besides the total one; here
/// only the total one binds, which contains the others, so no point is lost.
class Caa : public Attack {
 public:
  Caa(const ThreatModel& threat, std::int64_t targets) : threat_(threat), targets_(targets) {}

  ThreatModel threat() const override { return threat_; }
  std::int64_t forwardsPerImage() const override { return backwardsPerImage() + 64; }
  std::int64_t backwardsPerImage() const override {
    const auto total = [this](const std::vector<Stage>& stages) {
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < stages.size(); ++i) {
        const std::int64_t rounds = stages[i].kind == Stage::Kind::Targets ? targets_ : 1;
        sum += stages[i].steps * rounds * startsOf(i);
      }
      return sum;
    };
    return std::max(total(policy(threat_.norm)), total(scorePolicy()));
  }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    const auto stages = objective.classes() > 0 ? policy(threat_.norm) : scorePolicy();
    WorstOf worst("caa", objective, images, context);
    for (std::size_t i = 0; i < stages.size(); ++i) {
      const auto member = [&](Objective& base, const torch::Tensor& batch, AttackContext around) {
        if (i > 0) around.starts = torch::stack({worst.result().images, batch}, 1);
        return perform(stages[i], startsOf(i), base, batch, around);
      };
      worst.add("stage " + std::to_string(i + 1) + " of " + std::to_string(stages.size()), member);
    }
    return worst.take();
  }

 private:
  static std::int64_t startsOf(std::size_t stage) { return stage == 0 ? 1 : 2; }

  AttackResult perform(const Stage& stage, std::int64_t starts, Objective& objective,
                       const torch::Tensor& images, const AttackContext& context) const {
    if (stage.kind == Stage::Kind::Ddn) {
      return decoupledDirectionAndNorm({.threat = threat_, .steps = stage.steps, .starts = starts},
                                       objective, images, context);
    }
    ApgdPlan plan;
    plan.threat = threat_;
    plan.steps = stage.steps;
    plan.restarts = starts;
    plan.targets = targets_;
    const auto classes = objective.classes();
    if (stage.kind == Stage::Kind::Targets && classes >= 4) {
      plan.loss = ApgdLoss::Targeted;
      plan.sharedStarts = true;
    } else if (stage.kind != Stage::Kind::Loss) {
      plan.loss = ApgdLoss::Margin;
    }
    return makeApgd(plan)->perturb(objective, images, context);
  }

  ThreatModel threat_;
  std::int64_t targets_;
};

}  // namespace

void addCaa(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "caa";
  info.title = "Composite adversarial attack (CAA)";
  info.summary = "Three stages in a searched order, each from where the one before got to";
  info.reference = "Mao et al., AAAI 2021";
  info.traits = {"white box", "needs gradient", "ensemble"};
  addThreatOptions(info.options, "Mao et al. 2021, table 1: 8 of 255 l-inf, 0.5 l2, on CIFAR-10");
  info.options.integer("targets", 9, "Most likely wrong classes that MultiTargeted goes through")
      .range(1, 1000)
      .in("classes")
      .from("Mao et al. 2021, their code")
      .expert();
  addGradientAttack(registry, info, [](const Params& params) {
    return std::make_unique<Caa>(threatOf(params, "caa"), params.getInt("targets"));
  });
}

}  // namespace bulwark
