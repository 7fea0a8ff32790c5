#include "core/attacks/fab.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/attacks/ball.h"
#include "core/attacks/builtin.h"
#include "core/attacks/demands.h"
#include "core/attacks/expectation.h"
#include "core/attacks/hyperplane.h"
#include "core/attacks/nearest_boundary.h"
#include "core/attacks/threat.h"

namespace bulwark {
namespace {

/// One iteration: linearise at x_k, project x_k and x_0 onto the hyperplane within the box, giving
/// the displacements d_k and d_0, then
///   alpha = min(||d_k|| / (||d_k|| + ||d_0||), alpha_max)
///   x_{k+1} = clip((1 - alpha) (x_k + eta d_k) + alpha (x_0 + eta d_0))
/// and where x_{k+1} has crossed, go on from x_0 + beta (x_{k+1} - x_0).
///
/// A point that crossed takes one pass, the point drawn back from it another: `drawn_` marks rows
/// whose point has been drawn back, which are linearised wherever they are.
class FabSeeker : public Seeker {
 public:
  FabSeeker(const FabPlan& plan, const torch::Tensor& images)
      : plan_(plan),
        centres_(images.clone()),
        points_(images.clone()),
        drawn_(torch::ones({images.size(0)},
                           torch::TensorOptions(images.device()).dtype(torch::kBool))),
        done_(torch::zeros({images.size(0)}, integers())),
        number_(torch::zeros({images.size(0)}, integers())) {}

  const torch::Tensor& points() const override { return points_; }

  void begin(const std::vector<Quest>& quests, const torch::Tensor& images) override {
    const auto rows = rowsOf(quests, points_.device());
    centres_.index_copy_(0, rows, images);
    std::vector<torch::Tensor> starts;
    std::vector<std::int64_t> numbers;
    const auto onHost = images.to(torch::kCPU);
    for (std::size_t i = 0; i < quests.size(); ++i) {
      starts.push_back(startOf(quests[i], onHost[static_cast<std::int64_t>(i)]));
      numbers.push_back(quests[i].number / plan_.restarts);
    }
    points_.index_copy_(0, rows, torch::stack(starts).to(points_.device()));
    number_.index_copy_(0, rows, torch::tensor(numbers, torch::kInt64).to(points_.device()));
    drawn_.index_fill_(0, rows, true);
    done_.index_fill_(0, rows, 0);
  }

  /// FAB: all logits; FAB-T: Z_t - Z_y for the target of the row. The order of the targets is that
  /// of the logits at the clean image, where the first search of every sample begins.
  torch::Tensor functions(const torch::Tensor& logits, const torch::Tensor& labels) override {
    if (plan_.targets == 0) return logits;
    const auto own = labels.unsqueeze(1);
    const auto order =
        logits.detach().scatter(1, own, -std::numeric_limits<double>::infinity()).argsort(1, true);
    if (!order_.defined()) order_ = order.clone();
    const auto first = (number_ == 0) & (done_ == 0) & drawn_ & atClean();
    order_ = torch::where(first.unsqueeze(1), order, order_);
    const auto target = order_.gather(1, number_.clamp_max(logits.size(1) - 2).unsqueeze(1));
    return logits.gather(1, target) - logits.gather(1, own);
  }

  torch::Tensor move(const Sight& sight) override {
    // A crossing is drawn back first, and evaluated there.
    const auto back = sight.crossed & drawn_.logical_not();
    const auto nearer = centres_ + plan_.beta * (points_ - centres_);
    const auto next = stepFrom(sight);
    points_ = torch::where(perRow(back), nearer, next).clamp_(0, 1);
    drawn_ = back;
    done_ = done_ + back.logical_not().to(torch::kInt64);
    // The point after the last step is still evaluated; drawn back it would lead nowhere.
    return (done_ > plan_.steps) | (back & (done_ >= plan_.steps));
  }

  void keep(const torch::Tensor& rows) override {
    for (torch::Tensor* tensor : {&centres_, &points_, &drawn_, &done_, &number_, &order_}) {
      if (tensor->defined()) *tensor = tensor->index_select(0, rows);
    }
  }

 private:
  torch::TensorOptions integers() const {
    return torch::TensorOptions(centres_.device()).dtype(torch::kInt64);
  }
  torch::Tensor atClean() const { return (points_ == centres_).flatten(1).all(1); }

  /// The clean image; restarts begin at half the radius that is still of interest.
  torch::Tensor startOf(const Quest& quest, const torch::Tensor& image) const {
    if (quest.number % plan_.restarts == 0) return image;
    if (quest.start.defined()) return quest.start;
    Random random(quest.seed);
    auto direction = torch::empty(image.sizes(), torch::kFloat64);
    double* const entries = direction.data_ptr<double>();
    const bool linf = plan_.distance == Distance::Linf;
    for (std::int64_t i = 0; i < direction.numel(); ++i) {
      entries[i] = linf ? 2 * random.uniform() - 1 : random.normal();
    }
    const double length = (linf ? direction.abs().max() : direction.norm()).item<double>() + 1e-12;
    const double radius = std::min(plan_.threat.epsilon, quest.nearest) / 2;
    return (image + (direction * (radius / length)).to(torch::kFloat32)).clamp(0, 1);
  }

  torch::Tensor stepFrom(const Sight& sight) const {
    const bool linf = plan_.distance == Distance::Linf;
    const auto [f, w, dual, far] = nearestBoundary(sight, plan_.distance, 1e-12);
    const auto x = points_.flatten(1).to(torch::kFloat64);
    const auto x0 = centres_.flatten(1).to(torch::kFloat64);
    const auto dk = toHyperplane(x, w, f, plan_.distance);
    const auto f0 = f + (w * (x0 - x)).sum(1);
    const auto d0 = toHyperplane(x0, w, f0, plan_.distance);
    const double order = linf ? std::numeric_limits<double>::infinity() : 2.0;
    const auto size = [&](const torch::Tensor& d) {
      return torch::linalg_vector_norm(d, order, torch::IntArrayRef{1}, true).clamp_min(1e-8);
    };
    const auto nk = size(dk), n0 = size(d0);
    const auto alpha = (nk / (nk + n0)).clamp_max(plan_.alphaMax);
    const auto next = (x + plan_.eta * dk) * (1 - alpha) + (x0 + plan_.eta * d0) * alpha;
    return next.clamp(0, 1).to(points_.scalar_type()).view_as(points_);
  }

  const FabPlan& plan_;
  torch::Tensor centres_, points_;
  torch::Tensor drawn_;   // [W] bool: go on from here whether it has crossed or not
  torch::Tensor done_;    // [W]: steps taken
  torch::Tensor number_;  // [W]: target in the order of likelihood
  torch::Tensor order_;   // [W, K]: classes by their logit at the clean image, the true one last
};

class Fab : public Attack, public Demands {
 public:
  explicit Fab(FabPlan plan) : plan_(std::move(plan)) {}

  ThreatModel threat() const override { return plan_.threat; }
  std::int64_t forwardsPerImage() const override { return searches() * (passes() + 1); }
  std::int64_t backwardsPerImage() const override { return searches() * passes(); }
  /// FAB: of every logit, and of the true class once more where they are not held at once.
  Propagations propagations(const AttackSubject& subject) const override {
    return propagationsWith(*this, subject, plan_.targets == 0 ? subject.classes + 1 : 1);
  }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    NearestPlan nearest;
    nearest.name = plan_.name;
    nearest.threat = plan_.threat;
    nearest.distance = plan_.distance;
    nearest.passes = passes();
    nearest.gradientBytes = plan_.gradientBytes;
    const std::int64_t classes = objective.classes();
    const std::int64_t targets =
        plan_.targets > 0 && classes > 0 ? std::min(plan_.targets, classes - 1) : 1;
    nearest.quests = targets * plan_.restarts;
    const auto seeker = [this](const torch::Tensor& batch) {
      return std::make_unique<FabSeeker>(plan_, batch);
    };
    return seekNearest(nearest, seeker, objective, images, context);
  }

 private:
  /// Every step may cross, and then takes two passes.
  std::int64_t passes() const { return 2 * plan_.steps + 1; }
  /// A score's thresholds, or a classifier's targets.
  std::int64_t searches() const {
    return plan_.restarts * std::max(kMostThresholds, plan_.targets);
  }

  FabPlan plan_;
};

void add(Registry<Attack>& registry, bool targeted) {
  ComponentInfo info;
  info.name = targeted ? "fab_t" : "fab";
  info.title = targeted ? "Fast adaptive boundary, targeted" : "Fast adaptive boundary";
  info.summary = targeted ? "FAB towards each of the likely wrong classes"
                          : "Nearest crossing by projections onto the linearised boundary";
  info.reference = "Croce and Hein, ICML 2020";
  info.traits = {"white box", "needs gradient", "minimum distance", "no intermediate results"};
  addNearestOptions(info.options, "linf", "8/255",
                    "Croce and Hein 2020, AutoAttack: 8 of 255, l-inf, on CIFAR-10");
  const std::string source = "Croce and Hein 2020, AutoAttack";
  info.options.integer("steps", 100, "Projections per restart")
      .range(1, 10000)
      .in("steps")
      .from(source)
      .simple();
  info.options.integer("restarts", 1, "Starts; the first is the clean image")
      .range(1, 1000)
      .from(source);
  if (targeted) {
    info.options.integer("targets", 9, "Most likely wrong classes that are tried")
        .range(1, 1000)
        .in("classes")
        .from(source);
  }
  info.options.number("alpha_max", 0.1, "Most that a step leans towards the clean image")
      .range(0, 1)
      .from(source)
      .expert();
  info.options.number("eta", 1.05, "Share by which projections are overstepped")
      .range(1, 10)
      .from(source)
      .expert();
  info.options.number("beta", 0.9, "Share of the way out at which a crossing is left")
      .range(0, 1)
      .from(source)
      .expert();
  addGradientAttack(registry, info, [targeted](const Params& params) {
    FabPlan plan;
    plan.name = targeted ? "fab_t" : "fab";
    plan.threat = nearestThreatOf(params, plan.name);
    plan.distance = params.getText("norm") == "l2" ? Distance::L2 : Distance::Linf;
    plan.steps = params.getInt("steps");
    plan.restarts = params.getInt("restarts");
    if (targeted) plan.targets = params.getInt("targets");
    plan.alphaMax = params.getNumber("alpha_max");
    plan.eta = params.getNumber("eta");
    plan.beta = params.getNumber("beta");
    return makeFab(plan);
  });
}

}  // namespace

std::unique_ptr<Attack> makeFab(const FabPlan& plan) {
  return std::make_unique<Fab>(plan);
}

void addFab(Registry<Attack>& registry) {
  add(registry, false);
  add(registry, true);
}

}  // namespace bulwark
