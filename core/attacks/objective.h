#pragma once

#include <torch/torch.h>

namespace bulwark {

/// What an adversary maximises, one value per sample. Written once, so the same attack serves
/// classification, detection and training.
class Objective {
 public:
  struct Values {
    torch::Tensor guide;   ///< [B] with a graph to `images`: the gradient the attack follows
    torch::Tensor judged;  ///< [B] without graph: the true value; decides which point is best
  };

  virtual ~Objective() = default;

  /// For images [B, C, H, W] on the objective's device and their positions `samples` [B] (int64,
  /// CPU) in the set under attack. One forward: where guide and judge agree, `judged` is the
  /// detached guide.
  virtual Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) = 0;

  /// Only `judged`, without a graph.
  virtual torch::Tensor judge(const torch::Tensor& images, const torch::Tensor& samples) {
    const torch::NoGradGuard noGrad;
    return evaluate(images, samples).judged;
  }
};

}  // namespace bulwark
