#pragma once

#include <torch/torch.h>

#include <string>

#include "core/attacks/attack.h"
#include "core/attacks/objective.h"
#include "core/attacks/passes.h"
#include "core/params/params.h"

namespace bulwark {

class Network;

/// The cost that an attack raises in place of its objective.
struct TrainingCost {
  enum class Kind {
    Objective,     ///< none: what is judged is followed
    CrossEntropy,  ///< of the classifier
    SquaredError,  ///< of the autoencoder, mean over pixels
    Total,         ///< both, weighted as in training
  };
  Kind kind = Kind::Objective;
  double reconstruction = 0.0, classes = 0.0;  ///< 0: as the classifier was trained
  bool lowersOut = false;  ///< images without a known class: the cost is lowered instead
  bool ownLabels = false;  ///< images without a known class: y is their label in their own set

  static void declare(OptionSchema& options);
  static TrainingCost from(const Params& params);
};

/// Leads an attack along the cost that the attacked network was trained with, as the published
/// FGSM on the attractor network does (Alipour and Seyyedsalehi, equation 1), while the objective
/// judges:
///   J(x) = a1 mean((G(x) - x)^2) + a3 CE(F(x), y).
/// The Jacobian term of the training loss is piecewise constant in x and has no gradient. Both
/// occurrences of x in the squared error count. Images whose class the network does not know (out
/// images) take the class it gives the clean image for y, or their label in their own set.
///
/// F is the classifier as it stands: where a detector's own classes are in force (`HasClasses`),
/// the cross-entropy goes through all its iterations; the squared error is that of one pass.
class TrainingCostObjective : public Objective, public ManyPasses {
 public:
  /// `images` [N, C, H, W]: those under attack. `base` and the context's resources outlive this.
  /// Throws `Error` where there is no classifier, or no autoencoder where one is needed.
  TrainingCostObjective(Objective& base, TrainingCost cost, const torch::Tensor& images,
                        const AttackContext& context);

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override;
  torch::Tensor judge(const torch::Tensor& images, const torch::Tensor& samples) override;
  Passes passes() const override;
  bool randomised() const override { return isRandomised(base_); }

 private:
  torch::Tensor cost(const torch::Tensor& images, const torch::Tensor& samples) const;

  Objective& base_;
  TrainingCost cost_;
  Network* network_ = nullptr;
  double sign_ = 1.0;
  torch::Tensor labels_;  // [N] int64, CPU
};

}  // namespace bulwark
