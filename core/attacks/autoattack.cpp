#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/attacks/apgd.h"
#include "core/attacks/ascent.h"
#include "core/attacks/builtin.h"
#include "core/attacks/expectation.h"
#include "core/attacks/fab.h"
#include "core/attacks/merge.h"
#include "core/attacks/square.h"
#include "core/attacks/threat.h"
#include "core/base/error.h"
#include "core/base/text.h"

namespace bulwark {
namespace {

struct AutoAttackPlan {
  ThreatModel threat;
  std::int64_t steps = 100;
  std::int64_t targets = 9;
  std::int64_t squareQueries = 5000;
  std::vector<std::string> members;  ///< of `kMembers`
};

const std::vector<std::string> kMembers = {"apgd_ce", "apgd_t", "fab_t", "square"};

/// A member under the name that its random numbers and the progress go by.
struct Stage {
  std::string label;
  std::unique_ptr<Attack> attack;
  bool minimumNorm = false;  ///< looks for the nearest crossing
};

/// PGD as a member: from a random point, the usual step.
class PlainAscent : public Attack {
 public:
  PlainAscent(const ThreatModel& threat, std::int64_t steps) {
    plan_.name = "pgd";
    plan_.threat = threat;
    plan_.steps = steps;
    plan_.stepSize = 2.5 * threat.epsilon / static_cast<double>(steps);
    plan_.randomStart = true;
  }
  ThreatModel threat() const override { return plan_.threat; }
  std::int64_t forwardsPerImage() const override { return plan_.steps + 2; }
  std::int64_t backwardsPerImage() const override { return plan_.steps; }
  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    return ascend(plan_, objective, images, context);
  }

 private:
  AscentPlan plan_;
};

/// AutoAttack, standard version (Croce and Hein, ICML 2020, section 5): APGD on the cross-entropy,
/// APGD on the targeted DLR, targeted FAB, Square, in this order, all parameters fixed.
///
/// Where crossing is enough, each member sees only the images not yet broken. Where the worst
/// value is wanted, each sees all of them, and the worst point is kept (as in ATD, appendix F).
///
/// On a score there are no classes to aim at. APGD climbs the score; in place of its targeted form
/// come PGD (as in COBRA) and APGD from another start; FAB crosses the context's thresholds.
/// On fewer than four classes the targeted DLR is not defined: DLR takes its place on three, the
/// cross-entropy from another start on two.
class AutoAttack : public Attack {
 public:
  explicit AutoAttack(AutoAttackPlan plan) : plan_(std::move(plan)) {}

  ThreatModel threat() const override { return plan_.threat; }
  std::int64_t forwardsPerImage() const override {
    return std::max(sum(stages(0), &Attack::forwardsPerImage),
                    sum(stages(plan_.targets + 1), &Attack::forwardsPerImage));
  }
  std::int64_t backwardsPerImage() const override {
    return std::max(sum(stages(0), &Attack::backwardsPerImage),
                    sum(stages(plan_.targets + 1), &Attack::backwardsPerImage));
  }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    WorstOf worst("autoattack", objective, images, context);
    for (const Stage& stage : stages(objective.classes())) {
      const auto member = [&](Objective& base, const torch::Tensor& batch, AttackContext around) {
        if (stage.minimumNorm) startFromClean(context, around);
        return stage.attack->perturb(base, batch, around);
      };
      worst.add(stage.label, member);
    }
    return worst.take();
  }

 private:
  /// FAB takes an image whose clean value is beyond a threshold for crossed: where the worst value
  /// is wanted it is told the true one, except of the images that are finished.
  static void startFromClean(const AttackContext& given, AttackContext& around) {
    if (given.mode == AttackMode::Cross || !around.clean.defined()) return;
    const double bound = finishBound(given);
    if (given.clean.defined()) {
      const auto clean = given.clean.to(torch::kCPU, torch::kFloat64);
      around.clean = torch::where(around.clean > bound, around.clean, clean);
    } else if (std::isinf(bound)) {
      around.clean = torch::Tensor();
    }
  }

  using Cost = std::int64_t (Attack::*)() const;
  static std::int64_t sum(const std::vector<Stage>& stages, Cost cost) {
    std::int64_t total = 0;
    for (const Stage& stage : stages) total += ((*stage.attack).*cost)();
    return total;
  }

  bool has(const std::string& member) const {
    return std::find(plan_.members.begin(), plan_.members.end(), member) != plan_.members.end();
  }

  std::unique_ptr<Attack> apgd(ApgdLoss loss) const {
    ApgdPlan plan;
    plan.threat = plan_.threat;
    plan.steps = plan_.steps;
    plan.loss = loss;
    plan.targets = plan_.targets;
    return makeApgd(plan);
  }

  /// The members for a classifier of that many classes, or for a score (0).
  std::vector<Stage> stages(std::int64_t classes) const {
    std::vector<Stage> stages;
    if (has("apgd_ce")) stages.push_back({"apgd-ce", apgd(ApgdLoss::Score)});
    if (has("apgd_t")) {
      if (classes == 0) {
        stages.push_back({"pgd", std::make_unique<PlainAscent>(plan_.threat, plan_.steps)});
      }
      const char* label = classes >= 4 ? "apgd-t" : classes == 3 ? "apgd-dlr" : "apgd-again";
      stages.push_back({label, apgd(classes >= 4   ? ApgdLoss::Targeted
                                    : classes == 3 ? ApgdLoss::Dlr
                                                   : ApgdLoss::Score)});
    }
    if (has("fab_t")) {
      FabPlan plan;
      plan.threat = plan_.threat;
      plan.distance = plan_.threat.norm == Norm::L2 ? Distance::L2 : Distance::Linf;
      plan.steps = plan_.steps;
      plan.targets = classes > 0 ? plan_.targets : 0;
      stages.push_back({classes > 0 ? "fab-t" : "fab", makeFab(plan), true});
    }
    if (has("square")) {
      SquarePlan plan;
      plan.threat = plan_.threat;
      plan.queries = plan_.squareQueries;
      stages.push_back({"square", makeSquare(plan)});
    }
    return stages;
  }

  AutoAttackPlan plan_;
};

std::unique_ptr<Attack> makeAutoAttack(const Params& params) {
  AutoAttackPlan plan;
  plan.threat = threatOf(params, "autoattack");
  plan.steps = params.getInt("steps");
  plan.targets = params.getInt("targets");
  plan.squareQueries = params.getInt("square_queries");
  plan.members = params.getTextList("members");
  for (const auto& member : plan.members) {
    if (std::find(kMembers.begin(), kMembers.end(), member) != kMembers.end()) continue;
    throw Error::badInput("AutoAttack has no member \"" + member + "\"", params.pathOf("members"),
                          "known: " + join(kMembers, ", "));
  }
  if (plan.members.empty()) {
    throw Error::badInput("no member is left", params.pathOf("members"),
                          "known: " + join(kMembers, ", "));
  }
  return std::make_unique<AutoAttack>(plan);
}

}  // namespace

void addAutoAttack(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "autoattack";
  info.title = "AutoAttack (standard)";
  info.summary =
      "APGD-CE, APGD-T, FAB-T and Square one after another, the worst kept; on a score APGD, PGD, "
      "APGD again, FAB and Square";
  info.reference = "Croce and Hein, ICML 2020";
  info.traits = {"white box", "needs gradient", "ensemble"};
  const std::string source = "Croce and Hein 2020, section 5: the standard version";
  addThreatOptions(info.options, source);
  info.options.integer("steps", 100, "Gradient steps of each member but Square")
      .range(1, 100000)
      .in("steps")
      .from(source)
      .simple();
  info.options.integer("square_queries", 5000, "Queries of Square per image")
      .range(1, 1000000)
      .in("forwards")
      .from(source)
      .simple();
  info.options.integer("targets", 9, "Most likely wrong classes that the targeted members try")
      .range(1, 1000)
      .in("classes")
      .from(source)
      .expert();
  info.options.textList("members", kMembers, "Which members run, in their fixed order")
      .from(source)
      .expert();
  addGradientAttack(registry, info, makeAutoAttack);
}

}  // namespace bulwark
