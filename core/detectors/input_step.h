#pragma once

#include <torch/torch.h>

#include <functional>
#include <string>
#include <vector>

#include "core/detectors/adversarial_samples.h"
#include "core/detectors/detector.h"

namespace bulwark {

/// Input preprocessing (Liang, Li and Srikant, ICLR 2018, section 3; Lee et al., NeurIPS 2018,
/// section 2.2): before it is scored, an image is moved towards looking normal,
///   x' = x - m sign(grad s(x)),
/// which changes in-distribution images more than others. x' may leave [0, 1], as published.
///
/// The sign has the derivative 0 wherever it has one, so the gradient of the score at x is that at
/// x' (`constant`). It does not tell how to flip the step's own signs; the surrogate `through`
/// does, with g / (|g| + mean |g|) for sign(g) and the second derivative of the network.
class InputStep {
 public:
  static void declare(OptionSchema& options);
  static InputStep from(const Params& params);

  using Score = std::function<torch::Tensor(const torch::Tensor& images)>;

  double magnitude() const { return magnitude_; }
  /// The guide is not the score's own gradient.
  bool surrogate() const { return through_ && mayMove(); }
  /// `from` names what `choose` goes by.
  bool chooses() const { return from_ != "given"; }

  /// The moved images; with a graph to `images` where they have one. `surrogate`: the sign is
  /// smooth and its derivative taken.
  torch::Tensor operator()(const torch::Tensor& images, const Score& score, bool surrogate) const;

  /// Settles the magnitude where it is not given, from the published grid and images of the
  /// context; never from out sets. `scoreOf` scores images [N, C, H, W] at the present magnitude.
  void choose(const DetectorContext& context, const Score& scoreOf, const std::string& detector);

  void save(TensorFile& file, const std::string& prefix) const;
  void load(const TensorFile& file, const std::string& prefix, const std::string& where);

 private:
  bool mayMove() const { return chooses() || magnitude_ > 0; }

  double magnitude_ = 0.0;
  std::string from_ = "given";
  bool through_ = true;
  SampleOptions samples_;
};

}  // namespace bulwark
