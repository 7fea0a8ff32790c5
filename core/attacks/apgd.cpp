#include "core/attacks/apgd.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/attacks/builtin.h"
#include "core/attacks/demands.h"
#include "core/attacks/expectation.h"
#include "core/attacks/logit_objective.h"
#include "core/attacks/merge.h"
#include "core/attacks/threat.h"
#include "core/base/error.h"

namespace bulwark {
namespace {

constexpr double kInertia = 0.75;  ///< alpha in the paper: weight of the gradient step

/// Auto-PGD on one of its losses.
class Apgd : public Attack, public Demands {
 public:
  explicit Apgd(ApgdPlan plan) : plan_(std::move(plan)) {}

  ThreatModel threat() const override { return plan_.threat; }
  std::int64_t forwardsPerImage() const override {
    const bool targeted = plan_.loss == ApgdLoss::Targeted;
    return rounds() * plan_.restarts * (plan_.steps + 1) + (targeted ? 2 : 1);
  }
  std::int64_t backwardsPerImage() const override {
    return rounds() * plan_.restarts * plan_.steps;
  }

  Propagations propagations(const AttackSubject& subject) const override {
    return propagationsWith(*this, subject, 1);
  }
  std::int64_t leastClasses() const override {
    switch (plan_.loss) {
      case ApgdLoss::Dlr:
        return bulwark::leastClasses(LogitLoss::Dlr);
      case ApgdLoss::Targeted:
        return bulwark::leastClasses(LogitLoss::TargetedDlr);
      case ApgdLoss::Margin:
        return bulwark::leastClasses(LogitLoss::Margin);
      default:
        return 0;
    }
  }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    switch (plan_.loss) {
      case ApgdLoss::Score:
      case ApgdLoss::CrossEntropy:
        return climb(objective, images, context);
      case ApgdLoss::Dlr:
        return climbLogits(LogitLoss::Dlr, objective, images, context);
      case ApgdLoss::Margin:
        return climbLogits(LogitLoss::Margin, objective, images, context);
      case ApgdLoss::Targeted:
        return climbTargets(objective, images, context);
    }
    return {};
  }

 private:
  std::int64_t rounds() const { return plan_.loss == ApgdLoss::Targeted ? plan_.targets : 1; }

  AttackResult climb(Objective& objective, const torch::Tensor& images,
                     const AttackContext& context) const {
    const WalkPlan walkPlan{.name = plan_.name,
                            .threat = plan_.threat,
                            .steps = plan_.steps,
                            .restarts = plan_.restarts};
    const auto walker = [this](const torch::Tensor& batch) {
      return std::make_unique<ApgdWalker>(plan_.threat, plan_.steps, plan_.rho, batch);
    };
    return walk(walkPlan, walker, objective, images, context);
  }

  AttackResult climbLogits(LogitLoss loss, Objective& objective, const torch::Tensor& images,
                           const AttackContext& context) const {
    requireClasses(loss, objective.classes(), plan_.name + ".loss");
    LogitObjective guided(objective, loss);
    return climb(guided, images, context);
  }

  AttackResult climbTargets(Objective& objective, const torch::Tensor& images,
                            const AttackContext& context) const {
    requireClasses(LogitLoss::TargetedDlr, objective.classes(), plan_.name + ".loss");
    requireImages(images, plan_.name);
    const std::int64_t rounds = std::min(plan_.targets, objective.classes() - 1);
    const auto targets = likelyWrongClasses(objective, images, rounds, context);
    WorstOf worst(plan_.name, objective, images, context);
    worst.count(images.size(0), 0);
    for (std::int64_t round = 0; round < rounds; ++round) {
      const auto member = [&](Objective& base, const torch::Tensor& batch, AttackContext around) {
        LogitObjective guided(base, LogitLoss::TargetedDlr, targets.select(1, round));
        if (context.starts.defined()) {
          const std::int64_t first = plan_.sharedStarts ? 0 : round * plan_.restarts;
          around.starts = context.starts.slice(1, first, first + plan_.restarts);
        }
        return climb(guided, batch, around);
      };
      worst.add("target " + std::to_string(round + 1) + " of " + std::to_string(rounds), member);
    }
    return worst.take();
  }

  ApgdPlan plan_;
};

}  // namespace

std::vector<std::int64_t> apgdCheckpoints(std::int64_t steps) {
  const auto share = [&](std::int64_t percent) {
    return std::max<std::int64_t>(1, percent * steps / 100);
  };
  std::vector<std::int64_t> checkpoints;
  std::int64_t period = share(22);
  for (std::int64_t at = period; at <= steps; at += period) {
    checkpoints.push_back(at);
    period = std::max(period - share(3), share(6));
  }
  return checkpoints;
}

ApgdWalker::ApgdWalker(const ThreatModel& threat, std::int64_t steps, double rho,
                       const torch::Tensor& images)
    : threat_(threat),
      rho_(rho),
      periods_(static_cast<std::size_t>(steps) + 1, 0),
      ball_(threat, images),
      points_(images.clone(torch::MemoryFormat::Contiguous)),
      previous_(points_.clone()),
      direction_(torch::zeros_like(points_)),
      buffer_(torch::empty_like(points_)),
      drift_(torch::empty_like(points_)),
      bestPoint_(points_.clone()),
      bestDirection_(torch::zeros_like(points_)) {
  std::int64_t before = 0;
  for (const auto at : apgdCheckpoints(steps)) {
    periods_[static_cast<std::size_t>(at)] = at - before;
    before = at;
  }
  const auto rows = images.size(0);
  const auto real = torch::TensorOptions(images.device()).dtype(torch::kFloat64);
  step_ = torch::zeros({rows}, images.options());
  pull_ = torch::ones({rows}, images.options());
  for (auto* values : {&bestValue_, &lastValue_, &valueAtCheck_, &rises_}) {
    *values = torch::zeros({rows}, real);
  }
  halved_ = torch::ones({rows}, real.dtype(torch::kBool));
}

/// A direction drawn at random, as far out as the ball allows: for l-inf at least one pixel is
/// at the boundary.
torch::Tensor ApgdWalker::start(const torch::Tensor& image, Seed seed) const {
  Random random(seed);
  auto direction = torch::empty(image.sizes(), torch::kFloat32);
  float* const values = direction.data_ptr<float>();
  const bool l2 = threat_.norm == Norm::L2;
  for (std::int64_t i = 0; i < direction.numel(); ++i) {
    values[i] = static_cast<float>(l2 ? random.normal() : 2.0 * random.uniform() - 1.0);
  }
  const double size = (l2 ? direction.norm() : direction.abs().max()).item<double>();
  return image + direction * (threat_.epsilon / std::max(size, 1e-12));
}

void ApgdWalker::seat(const std::vector<Seat>& seats, const torch::Tensor& images) {
  const auto rows = rowsOf(seats, points_.device());
  ball_.place(rows, images);
  const auto onHost = images.to(torch::kCPU);
  std::vector<torch::Tensor> starts;
  for (std::size_t i = 0; i < seats.size(); ++i) {
    const Seat& seat = seats[i];
    starts.push_back(seat.start.defined() ? seat.start
                                          : start(onHost[static_cast<std::int64_t>(i)], seat.seed));
  }
  const bool drawn = std::none_of(seats.begin(), seats.end(),
                                  [](const Seat& seat) { return seat.start.defined(); });
  points_.index_copy_(0, rows, torch::stack(starts).to(points_.device()));
  // Rows that are not new are within already, where projecting changes nothing but the rounding;
  // given starts are taken as they are.
  if (drawn) {
    auto placed = points_.clone();
    ball_.project(placed);
    points_.index_copy_(0, rows, placed.index_select(0, rows));
  }
  previous_.index_copy_(0, rows, points_.index_select(0, rows));
  step_.index_fill_(0, rows, 2.0 * threat_.epsilon);
  pull_.index_fill_(0, rows, 1.0);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  bestValue_.index_fill_(0, rows, -infinity);
  lastValue_.index_fill_(0, rows, infinity);  // the start is no rise
  valueAtCheck_.index_fill_(0, rows, -infinity);
  rises_.index_fill_(0, rows, 0);
  halved_.index_fill_(0, rows, true);
}

/// Enters the value and the ascent direction found at `points_`.
void ApgdWalker::record(const Evaluation& evaluation) {
  if (threat_.norm == Norm::L2) {
    // Divided by its largest entry first: squares of tiny gradients would underflow.
    constexpr float tiny = std::numeric_limits<float>::min();
    torch::div_out(direction_, evaluation.gradient, perRow(evaluation.magnitude.clamp_min(tiny)));
    direction_.div_(perRow(rowNorms(direction_).clamp_min_(1e-12)));
  } else {
    torch::sign_out(direction_, evaluation.gradient);
  }
  const auto& value = evaluation.guide;
  rises_.add_(value > lastValue_);
  lastValue_.copy_(value);
  const auto better = value > bestValue_;
  torch::where_out(bestValue_, better, value, bestValue_);
  torch::where_out(bestPoint_, perRow(better), points_, bestPoint_);
  torch::where_out(bestDirection_, perRow(better), direction_, bestDirection_);
}

/// At the end of a period the step is halved, and the row returns to its best point, when the loss
/// rose in at most a share rho of the period's moves, or when the step was left as it was at the
/// last checkpoint and the best loss has not improved since.
void ApgdWalker::reviewSteps(const std::vector<std::int64_t>& steps) {
  std::vector<double> periods;
  for (const auto step : steps) {
    const auto at = static_cast<std::size_t>(step);
    periods.push_back(at < periods_.size() ? static_cast<double>(periods_[at]) : 0.0);
  }
  if (std::all_of(periods.begin(), periods.end(), [](double p) { return p == 0.0; })) return;
  const auto period = torch::tensor(periods, torch::kFloat64).to(points_.device());
  const auto due = period > 0;
  const auto oscillates = rises_ <= period * rho_;
  const auto stuck = halved_.logical_not().logical_and(valueAtCheck_ >= bestValue_);
  const auto halve = due.logical_and(oscillates.logical_or(stuck));
  step_ = torch::where(halve, step_ / 2, step_);
  torch::where_out(points_, perRow(halve), bestPoint_, points_);
  torch::where_out(direction_, perRow(halve), bestDirection_, direction_);
  halved_ = torch::where(due, halve, halved_);
  valueAtCheck_ = torch::where(due, bestValue_, valueAtCheck_);
  rises_.masked_fill_(due, 0);
}

void ApgdWalker::move(const Evaluation& evaluation) {
  record(evaluation);
  reviewSteps(evaluation.steps);
  // z = Proj(x + step direction);  x' = Proj(x + a (z - x) + (1 - a)(x - x_previous))
  torch::addcmul_out(buffer_, points_, direction_, perRow(step_));
  ball_.project(buffer_);
  buffer_.sub_(points_).mul_(perRow(pull_));
  torch::sub_out(drift_, points_, previous_);
  drift_.mul_(perRow(1 - pull_));
  previous_.copy_(points_);
  points_.add_(buffer_).add_(drift_);
  ball_.project(points_);
  pull_.fill_(kInertia);
}

std::vector<torch::Tensor*> ApgdWalker::state() {
  return {&points_,    &previous_,      &direction_, &buffer_, &drift_,
          &bestPoint_, &bestDirection_, &step_,      &pull_,   &bestValue_,
          &lastValue_, &valueAtCheck_,  &rises_,     &halved_};
}

void ApgdWalker::keep(const torch::Tensor& rows) {
  ball_.keep(rows);
  for (auto* tensor : state()) *tensor = tensor->index_select(0, rows);
}

std::unique_ptr<Attack> makeApgd(const ApgdPlan& plan) {
  return std::make_unique<Apgd>(plan);
}

void addApgd(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "apgd";
  info.title = "Auto-PGD";
  info.summary = "Ascent with momentum that halves its step where the loss stops rising";
  info.reference = "Croce and Hein, ICML 2020";
  info.traits = {"white box", "needs gradient"};
  const std::string source = "Croce and Hein 2020, section 3 and AutoAttack's code";
  addThreatOptions(info.options, "Croce and Hein 2020, section 6: 8 of 255, l-inf, on CIFAR-10");
  info.options.integer("steps", 100, "Gradient steps per restart")
      .range(1, 100000)
      .in("steps")
      .from(source)
      .simple();
  info.options
      .choice("loss", "score", {"score", "ce", "dlr", "targeted"},
              "What is climbed. score, ce: a detector's score, a classifier's "
              "cross-entropy; dlr (3 classes or more) and targeted (4 or more): ratios of "
              "logits, for classifiers only")
      .from(source)
      .simple();
  info.options.integer("restarts", 1, "Starts, for each target; the best point of all is kept")
      .range(1, 10000)
      .from(source);
  info.options.integer("targets", 9, "Most likely wrong classes that targeted goes through")
      .range(1, 1000)
      .in("classes")
      .from(source);
  info.options.number("rho", 0.75, "Share of rising steps at or below which the step is halved")
      .range(0, 1)
      .from(source)
      .expert();
  addGradientAttack(registry, info, [](const Params& params) {
    ApgdPlan plan;
    plan.threat = threatOf(params, "apgd");
    plan.steps = params.getInt("steps");
    plan.restarts = params.getInt("restarts");
    plan.targets = params.getInt("targets");
    plan.rho = params.getNumber("rho");
    const std::string loss = params.getText("loss");
    plan.loss = loss == "ce"         ? ApgdLoss::CrossEntropy
                : loss == "dlr"      ? ApgdLoss::Dlr
                : loss == "targeted" ? ApgdLoss::Targeted
                                     : ApgdLoss::Score;
    return makeApgd(plan);
  });
}

}  // namespace bulwark
