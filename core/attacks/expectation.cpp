#include "core/attacks/expectation.h"

#include <memory>
#include <utility>

#include "core/attacks/demands.h"

namespace bulwark {
namespace {

/// An attack that averages over draws where the objective is random.
class ExpectationAttack : public Attack, public Demands {
 public:
  /// `draws` 0: as many as are usual.
  ExpectationAttack(std::unique_ptr<Attack> attack, std::int64_t draws)
      : attack_(std::move(attack)), draws_(draws) {}

  ThreatModel threat() const override { return attack_->threat(); }
  std::int64_t forwardsPerImage() const override { return attack_->forwardsPerImage(); }
  std::int64_t backwardsPerImage() const override { return attack_->backwardsPerImage(); }
  Propagations propagations(const AttackSubject& subject) const override {
    const auto once = propagationsOf(*attack_, subject);
    const std::int64_t draws = subject.randomised ? drawsTaken() : 1;
    return {once.forwards * draws, once.backwards * draws};
  }
  std::int64_t leastClasses() const override { return leastClassesOf(*attack_); }
  bool stepsAreNested() const override { return attack_->stepsAreNested(); }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    if (!isRandomised(objective)) return attack_->perturb(objective, images, context);
    if (draws_ == 1) {
      context.task.log(LogLevel::Warning,
                       "The score is random and eot is 1: each step follows the gradient of a "
                       "single draw, which makes the score look more robust than it is.");
      return attack_->perturb(objective, images, context);
    }
    ExpectedObjective expected(objective, drawsTaken());
    return attack_->perturb(expected, images, context);
  }

 private:
  std::int64_t drawsTaken() const { return draws_ > 0 ? draws_ : kUsualDraws; }

  std::unique_ptr<Attack> attack_;
  std::int64_t draws_;
};

}  // namespace

Objective::Values ExpectedObjective::evaluate(const torch::Tensor& images,
                                              const torch::Tensor& samples) {
  torch::Tensor guide, judged, slope;
  const auto add = [](torch::Tensor& sum, const torch::Tensor& value) {
    sum = sum.defined() ? sum + value : value;
  };
  for (std::int64_t draw = 0; draw < draws_; ++draw) {
    const auto found = base_.evaluate(images, samples);
    if (images.requires_grad() && found.guide.requires_grad()) {
      add(slope, torch::autograd::grad({found.guide.sum()}, {images})[0]);
    }
    const torch::NoGradGuard noGrad;
    add(guide, found.guide.detach());
    add(judged, found.judged);
  }
  const auto count = static_cast<double>(draws_);
  guide = guide / count;
  judged = judged / count;
  if (!slope.defined()) return {guide, judged};
  // A function of that value whose gradient is the mean of the draws'.
  const auto along = ((images - images.detach()) * (slope / count)).flatten(1).sum(1);
  return {along + guide, judged};
}

torch::Tensor ExpectedObjective::judge(const torch::Tensor& images, const torch::Tensor& samples) {
  const torch::NoGradGuard noGrad;
  auto sum = base_.judge(images, samples);
  for (std::int64_t draw = 1; draw < draws_; ++draw) sum = sum + base_.judge(images, samples);
  return sum / static_cast<double>(draws_);
}

Passes ExpectedObjective::passes() const {
  const auto once = passesOf(base_);
  return {once.evaluate * draws_, once.judge * draws_, once.gradient * draws_};
}

torch::Tensor ExpectedObjective::logits(const torch::Tensor& images) {
  auto sum = base_.logits(images);
  for (std::int64_t draw = 1; draw < draws_; ++draw) sum = sum + base_.logits(images);
  return sum / static_cast<double>(draws_);
}

torch::Tensor ExpectedObjective::labels(const torch::Tensor& samples,
                                        const torch::Device& device) const {
  return base_.labels(samples, device);
}

torch::Tensor ExpectedObjective::judgeLogits(const torch::Tensor& logits,
                                             const torch::Tensor& labels) const {
  return base_.judgeLogits(logits, labels);
}

void addGradientAttack(Registry<Attack>& registry, ComponentInfo info,
                       Registry<Attack>::Factory factory) {
  info.options
      .integer("eot", 0,
               "Draws of a random score that values and gradients are averaged over; 0: 10 where "
               "the score is random, else 1; without effect where it is not")
      .range(0, 10000)
      .in("draws")
      .from("Athalye et al. 2018; AutoAttack's version rand: 20")
      .expert();
  registry.add(std::move(info), [factory = std::move(factory)](const Params& params) {
    return std::make_unique<ExpectationAttack>(factory(params), params.getInt("eot"));
  });
}

}  // namespace bulwark
