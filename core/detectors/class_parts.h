#pragma once

#include <torch/torch.h>

#include <vector>

namespace bulwark {

/// What the score of an image is made of.
struct ClassParts {
  torch::Tensor classes;  ///< int64 [N]: the class that chose how the image is judged
  torch::Tensor parts;    ///< float64 [N, P]: how normal, part by part, before any normalisation
};

/// Implemented by detectors that judge an image as one of its predicted class: their papers report
/// thresholds per class (metrics/per_class.h), and some normalise over the sets under test.
class ScoresByClass {
 public:
  virtual ~ScoresByClass() = default;
  /// Without a graph, for images [N, C, H, W] on the detector's device.
  virtual ClassParts classParts(const torch::Tensor& images) = 0;
  /// Weight of every part where the parts are to be normalised over the sets under test as well
  /// (metrics/class_normalisation.h); empty where they are not.
  virtual std::vector<double> transductiveWeights() const = 0;
};

}  // namespace bulwark
