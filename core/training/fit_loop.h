#pragma once

#include <torch/torch.h>

#include <functional>
#include <string>

#include "core/training/fit_options.h"
#include "core/training/recipe.h"

namespace bulwark {

/// One training batch on the device, before the step.
struct TrainingBatch {
  torch::Tensor images;  ///< [B, C, H, W], augmented
  torch::Tensor labels;  ///< [B] int64
  torch::Tensor open;    ///< [O, C, H, W], augmented: outliers; undefined where none are asked for
  double epochs = 0;     ///< training time so far, this batch included: 1.5 is mid second epoch
  Seed seed{0};          ///< of this iteration
};

/// What makes one recipe differ from another.
struct FitHooks {
  std::string recipe;           ///< name
  std::string phase = "train";  ///< as progress calls it
  /// What the step is taken on in place of the batch's images; empty: those.
  std::function<torch::Tensor(const TrainingBatch&)> perturb;
  /// Images of the context's open set beside one of the batch, drawn anew in every batch; 0: none.
  double openPerImage = 0;
  /// Added to the cross-entropy, from the logits [O, K] of the outliers; goes with `openPerImage`.
  std::function<torch::Tensor(const torch::Tensor& logits)> openLoss;
  /// Accuracy under attack on validation images, after each epoch; empty: not measured.
  std::function<double()> robustAccuracy;
  /// The network is trained; its checkpoint is still there. Where the weights can be kept for a
  /// stage to come, so that none of it is lost however it ends; empty: nothing.
  std::function<void()> trained;
};

/// Minimises the cross-entropy over `options.epochs` epochs. Every random choice (order,
/// augmentation, starts) is drawn from the context's seed by epoch or iteration, and the state is
/// saved between iterations: a training that was stopped anywhere and resumed ends with the same
/// bits as one that was not, given the same device and thread count.
void runFitLoop(FitContext& context, const FitOptions& options, const FitHooks& hooks);

/// Names all that the trained weights depend on; a checkpoint under another name is not resumed.
std::string fitIdentity(const FitContext& context, const FitOptions& options,
                        const FitHooks& hooks);

}  // namespace bulwark
