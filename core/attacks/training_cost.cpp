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
  options
      .choice(
          "out_label", "predicted", {"predicted", "own"},
          "The class of an out image in the cross-entropy: what the classifier says of the clean "
          "image, or its label in its own set, which must be one of the classifier's numbers")
      .from("Alipour and Seyyedsalehi do not say; own: their out sets have labels 0 to 9, too")
      .expert();
  options
      .number("reconstruction_weight", 0.0,
              "Weight of the squared error in the loss total; 0: as the classifier was trained")
      .range(0, 1e6)
      .from("Alipour and Seyyedsalehi, equation 1: the cost of the training")
      .expert();
  options
      .number("class_weight", 0.0,
              "Weight of the cross-entropy in the loss total; 0: as the classifier was trained")
      .range(0, 1e6)
      .from("Alipour and Seyyedsalehi, equation 1: the cost of the training")
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
  cost.ownLabels = params.getText("out_label") == "own";
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
  if (cost_.reconstruction == 0) cost_.reconstruction = context.resources->reconstructionWeight;
  if (cost_.classes == 0) cost_.classes = context.resources->classWeight;
  if (cost_.kind == TrainingCost::Kind::Total && cost_.reconstruction == 0 && cost_.classes == 0) {
    throw Error::failed("the weights that the classifier was trained with are not known", "loss",
                        "give reconstruction_weight and class_weight");
  }
  labels_ = context.resources->labels;
  if (labels_.defined()) return;
  if (cost_.lowersOut) sign_ = -1.0;
  if (cost_.ownLabels) {
    labels_ = context.resources->ownLabels;
    const std::int64_t classes = network_->shape().classes;
    if (!labels_.defined() || labels_.lt(0).any().item<bool>() ||
        labels_.ge(classes).any().item<bool>()) {
      throw Error::failed("the labels of an out set are not numbers of the classifier's classes",
                          "out_label", "set out_label to 'predicted'");
    }
    return;
  }
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
