#pragma once

#include <torch/torch.h>

#include <functional>
#include <string>

#include "core/detectors/detector.h"

namespace bulwark {

/// What detectors that are trained on adversarial images are trained on (Ma et al., ICLR 2018,
/// section 5.1 and its code): normal and noisy images against adversarial ones of the classifier.
struct SampleOptions {
  std::int64_t count = 2000;    ///< images, each in the three versions
  std::string attack = "fgsm";  ///< fgsm, bim_a, bim_b, jsma, cw_l2
  double epsilon =
      0.0;             ///< of FGSM and BIM in [0, 1] units; 0: published for grey or colour images
  double noise = 0.0;  ///< deviation of the Gaussian noise; 0: published likewise

  static void declare(OptionSchema& options);
  static SampleOptions from(const Params& params);
};

/// The same images in three versions; all [M, C, H, W] in [0, 1] on the CPU.
struct AdversarialSamples {
  torch::Tensor clean;
  torch::Tensor noisy;        ///< clean + N(0, noise^2), clipped; for JSMA some values are 1
  torch::Tensor adversarial;  ///< by FGSM clip(clean + eps sign(grad of the loss of the class))
  torch::Tensor rows;         ///< [M] int64 of the training set; undefined: validation images

  /// [3 M, D]: `features` of the clean, noisy and adversarial images, in batches without a graph,
  /// float64 on the CPU. Progress in images under `phase`.
  torch::Tensor features(const DetectorContext& context, const std::string& phase,
                         const std::function<torch::Tensor(const torch::Tensor&)>& features) const;
  torch::Tensor positive() const;                    ///< [3 M] bool: the adversarial ones
  torch::Tensor fold(std::int64_t folds = 5) const;  ///< [3 M] int64, the same for all versions
};

/// The training images `from` .. `to` - 1 of an order drawn with the context's seed, [to - from].
torch::Tensor shuffledTrainingRows(const DetectorContext& context, std::int64_t from,
                                   std::int64_t to);

/// Draws validation images, or training images where there are none (never one of the first
/// `reserved` of the shuffled order), and keeps those that the classifier gets right, as published.
/// Images without a label count as right. Throws `Error`: BadInput when fewer than 10 are left.
AdversarialSamples adversarialSamples(const DetectorContext& context, const SampleOptions& options,
                                      std::int64_t reserved, const std::string& detector);

}  // namespace bulwark
