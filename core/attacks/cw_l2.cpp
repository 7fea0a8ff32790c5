#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "core/attacks/ball.h"
#include "core/attacks/builtin.h"
#include "core/attacks/classification_objective.h"
#include "core/attacks/expectation.h"
#include "core/attacks/nearest.h"
#include "core/attacks/target_class.h"

namespace bulwark {
namespace {

struct CwPlan {
  NearestPlan nearest;
  std::int64_t searches = 9;  ///< over c
  std::int64_t steps = 1000;  ///< of Adam per search
  double rate = 0.01, initial = 1e-3, confidence = 0.0;
  std::string target = "untargeted";
};

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr double kShrink = 0.999999;  // keeps atanh finite at black and white
constexpr double kUpper = 1e10;       // c without an upper bound yet
constexpr double kStall = 0.9999;     // a loss above this share of an earlier one has stalled

/// Minimises ||x' - x||_2^2 + c f over x' = (tanh(w) + 1) / 2 by Adam, with f = max(kappa - F, 0)
/// and F the margin by which the point succeeds; c by bisection. All state is per row, so every
/// sample searches, aborts and stops by itself.
class CwSeeker : public Seeker {
 public:
  CwSeeker(const CwPlan& plan, const torch::Tensor& images)
      : plan_(plan),
        target_(plan.target, images.size(0), images.device()),
        centres_(images.clone()),
        w_(toTanhSpace(images)),
        points_(toBox(w_)),
        first_(torch::zeros_like(images)),
        second_(torch::zeros_like(images)) {
    const auto doubles = torch::TensorOptions(images.device()).dtype(torch::kFloat64);
    const std::int64_t rows = images.size(0);
    c_ = torch::full({rows}, plan.initial, doubles);
    lower_ = torch::zeros({rows}, doubles);
    upper_ = torch::full({rows}, kUpper, doubles);
    before_ = torch::full({rows}, kNever, doubles);
    step_ = torch::zeros({rows}, doubles);
    search_ = torch::zeros({rows}, doubles);
    succeeded_ = torch::zeros({rows}, doubles.dtype(torch::kBool));
  }

  const torch::Tensor& points() const override { return points_; }

  void begin(const std::vector<Quest>& quests, const torch::Tensor& images) override {
    const auto rows = rowsOf(quests, points_.device());
    target_.begin(quests);
    centres_.index_copy_(0, rows, images);
    const auto w = toTanhSpace(images);
    w_.index_copy_(0, rows, w);
    points_.index_copy_(0, rows, toBox(w));
    for (torch::Tensor* tensor : {&first_, &second_, &lower_, &step_, &search_}) {
      tensor->index_fill_(0, rows, 0);
    }
    succeeded_.index_fill_(0, rows, false);
    c_.index_fill_(0, rows, plan_.initial);
    upper_.index_fill_(0, rows, kUpper);
    before_.index_fill_(0, rows, kNever);
  }

  /// F: largest other logit minus the true one, or the target's minus the largest other.
  torch::Tensor functions(const torch::Tensor& logits, const torch::Tensor& labels) override {
    if (target_.any()) return classificationMargin(logits, labels).unsqueeze(1);
    return -classificationMargin(logits, target_.of(labels, logits.size(1))).unsqueeze(1);
  }

  torch::Tensor crossed(const Sight& sight) const override {
    return sight.values.select(1, 0) > plan_.confidence;
  }

  torch::Tensor move(const Sight& sight) override {
    const auto delta = points_ - centres_;
    const auto lack = (plan_.confidence - sight.values.select(1, 0)).clamp_min(0);
    const auto loss = delta.flatten(1).square().sum(1).to(torch::kFloat64) + c_ * lack;
    succeeded_ = succeeded_ | sight.crossed;

    const auto pull = torch::where(lack > 0, c_, torch::zeros_like(c_)).to(points_.scalar_type());
    auto gradient = 2 * delta - perRow(pull) * sight.gradients->of(0);
    gradient = gradient * 2 * points_ * (1 - points_);  // d x' / d w
    step_ = step_ + 1;
    first_.mul_(0.9).add_(gradient, 0.1);
    second_.mul_(0.999).addcmul_(gradient, gradient, 0.001);
    const auto type = points_.scalar_type();
    const auto unbias1 = perRow((1 - torch::pow(0.9, step_)).to(type));
    const auto unbias2 = perRow((1 - torch::pow(0.999, step_)).to(type));
    w_ = w_ - plan_.rate * (first_ / unbias1) / ((second_ / unbias2).sqrt() + 1e-8);

    const auto tenth = static_cast<double>(std::max<std::int64_t>(1, plan_.steps / 10));
    const auto due = (step_ - 1).remainder(tenth) == 0;
    const auto stalled = due & (loss > kStall * before_);
    before_ = torch::where(due, loss, before_);
    endSearches(stalled | (step_ >= static_cast<double>(plan_.steps)));
    points_ = toBox(w_);
    return search_ >= static_cast<double>(plan_.searches);
  }

  void keep(const torch::Tensor& rows) override {
    target_.keep(rows);
    for (torch::Tensor* tensor : {&centres_, &w_, &points_, &first_, &second_, &c_, &lower_,
                                  &upper_, &before_, &step_, &search_, &succeeded_}) {
      *tensor = tensor->index_select(0, rows);
    }
  }

 private:
  static torch::Tensor toTanhSpace(const torch::Tensor& images) {
    return torch::atanh((2 * images - 1) * kShrink);
  }
  static torch::Tensor toBox(const torch::Tensor& w) { return (torch::tanh(w) + 1) / 2; }

  /// The next c for rows whose search is `over`: smaller after a success, larger after a failure.
  void endSearches(const torch::Tensor& over) {
    upper_ = torch::where(over & succeeded_, torch::minimum(upper_, c_), upper_);
    lower_ = torch::where(over & succeeded_.logical_not(), torch::maximum(lower_, c_), lower_);
    const auto next = torch::where(upper_ < 0.1 * kUpper, (lower_ + upper_) / 2, c_ * 10);
    c_ = torch::where(over, next, c_);
    search_ = search_ + over.to(torch::kFloat64);
    w_ = torch::where(perRow(over), toTanhSpace(centres_), w_);
    for (torch::Tensor* tensor : {&first_, &second_}) tensor->masked_fill_(perRow(over), 0);
    step_ = step_.masked_fill(over, 0.0);
    before_ = before_.masked_fill(over, kNever);
    succeeded_ = succeeded_ & over.logical_not();
  }

  const CwPlan& plan_;
  TargetClass target_;
  torch::Tensor centres_, w_, points_, first_, second_;  // [W, C, H, W']
  torch::Tensor c_, lower_, upper_, before_;             // [W]
  torch::Tensor step_, search_, succeeded_;
};

/// Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks", S&P 2017, sections
/// V and VI (l2), with the constants of their released code.
class CarliniWagner : public Attack {
 public:
  explicit CarliniWagner(CwPlan plan) : plan_(std::move(plan)) {}

  ThreatModel threat() const override { return plan_.nearest.threat; }
  std::int64_t forwardsPerImage() const override {
    return kMostThresholds * (plan_.nearest.passes + 1);
  }
  std::int64_t backwardsPerImage() const override { return kMostThresholds * plan_.nearest.passes; }
  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    const auto seeker = [this](const torch::Tensor& batch) {
      return std::make_unique<CwSeeker>(plan_, batch);
    };
    return seekNearest(plan_.nearest, seeker, objective, images, context);
  }

 private:
  CwPlan plan_;
};

}  // namespace

void addCwL2(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "cw_l2";
  info.title = "Carlini and Wagner, l2";
  info.summary = "Smallest l2 change that crosses, by Adam and a search over its weight";
  info.reference = "Carlini and Wagner, IEEE S&P 2017";
  info.traits = {"white box", "needs gradient", "minimum distance", "no intermediate results"};
  addNearestOptions(info.options, "l2", "0.5", "RobustBench: l2 radius 0.5 on CIFAR-10");
  const std::string source = "Carlini and Wagner 2017, released code";
  info.options.integer("steps", 1000, "Steps of Adam per search at most")
      .range(1, 100000)
      .in("steps")
      .from(source)
      .simple();
  info.options.integer("searches", 9, "Weights c of the crossing that are tried")
      .range(1, 30)
      .from(source);
  info.options
      .choice("target", "untargeted", {"untargeted", "random", "next"},
              "Class to be driven to: any wrong one, a random one, the one after the true one")
      .from("Ma et al. 2018 (LID), released code: random");
  info.options.number("confidence", 0, "Margin kappa by which a crossing must succeed")
      .range(0, 1000)
      .from(source)
      .expert();
  info.options.number("learning_rate", 0.01, "Rate of Adam").above(0, 10).from(source).expert();
  info.options.number("initial_c", 1e-3, "First weight c").above(0, 1e9).from(source).expert();
  addGradientAttack(registry, info, [](const Params& params) {
    CwPlan plan;
    plan.steps = params.getInt("steps");
    plan.searches = params.getInt("searches");
    plan.target = params.getText("target");
    plan.confidence = params.getNumber("confidence");
    plan.rate = params.getNumber("learning_rate");
    plan.initial = params.getNumber("initial_c");
    plan.nearest.name = "cw_l2";
    plan.nearest.threat = nearestThreatOf(params, "cw_l2");
    plan.nearest.distance = Distance::L2;
    plan.nearest.passes = plan.searches * plan.steps;
    return std::make_unique<CarliniWagner>(plan);
  });
}

}  // namespace bulwark
