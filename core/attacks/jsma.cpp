#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "core/attacks/ball.h"
#include "core/attacks/builtin.h"
#include "core/attacks/demands.h"
#include "core/attacks/expectation.h"
#include "core/attacks/nearest.h"
#include "core/attacks/saliency.h"
#include "core/attacks/target_class.h"

namespace bulwark {
namespace {

struct JsmaPlan {
  double theta = 1.0, gamma = 0.1;
  bool increase = true;
  std::string target = "random";
};

/// Changes two pixels a step: those p, q whose change most raises the target's logit while lowering
/// the others',
///   arg max -(alpha_p + alpha_q) (beta_p + beta_q),  alpha_p + alpha_q > 0,  beta_p + beta_q < 0
///   alpha = dZ_t / dx,  beta = sum_{j != t} dZ_j / dx.
/// A score has no beta: the two largest positive dL / dx.
class JsmaSeeker : public Seeker {
 public:
  JsmaSeeker(const JsmaPlan& plan, const torch::Tensor& images)
      : plan_(plan),
        target_(plan.target, images.size(0), images.device()),
        points_(images.clone()) {}

  const torch::Tensor& points() const override { return points_; }

  void begin(const std::vector<Quest>& quests, const torch::Tensor& images) override {
    target_.begin(quests);
    points_.index_copy_(0, rowsOf(quests, points_.device()), images);
  }

  torch::Tensor functions(const torch::Tensor& logits, const torch::Tensor& labels) override {
    const auto own = target_.of(labels, logits.size(1)).unsqueeze(1);
    const auto aim = logits.gather(1, own);
    return torch::cat({aim, logits.sum(1, true) - aim}, 1);
  }

  /// The target is predicted; a score is beyond the threshold.
  torch::Tensor crossed(const Sight& sight) const override {
    if (!sight.logits.defined()) return sight.margin > 0;
    return sight.logits.argmax(1) == target_.of(sight.labels, sight.logits.size(1));
  }

  torch::Tensor move(const Sight& sight) override {
    // In decrease mode everything is mirrored: derivatives, and the side that saturates.
    const double sign = plan_.increase ? 1.0 : -1.0;
    std::vector<torch::Tensor> gradients;
    for (std::int64_t m = 0; m < sight.gradients->count(); ++m) {
      gradients.push_back(sight.gradients->of(m).flatten(1));
    }
    const auto slopes =
        (torch::stack(gradients, 1) * sign).to(torch::kCPU, torch::kFloat32).contiguous();
    auto pixels = points_.flatten(1).to(torch::kCPU).contiguous().clone();
    const auto stopped = sight.crossed.to(torch::kCPU).contiguous();
    const std::int64_t rows = pixels.size(0), count = pixels.size(1);
    auto over = torch::ones({rows}, torch::kBool);
    for (std::int64_t row = 0; row < rows; ++row) {
      if (stopped.data_ptr<bool>()[row]) continue;
      float* const x = pixels.data_ptr<float>() + row * count;
      const float* const alpha = slopes.data_ptr<float>() + row * slopes.size(1) * count;
      std::vector<std::int64_t> domain;
      for (std::int64_t i = 0; i < count; ++i) {
        if (plan_.increase ? x[i] < 1.0F : x[i] > 0.0F) domain.push_back(i);
      }
      const auto chosen = slopes.size(1) > 1 ? salientPair(domain, alpha, alpha + count)
                                             : largestTwo(domain, alpha);
      for (const auto i : chosen) {
        x[i] = std::clamp(x[i] + static_cast<float>(sign * plan_.theta), 0.0F, 1.0F);
      }
      over.data_ptr<bool>()[row] = chosen.empty();
    }
    points_ = pixels.view_as(points_).to(points_.device());
    return over.to(points_.device());
  }

  void keep(const torch::Tensor& rows) override {
    target_.keep(rows);
    points_ = points_.index_select(0, rows);
  }

 private:
  const JsmaPlan& plan_;
  TargetClass target_;
  torch::Tensor points_;
};

/// Jacobian-based saliency map attack (Papernot et al., EuroS&P 2016, algorithms 1 and 3). Its
/// budget is a number of entries, not a radius.
class Jsma : public Attack, public Demands {
 public:
  explicit Jsma(JsmaPlan plan) : plan_(std::move(plan)) {}

  ThreatModel threat() const override { return {Norm::None, 0.0}; }
  /// The number of steps is a share of the entries, taken here for 3 x 32 x 32.
  std::int64_t forwardsPerImage() const override { return stepsFor(kEntries) + 2; }
  std::int64_t backwardsPerImage() const override { return stepsFor(kEntries); }
  Propagations propagations(const AttackSubject& subject) const override {
    const auto steps = stepsFor(subject.entries > 0 ? subject.entries : kEntries);
    const auto& passes = subject.passes;
    return {(steps + 2) * std::max(passes.evaluate, passes.judge),
            steps * passes.gradient * (subject.classes > 0 ? 2 : 1)};
  }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    NearestPlan nearest;
    nearest.name = "jsma";
    nearest.threat = threat();
    nearest.distance = Distance::Changed;
    nearest.passes = stepsFor(images.dim() == 4 && images.size(0) > 0 ? images[0].numel() : 0) + 1;
    nearest.everyPoint = true;
    const auto seeker = [this](const torch::Tensor& batch) {
      return std::make_unique<JsmaSeeker>(plan_, batch);
    };
    return seekNearest(nearest, seeker, objective, images, context);
  }

 private:
  static constexpr std::int64_t kEntries = 3072;

  std::int64_t stepsFor(std::int64_t entries) const {
    return static_cast<std::int64_t>(
        std::floor(static_cast<double>(entries) * plan_.gamma / 2 + 1e-9));
  }

  JsmaPlan plan_;
};

}  // namespace

void addJsma(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "jsma";
  info.title = "Jacobian-based saliency map attack";
  info.summary = "Saturates few pixels, two at a time, chosen by their saliency";
  info.reference = "Papernot et al., EuroS&P 2016";
  info.traits = {"white box", "needs gradient", "few pixels", "no intermediate results"};
  const std::string source = "Ma et al. 2018 (LID), released code";
  info.options.number("gamma", 0.1, "Share of the entries that may change")
      .range(0, 1)
      .in("fraction of pixels and channels")
      .from(source)
      .simple();
  info.options.number("theta", 1, "Change of an entry per step").above(0, 1).from(source);
  info.options.choice("mode", "increase", {"increase", "decrease"}, "Direction of the changes")
      .from(source);
  info.options
      .choice("target", "random", {"random", "next"},
              "Class to be driven to: a random wrong one, or the one after the true one")
      .from(source + "; next: torchattacks");
  addGradientAttack(registry, info, [](const Params& params) {
    JsmaPlan plan;
    plan.theta = params.getNumber("theta");
    plan.gamma = params.getNumber("gamma");
    plan.increase = params.getText("mode") == "increase";
    plan.target = params.getText("target");
    return std::make_unique<Jsma>(plan);
  });
}

}  // namespace bulwark
