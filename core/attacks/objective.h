#pragma once

#include <torch/torch.h>

#include <cstdint>

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

  /// Class logits behind the objective, for attacks that choose among classes; 0: there are none,
  /// the objective is one number and the functions below must not be called.
  virtual std::int64_t classes() const { return 0; }
  /// [B, K] with a graph to `images`.
  virtual torch::Tensor logits(const torch::Tensor& images);
  /// [B] int64 on `device`: the classes to be driven away from.
  virtual torch::Tensor labels(const torch::Tensor& samples, const torch::Device& device) const;
  /// [B]: the judged value that belongs to `logits`, without a graph.
  virtual torch::Tensor judgeLogits(const torch::Tensor& logits, const torch::Tensor& labels) const;
};

}  // namespace bulwark
