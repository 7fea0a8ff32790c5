#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "core/base/json.h"
#include "core/base/random.h"
#include "core/base/task.h"
#include "core/data/image_set.h"
#include "core/nn/network.h"
#include "core/nn/safetensors.h"
#include "core/registry/registries.h"

namespace bulwark {

/// What a detector needs, and what an attack must know of its score.
struct DetectorTraits {
  bool needsClassifier = true;
  bool needsLabels = false;
  bool needsOpenSet = false;
  bool differentiable = true;  ///< false: `guide` is a documented smooth surrogate
  bool randomised = false;
  bool quantised = false;
  bool optimisesAtInference = false;
};

/// Makes adversarial images [N, C, H, W] of the classifier from `images` on its device that it
/// assigns to `labels` [N] int64, by an attack {"type": "bim_a", "eps": 0.4}, without steps back to
/// a better point. Throws `Error`.
using CraftImages = std::function<torch::Tensor(const Json& attack, const torch::Tensor& images,
                                                const torch::Tensor& labels)>;

/// What a detector is fitted on. References stay valid for the detector's life.
struct DetectorContext {
  Network* classifier = nullptr;  ///< frozen, on `device`; null when there is none
  const ImageSet& train;          ///< in-distribution training images with labels
  const ImageSet* validation = nullptr;
  const ImageSet* open = nullptr;
  torch::Device device = torch::kCPU;
  std::int64_t batchSize = 256;
  Seed seed{0};
  Task& task;
  std::filesystem::path checkpoint = {};  ///< for detectors that train; may be empty
  /// For detectors that are trained on adversarial images; empty: there are no attacks at hand.
  CraftImages craft = {};
};

/// Turns images into anomaly scores, higher = more anomalous.
class Detector {
 public:
  virtual ~Detector() = default;

  virtual DetectorTraits traits() const = 0;
  /// Throws `Error`. Progress goes to `context.task`.
  virtual void fit(const DetectorContext& context) = 0;
  /// [N] float from images [N, C, H, W] on the context's device; the true score. Differentiable
  /// in `images` unless the traits say otherwise. Each row depends on its own image only.
  virtual torch::Tensor score(const torch::Tensor& images) = 0;
  /// [N], differentiable: what an attack follows. The score itself where that is differentiable.
  virtual torch::Tensor guide(const torch::Tensor& images) { return score(images); }

  /// Fitted state, under names of its own; loaded without the training data.
  virtual void save(TensorFile& file) const = 0;
  virtual void load(const TensorFile& file, Network* classifier, const torch::Device& device) = 0;

  /// Named intermediate values for the plots, [N, ...] each ("features", "class_distances").
  virtual std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images);
};

/// Every detector that comes with the program (core/detectors/builtin.h).
void registerDetectors(Registry<Detector>& registry);

}  // namespace bulwark
