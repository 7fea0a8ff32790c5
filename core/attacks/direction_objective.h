#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "core/attacks/attack.h"
#include "core/attacks/objective.h"
#include "core/attacks/passes.h"

namespace bulwark {

class Network;

/// An objective that first leads along a random direction, sample by sample, and then by its own
/// guide: how A3 spreads its starts over the output space (adaptive direction initialisation).
///
/// The direction weighs the logits of a classifier; for a score, the penultimate features of the
/// classifier behind it where there is one, else the pixels. Judged as the base is.
class DirectionObjective : public Objective, public ManyPasses {
 public:
  /// `images` [N, C, H, W] are those under attack. `base` and the context's resources outlive this.
  DirectionObjective(Objective& base, const torch::Tensor& images, const AttackContext& context);

  /// Length of a direction.
  std::int64_t dimensions() const { return dimensions_; }
  /// From now on `samples` are led along `directions` [samples, dimensions] (CPU).
  void lead(const std::vector<std::int64_t>& samples, const torch::Tensor& directions);
  /// From now on `samples` are led by the base's own guide.
  void release(const std::vector<std::int64_t>& samples);
  /// `samples` are finished: where one was led to its end, `leads` still says so, but that alone
  /// costs no pass of the classifier any more.
  void rest(const std::vector<std::int64_t>& samples);
  /// [N, dimensions] on the device: latest directions.
  const torch::Tensor& directions() const { return directions_; }
  bool leads(std::int64_t sample) const { return led_[static_cast<std::size_t>(sample)] != kOwn; }

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override;
  torch::Tensor judge(const torch::Tensor& images, const torch::Tensor& samples) override;
  Passes passes() const override { return passesOf(base_); }
  bool randomised() const override { return isRandomised(base_); }
  std::int64_t classes() const override { return base_.classes(); }
  torch::Tensor logits(const torch::Tensor& images) override { return base_.logits(images); }
  torch::Tensor labels(const torch::Tensor& samples, const torch::Device& device) const override;
  torch::Tensor judgeLogits(const torch::Tensor& logits,
                            const torch::Tensor& labels) const override;

  /// Forwards per image, beyond those of the base, of an evaluation in which a sample is led.
  std::int64_t leadingForwards() const { return classifier_ ? 1 : 0; }
  /// Images propagated when this was made, for the length of a direction.
  std::int64_t probeForwards() const { return probeForwards_; }

 private:
  enum Guide : std::uint8_t { kOwn, kLed, kLedToItsEnd };

  torch::Tensor basis(const torch::Tensor& images) const;

  Objective& base_;
  Network* classifier_ = nullptr;  // whose features are weighed; null: logits or pixels
  std::int64_t dimensions_ = 0;
  torch::Tensor directions_;
  std::vector<Guide> led_;
  std::int64_t probeForwards_ = 0;
};

}  // namespace bulwark
