#include "core/attacks/classification_objective.h"

#include <limits>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/nn/log_odds.h"

namespace bulwark {

ClassificationObjective::ClassificationObjective(Network& network, torch::Tensor labels)
    : network_(network), labels_(std::move(labels)) {
  const std::int64_t classes = network.shape().classes;
  if (labels_.size(0) == 0) return;
  const auto least = labels_.min().item<std::int64_t>(), most = labels_.max().item<std::int64_t>();
  if (least < 0 || most >= classes) {
    throw Error::badInput("labels run from " + std::to_string(least) + " to " +
                              std::to_string(most) + ", the network tells " +
                              std::to_string(classes) + " classes apart",
                          "labels", "the cross-entropy needs the true class of every image");
  }
}

Objective::Values ClassificationObjective::evaluate(const torch::Tensor& images,
                                                    const torch::Tensor& samples) {
  const auto truth = labels(samples, images.device());
  const auto scores = network_.forward(images);
  return {negativeLogOdds(scores, truth), judgeLogits(scores, truth)};
}

std::int64_t ClassificationObjective::classes() const {
  return network_.shape().classes;
}

torch::Tensor ClassificationObjective::logits(const torch::Tensor& images) {
  return network_.forward(images);
}

torch::Tensor ClassificationObjective::labels(const torch::Tensor& samples,
                                              const torch::Device& device) const {
  return labels_.index_select(0, samples).to(device);
}

torch::Tensor ClassificationObjective::judgeLogits(const torch::Tensor& logits,
                                                   const torch::Tensor& labels) const {
  const torch::NoGradGuard noGrad;
  return classificationMargin(logits.detach(), labels);
}

torch::Tensor classificationMargin(const torch::Tensor& logits, const torch::Tensor& labels) {
  const auto index = labels.unsqueeze(1);
  const auto truth = logits.gather(1, index).squeeze(1);
  const auto others = logits.scatter(1, index, -std::numeric_limits<double>::infinity());
  return std::get<0>(others.max(1)) - truth;
}

}  // namespace bulwark
