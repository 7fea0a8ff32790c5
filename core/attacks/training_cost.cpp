#include "core/attacks/training_cost.h"

#include <algorithm>
#include <vector>

#include "core/attacks/resources.h"
#include "core/base/error.h"
#include "core/nn/autoencoder.h"
#include "core/nn/device.h"

namespace bulwark {

void TrainingCost::declare(OptionSchema& options) {
  options
      .choice("loss", "objective", {"objective", "ce", "mse", "total"},
              "What the gradient is taken of: the attacked score or class itself, or a cost of the "
              "classifier (cross-entropy; the squared error of an autoencoder; both, as trained) "
              "that the judge does not see")
      .from("Alipour and Seyyedsalehi (attractors), equation 1: total");
  options
      .choice("out_direction", "raise", {"raise", "lower"},
              "What is done to a cost on out images: raising it makes them less like the training "
              "images, lowering it hides them")
      .from("Alipour and Seyyedsalehi, section 3.1.3: raised")
      .expert();
  options.number("reconstruction_weight", 0.988, "Weight of the squared error in the loss total")
      .range(0, 1e6)
      .from("Alipour and Seyyedsalehi, section 2.5.2")
      .expert();
  options.number("class_weight", 0.01, "Weight of the cross-entropy in the loss total")
      .range(0, 1e6)
      .from("Alipour and Seyyedsalehi, section 2.5.2")
      .expert();
}

TrainingCost TrainingCost::from(const Params& params) {
  TrainingCost cost;
  const std::string loss = params.getText("loss");
  if (loss == "ce") cost.kind = Kind::CrossEntropy;
  if (loss == "mse") cost.kind = Kind::SquaredError;
  if (loss == "total") cost.kind = Kind::Total;
  cost.reconstruction = params.getNumber("reconstruction_weight");
  cost.classes = params.getNumber("class_weight");
  cost.lowersOut = params.getText("out_direction") == "lower";
  return cost;
}

TrainingCostObjective::TrainingCostObjective(Objective& base, TrainingCost cost,
                                             const torch::Tensor& images,
                                             const AttackContext& context)
    : base_(base), cost_(cost) {
  if (!context.resources || !context.resources->classifier) {
    throw Error::failed("there is no classifier whose cost could be followed", "loss",
                        "set loss to 'objective'");
  }
  network_ = context.resources->classifier;
  if (cost_.kind != TrainingCost::Kind::CrossEntropy) requireAutoencoder(*network_, "loss");
  labels_ = context.resources->labels;
  if (labels_.defined()) return;
  if (cost_.lowersOut) sign_ = -1.0;
  const torch::NoGradGuard noGrad;
  labels_ = torch::empty({images.size(0)}, torch::kInt64);
  for (std::int64_t begin = 0; begin < images.size(0); begin += context.batchSize) {
    context.task.checkpoint();
    const std::int64_t end = std::min(begin + context.batchSize, images.size(0));
    const auto batch = toDevice(images.slice(0, begin, end), context.device);
    labels_.slice(0, begin, end).copy_(network_->forward(batch).argmax(1));
  }
}

torch::Tensor TrainingCostObjective::cost(const torch::Tensor& images,
                                          const torch::Tensor& samples) const {
  torch::Tensor total;
  const bool both = cost_.kind == TrainingCost::Kind::Total;
  if (cost_.kind != TrainingCost::Kind::SquaredError) {
    const auto labels = labels_.index_select(0, samples).to(images.device());
    total = torch::nn::functional::cross_entropy(
        network_->forward(images), labels,
        torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kNone));
    if (both) total = cost_.classes * total;
  }
  if (cost_.kind != TrainingCost::Kind::CrossEntropy) {
    auto& autoencoder = requireAutoencoder(*network_, "loss");
    const auto error = (autoencoder.reconstruct(images) - images).flatten(1).square().mean(1);
    total = both ? total + cost_.reconstruction * error : error;
  }
  return total;
}

Objective::Values TrainingCostObjective::evaluate(const torch::Tensor& images,
                                                  const torch::Tensor& samples) {
  return {sign_ * cost(images, samples), judge(images, samples)};
}

torch::Tensor TrainingCostObjective::judge(const torch::Tensor& images,
                                           const torch::Tensor& samples) {
  return base_.judge(images.detach(), samples);
}

Passes TrainingCostObjective::passes() const {
  const auto base = passesOf(base_);
  return {base.judge + (cost_.kind == TrainingCost::Kind::Total ? 2 : 1), base.judge, 1};
}

}  // namespace bulwark
