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

/// A model to craft on, and what it needs to live.
struct Source {
  std::shared_ptr<void> keeps;
  Network* network = nullptr;            ///< its own loss is followed unless there is an objective
  std::unique_ptr<Objective> objective;  ///< a detector's score in the direction of the attack
};

/// What lies around the attacked model, for attacks that need more than the objective.
struct AttackResources {
  /// Classifier that the attacked detector reads, in evaluation mode; null: there is none.
  Network* classifier = nullptr;
  /// True classes of the images under attack, [N] int64 on the CPU; undefined where the classifier
  /// does not know them (out images).
  torch::Tensor labels;
  /// The images' labels in their own set, also where those are not the classifier's; may be
  /// undefined.
  torch::Tensor ownLabels = {};
  /// Weights of the squared error (of an image: over its pixels' mean) and of the cross-entropy
  /// that the classifier was trained with; 0: not known.
  double reconstructionWeight = 0.0, classWeight = 0.0;
  /// Other models, for the images under attack. Throws `Error`. Empty: there are none.
  std::function<Source(const SourceRequest& request)> source;
};

}  // namespace bulwark
