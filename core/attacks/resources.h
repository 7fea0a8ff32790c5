#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/attacks/objective.h"

namespace bulwark {

class Network;

/// Another model, for attacks that craft on one and are judged by another.
struct SourceRequest {
  std::int64_t run = 0;  ///< id of a run in the same database; 0: none
  /// File of weights for the network that is attacked; empty: none. With neither, the attacked
  /// run's own classifier.
  std::string weights;
  /// Detector whose score is followed ("knn"); empty: the source classifier's own loss.
  std::string detector;
};

/// An objective and what it needs to live.
struct Source {
  std::shared_ptr<void> keeps;
  std::unique_ptr<Objective> objective;
  std::string description;  ///< "run 12, knn"
};

/// What lies around the attacked model, for attacks that need more than the objective.
struct AttackResources {
  /// Classifier that the attacked detector reads, in evaluation mode; null: there is none.
  Network* classifier = nullptr;
  /// True classes of the images under attack, [N] int64 on the CPU; undefined where the classifier
  /// does not know them (out images).
  torch::Tensor labels;
  /// Makes the objective of another model for the images under attack, in the same direction.
  /// Throws `Error`. Empty: there are no others.
  std::function<Source(const SourceRequest& request)> source;
};

}  // namespace bulwark
