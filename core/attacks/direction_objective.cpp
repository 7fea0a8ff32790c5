#include "core/attacks/direction_objective.h"

#include <algorithm>

#include "core/attacks/classification_objective.h"
#include "core/attacks/resources.h"
#include "core/nn/device.h"
#include "core/nn/network.h"

namespace bulwark {

DirectionObjective::DirectionObjective(Objective& base, const torch::Tensor& images,
                                       const AttackContext& context)
    : base_(base), led_(static_cast<std::size_t>(images.size(0)), kOwn) {
  if (base.classes() > 0) {
    dimensions_ = base.classes();
  } else {
    if (context.resources) classifier_ = context.resources->classifier;
    const torch::NoGradGuard noGrad;
    const auto one = toDevice(images.slice(0, 0, 1), context.device);
    dimensions_ = images.size(0) > 0 ? basis(one).size(1) : 0;
    if (classifier_) probeForwards_ = one.size(0);
  }
  directions_ = torch::zeros({images.size(0), dimensions_}, torch::TensorOptions(context.device));
}

torch::Tensor DirectionObjective::basis(const torch::Tensor& images) const {
  return classifier_ ? classifier_->features(images) : images.flatten(1);
}

void DirectionObjective::lead(const std::vector<std::int64_t>& samples,
                              const torch::Tensor& directions) {
  const torch::NoGradGuard noGrad;
  const auto index = torch::tensor(samples, torch::kInt64).to(directions_.device());
  directions_.index_copy_(0, index, directions.to(directions_.device()));
  for (const auto sample : samples) led_[static_cast<std::size_t>(sample)] = kLed;
}

void DirectionObjective::release(const std::vector<std::int64_t>& samples) {
  for (const auto sample : samples) led_[static_cast<std::size_t>(sample)] = kOwn;
}

void DirectionObjective::rest(const std::vector<std::int64_t>& samples) {
  for (const auto sample : samples) {
    auto& guide = led_[static_cast<std::size_t>(sample)];
    if (guide == kLed) guide = kLedToItsEnd;
  }
}

Objective::Values DirectionObjective::evaluate(const torch::Tensor& images,
                                               const torch::Tensor& samples) {
  std::vector<std::uint8_t> led;
  const auto* positions = samples.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < samples.size(0); ++i) {
    led.push_back(led_[static_cast<std::size_t>(positions[i])]);
  }
  const bool none = std::find(led.begin(), led.end(), kLed) == led.end();
  const bool all = std::find(led.begin(), led.end(), kOwn) == led.end();
  const auto alongDirection = [&](const torch::Tensor& values) {
    const auto index = samples.to(images.device());
    return (values * directions_.index_select(0, index)).sum(1);
  };
  const auto chosen = [&] {
    return torch::tensor(led, torch::kUInt8).to(torch::kBool).to(images.device());
  };
  if (classes() > 0) {
    const auto scores = base_.logits(images);
    const auto truth = base_.labels(samples, images.device());
    const auto margin = classificationMargin(scores, truth);
    const auto guide = none ? margin : torch::where(chosen(), alongDirection(scores), margin);
    return {guide, base_.judgeLogits(scores.detach(), truth)};
  }
  if (none) return base_.evaluate(images, samples);
  const auto direction = alongDirection(basis(images));
  if (all) return {direction, base_.judge(images, samples)};
  const auto own = base_.evaluate(images, samples);
  return {torch::where(chosen(), direction, own.guide), own.judged};
}

torch::Tensor DirectionObjective::judge(const torch::Tensor& images, const torch::Tensor& samples) {
  return base_.judge(images, samples);
}

torch::Tensor DirectionObjective::labels(const torch::Tensor& samples,
                                         const torch::Device& device) const {
  return base_.labels(samples, device);
}

torch::Tensor DirectionObjective::judgeLogits(const torch::Tensor& logits,
                                              const torch::Tensor& labels) const {
  return base_.judgeLogits(logits, labels);
}

}  // namespace bulwark
