#include "core/attacks/objective.h"

#include <stdexcept>

namespace bulwark {

torch::Tensor Objective::logits(const torch::Tensor& /*images*/) {
  throw std::logic_error("the objective has no logits");
}

torch::Tensor Objective::labels(const torch::Tensor& /*samples*/,
                                const torch::Device& /*device*/) const {
  throw std::logic_error("the objective has no labels");
}

torch::Tensor Objective::judgeLogits(const torch::Tensor& /*logits*/,
                                     const torch::Tensor& /*labels*/) const {
  throw std::logic_error("the objective has no logits");
}

}  // namespace bulwark
