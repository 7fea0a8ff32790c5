#include "core/training/trained_weights.h"

#include "core/base/error.h"
#include "core/base/text.h"

namespace bulwark {

TrainedWeights::TrainedWeights(const torch::nn::Module& module) {
  for (const auto& parameter : module.parameters()) initial_.push_back(parameter.detach().clone());
}

void TrainedWeights::requireMoved(const torch::nn::Module& module, const std::string& where) const {
  std::vector<std::string> still;
  std::size_t i = 0;
  for (const auto& item : module.named_parameters()) {
    if (!torch::isfinite(item.value()).all().item<bool>()) {
      throw Error::failed("the training ended with weights that are not finite: " + item.key(),
                          where, "try a smaller learning rate");
    }
    if (torch::equal(item.value(), initial_[i++])) still.push_back(item.key());
  }
  if (!still.empty()) {
    throw Error::failed("the training did not move " + join(still, ", "), where,
                        "try a larger learning rate or more epochs; with ReLU another seed");
  }
}

}  // namespace bulwark
