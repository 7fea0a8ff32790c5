#include <limits>
#include <memory>
#include <utility>

#include "core/attacks/ball.h"
#include "core/attacks/builtin.h"
#include "core/attacks/demands.h"
#include "core/attacks/expectation.h"
#include "core/attacks/nearest.h"
#include "core/attacks/nearest_boundary.h"

namespace bulwark {
namespace {

struct DeepFoolPlan {
  NearestPlan nearest;
  double overshoot = 0.02;
};

/// The nearest of the linearised boundaries f_k + <w_k, z - x> = 0, over and over:
///   k = arg min |f_k| / ||w_k||_2,  r = |f_k| / ||w_k||_2^2 w_k          (l2)
///   k = arg min |f_k| / ||w_k||_1,  r = |f_k| / ||w_k||_1 sign(w_k)      (l-inf)
///   x = x_0 + (1 + overshoot) (sum of all r).
/// A classifier's f_k are logit differences to the true class; a score has one f, its distance
/// from the threshold.
class DeepFoolSeeker : public Seeker {
 public:
  DeepFoolSeeker(const DeepFoolPlan& plan, const torch::Tensor& images)
      : plan_(plan),
        centres_(images.clone()),
        points_(images.clone()),
        moved_(torch::zeros_like(images)) {}

  const torch::Tensor& points() const override { return points_; }

  void begin(const std::vector<Quest>& quests, const torch::Tensor& images) override {
    const auto rows = rowsOf(quests, points_.device());
    centres_.index_copy_(0, rows, images);
    points_.index_copy_(0, rows, images);
    moved_.index_fill_(0, rows, 0);
  }

  torch::Tensor functions(const torch::Tensor& logits, const torch::Tensor& /*labels*/) override {
    return logits;
  }

  torch::Tensor move(const Sight& sight) override {
    const bool squares = plan_.nearest.distance == Distance::L2;
    const auto boundary = nearestBoundary(sight, plan_.nearest.distance, 0.0);
    const auto least = boundary.distance.unsqueeze(1);
    auto step = squares ? boundary.normal * (least / boundary.dual.unsqueeze(1))
                        : boundary.normal.sign() * least;
    const auto stuck = boundary.distance == kNever;
    step.masked_fill_(stuck.unsqueeze(1), 0.0);
    moved_.add_(step.view_as(moved_).to(moved_.scalar_type()));
    points_ = (centres_ + moved_ * (1 + plan_.overshoot)).clamp_(0, 1);
    return sight.crossed | stuck;
  }

  void keep(const torch::Tensor& rows) override {
    for (torch::Tensor* tensor : {&centres_, &points_, &moved_}) {
      *tensor = tensor->index_select(0, rows);
    }
  }

 private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  const DeepFoolPlan& plan_;
  torch::Tensor centres_, points_, moved_;
};

/// Moosavi-Dezfooli, Fawzi and Frossard, "DeepFool", CVPR 2016, algorithm 2 and section 3.3.
class DeepFool : public Attack, public Demands {
 public:
  explicit DeepFool(DeepFoolPlan plan) : plan_(std::move(plan)) {}

  ThreatModel threat() const override { return plan_.nearest.threat; }
  std::int64_t forwardsPerImage() const override {
    return kMostThresholds * (plan_.nearest.passes + 1);
  }
  std::int64_t backwardsPerImage() const override { return kMostThresholds * plan_.nearest.passes; }
  /// Of every logit, and of the true class once more where they are not held at once.
  Propagations propagations(const AttackSubject& subject) const override {
    return propagationsWith(*this, subject, subject.classes + 1);
  }
  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    const auto seeker = [this](const torch::Tensor& batch) {
      return std::make_unique<DeepFoolSeeker>(plan_, batch);
    };
    return seekNearest(plan_.nearest, seeker, objective, images, context);
  }

 private:
  DeepFoolPlan plan_;
};

}  // namespace

void addDeepFool(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "deepfool";
  info.title = "DeepFool";
  info.summary = "Steps to the nearest linearised boundary until it is crossed";
  info.reference = "Moosavi-Dezfooli et al., CVPR 2016";
  info.traits = {"white box", "needs gradient", "minimum distance", "no intermediate results"};
  addNearestOptions(info.options, "l2", "0.5", "RobustBench: l2 radius 0.5 on CIFAR-10");
  info.options.integer("steps", 50, "Linearisations at most")
      .range(1, 10000)
      .in("steps")
      .from("Moosavi-Dezfooli et al. 2016, released code");
  info.options.number("overshoot", 0.02, "Share by which the boundary is overstepped")
      .range(0, 10)
      .from("Moosavi-Dezfooli et al. 2016, section 4.1")
      .expert();
  addGradientAttack(registry, info, [](const Params& params) {
    DeepFoolPlan plan;
    plan.nearest.name = "deepfool";
    plan.nearest.threat = nearestThreatOf(params, "deepfool");
    plan.nearest.distance = params.getText("norm") == "l2" ? Distance::L2 : Distance::Linf;
    plan.nearest.passes = params.getInt("steps") + 1;
    plan.overshoot = params.getNumber("overshoot");
    return std::make_unique<DeepFool>(plan);
  });
}

}  // namespace bulwark
