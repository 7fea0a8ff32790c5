#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "core/base/task.h"
#include "core/data/image_set.h"
#include "core/nn/network.h"

namespace bulwark {

/// Evaluation mode for the life of the object; the module's mode is restored afterwards.
class EvaluationScope {
 public:
  explicit EvaluationScope(torch::nn::Module& module)
      : module_(module), training_(module.is_training()) {
    module.eval();
  }
  ~EvaluationScope() { module_.train(training_); }
  EvaluationScope(const EvaluationScope&) = delete;
  EvaluationScope& operator=(const EvaluationScope&) = delete;

 private:
  torch::nn::Module& module_;
  bool training_;
};

/// Share of rightly classified images; `progress` also counts the images in the task's phase.
double shareCorrect(Network& network, const ImageSet& set, const torch::Device& device,
                    std::int64_t batchSize, Task& task, bool progress);

/// Mean and standard deviation of the pixels per channel [C], float64, in one pass over the set.
struct ChannelStatistics {
  torch::Tensor mean, deviation;
};
/// A channel that is constant gets the deviation 1.
ChannelStatistics channelStatistics(const ImageSet& set, Task& task);

/// Throws `Error` (BadInput) unless every label of `set` lies in [0, classes) and there are images
/// of the network's shape.
void requireLabels(const ImageSet& set, const NetworkShape& shape);

}  // namespace bulwark
