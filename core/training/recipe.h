#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <functional>
#include <string>

#include "core/base/random.h"
#include "core/base/task.h"
#include "core/data/image_set.h"
#include "core/nn/network.h"
#include "core/registry/registries.h"

namespace bulwark {

/// What a recipe trains, on what, and whom it tells.
struct FitContext {
  Network& network;  ///< initialised; moved to `device` by the recipe
  const ImageSet& train;
  const ImageSet* validation = nullptr;  ///< for early stopping and accuracy curves
  const ImageSet* open = nullptr;        ///< outliers shown in training; null where none are used
  torch::Device device = torch::kCPU;
  Seed seed{0};
  Task& task;
  /// Training state is saved here at least every epoch or 60 s, and resumed from it when it is
  /// there and was made by the same recipe, data and seed; removed when training is done.
  /// Empty: nothing is saved.
  std::filesystem::path checkpoint = {};
  /// Names what the weights depend on beside the recipe, the data and the layers' shapes, e.g. the
  /// network's name and options; a checkpoint made under another text is not resumed.
  std::string identity = {};
  /// Within an epoch the state is saved when this long has passed; at each epoch's end anyhow.
  double checkpointSeconds = 60.0;
  /// One value per epoch (1, 2, ...) and name: loss and accuracy (running, on the training batches
  /// as trained on, so adversarial ones under `adversarial`), validation_accuracy, robust_accuracy,
  /// learning_rate, seconds. A resumed training reports the epochs before it again.
  std::function<void(std::int64_t epoch, const std::string& name, double value)> metric = {};
};

/// How a classifier is trained.
class Recipe {
 public:
  virtual ~Recipe() = default;
  /// Leaves the network in evaluation mode with the trained (or early-stopped best) weights.
  /// Throws `Error`; a training that did not move every parameter or ended in NaN is an error.
  virtual void fit(FitContext& context) = 0;
};

/// `standard`, `adversarial` (Madry et al. 2018), `outlier_exposure` (Hendrycks et al. 2019),
/// `autoencoder` and `attractor`.
void registerRecipes(Registry<Recipe>& registry);

/// Share of images whose largest logit is the label's; in evaluation mode, in batches. LibTorch's
/// out-of-memory error passes through (`withMemoryAdvice`).
double accuracy(Network& network, const ImageSet& set, const torch::Device& device,
                std::int64_t batchSize, Task& task);

}  // namespace bulwark
