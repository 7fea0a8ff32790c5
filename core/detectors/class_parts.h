#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bulwark {

/// What the score of an image is made of.
struct ClassParts {
  torch::Tensor classes;  ///< int64 [N]: the class that chose how the image is judged
  torch::Tensor parts;    ///< float64 [N, P]: how normal, part by part, before any normalisation
  torch::Tensor
      normal;  ///< float64 [N, P]: the same as the score adds them: s = -sum_p w_p normal_p
};

/// What an image is judged by.
struct ClassFeatures {
  torch::Tensor classes;                ///< int64 [N], on the CPU
  std::vector<torch::Tensor> features;  ///< [P] of float32 [N, F_p], on the CPU
};

/// One of the P descriptions that a score is made of.
struct ClassPart {
  std::string name;  ///< "layer", "logits"
  std::string tap;   ///< of the network
};

/// Implemented by detectors that judge an image as one of its predicted class: their papers report
/// thresholds per class (metrics/per_class.h), and some normalise over the sets under test.
class ScoresByClass {
 public:
  virtual ~ScoresByClass() = default;
  /// Without a graph, for images [N, C, H, W] on the detector's device.
  virtual ClassParts classParts(const torch::Tensor& images) = 0;
  /// The w_p of the score, [P].
  virtual std::vector<double> partWeights() const = 0;
  /// Weight of every part where the parts are to be normalised over the sets under test as well
  /// (metrics/class_normalisation.h); empty where they are not.
  virtual std::vector<double> transductiveWeights() const = 0;

  /// [P], once fitted.
  virtual std::vector<ClassPart> classPartNames() const = 0;
  /// Without a graph, for images on the detector's device.
  virtual ClassFeatures classFeatures(const torch::Tensor& images) = 0;
  /// Images of each out set, and ten times as many of the in set, whose features a run lays out for
  /// looking at (experiment/record_class_map.h); 0: none.
  virtual std::int64_t mapImages() const = 0;
};

}  // namespace bulwark
