#include "core/attacks/classification_objective.h"

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
  const auto labels = labels_.index_select(0, samples).to(images.device());
  const auto guide = negativeLogOdds(network_.forward(images), labels);
  return {guide, torch::softplus(guide.detach())};
}

}  // namespace bulwark
