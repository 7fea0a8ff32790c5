#include "core/attacks/logit_objective.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "core/attacks/classification_objective.h"
#include "core/base/error.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

constexpr double kTiny = 1e-12;  // in the denominators, as published

}  // namespace

std::int64_t leastClasses(LogitLoss loss) {
  return loss == LogitLoss::TargetedDlr ? 4 : loss == LogitLoss::Dlr ? 3 : 2;
}

void requireClasses(LogitLoss loss, std::int64_t classes, const std::string& where) {
  if (classes == 0) {
    throw Error::badInput("this loss compares the logits of a classifier; a score is one number",
                          where, "use the loss \"score\"");
  }
  const std::int64_t least = leastClasses(loss);
  if (classes >= least) return;
  throw Error::badInput("this loss divides by a gap between sorted logits and needs at least " +
                            std::to_string(least) + " classes, the network has " +
                            std::to_string(classes),
                        where, "use the loss \"ce\"");
}

torch::Tensor logitLoss(LogitLoss loss, const torch::Tensor& logits, const torch::Tensor& labels,
                        const torch::Tensor& targets) {
  if (loss == LogitLoss::Margin) return classificationMargin(logits, labels);
  const auto sorted =
      std::get<0>(logits.topk(loss == LogitLoss::TargetedDlr ? 4 : 3, 1));  // falling
  if (loss == LogitLoss::Dlr) {
    return classificationMargin(logits, labels) /
           (sorted.select(1, 0) - sorted.select(1, 2) + kTiny);
  }
  const auto of = [&](const torch::Tensor& classes) {
    return logits.gather(1, classes.unsqueeze(1)).squeeze(1);
  };
  return (of(targets) - of(labels)) /
         (sorted.select(1, 0) - (sorted.select(1, 2) + sorted.select(1, 3)) / 2 + kTiny);
}

LogitObjective::LogitObjective(Objective& base, LogitLoss loss, torch::Tensor targets)
    : base_(base), loss_(loss), targets_(std::move(targets)) {}

Objective::Values LogitObjective::evaluate(const torch::Tensor& images,
                                           const torch::Tensor& samples) {
  const auto scores = base_.logits(images);
  const auto truth = base_.labels(samples, images.device());
  torch::Tensor targets;
  if (targets_.defined()) targets = targets_.index_select(0, samples).to(images.device());
  return {logitLoss(loss_, scores, truth, targets), base_.judgeLogits(scores.detach(), truth)};
}

torch::Tensor LogitObjective::judge(const torch::Tensor& images, const torch::Tensor& samples) {
  return base_.judge(images, samples);
}

torch::Tensor LogitObjective::labels(const torch::Tensor& samples,
                                     const torch::Device& device) const {
  return base_.labels(samples, device);
}

torch::Tensor LogitObjective::judgeLogits(const torch::Tensor& logits,
                                          const torch::Tensor& labels) const {
  return base_.judgeLogits(logits, labels);
}

torch::Tensor likelyWrongClasses(Objective& objective, const torch::Tensor& images,
                                 std::int64_t count, const AttackContext& context) {
  const torch::NoGradGuard noGrad;
  const std::int64_t total = images.size(0);
  const std::int64_t width =
      std::max<std::int64_t>(1, passSize(total, std::max<std::int64_t>(1, context.batchSize)));
  std::vector<torch::Tensor> classes = {torch::empty({0, count}, torch::kInt64)};
  for (std::int64_t begin = 0; begin < total; begin += width) {
    context.task.checkpoint();
    const auto samples = torch::arange(begin, std::min(begin + width, total));
    const auto logits = objective.logits(toDevice(images.index_select(0, samples), context.device));
    const auto truth = objective.labels(samples, context.device).unsqueeze(1);
    const auto wrong = logits.scatter(1, truth, -std::numeric_limits<double>::infinity());
    classes.push_back(std::get<1>(wrong.topk(count, 1)).to(torch::kCPU));
  }
  return torch::cat(classes);
}

}  // namespace bulwark
