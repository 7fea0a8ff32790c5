#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "core/nn/safetensors.h"

namespace bulwark {

/// Moments of labelled features, gathered in one pass over batches, in double.
///
/// Features are shifted by the mean of the first batch, so that the sums of squares do not cancel;
/// the memory is O(F^2 + K F) whatever the number of images.
class FeatureMoments {
 public:
  /// Classes 0 .. classes - 1.
  explicit FeatureMoments(std::int64_t classes) : classes_(classes) {}

  /// Features [B, F] on any device, labels [B] int64 on the CPU within [0, classes).
  void add(const torch::Tensor& features, const torch::Tensor& labels);

  torch::Tensor counts() const;      ///< [K] float64
  torch::Tensor classMeans() const;  ///< [K, F] float64
  torch::Tensor mean() const;        ///< [F] float64
  /// [F, F] float64: mean over images of (f - mu_c)(f - mu_c)^T (Lee et al. 2018, equation 1).
  torch::Tensor pooledCovariance() const;
  /// [F, F] float64: of all images around their common mean.
  torch::Tensor totalCovariance() const;

 private:
  std::int64_t classes_;
  torch::Tensor shift_;    // [F]
  torch::Tensor counts_;   // [K]
  torch::Tensor sums_;     // [K, F], shifted
  torch::Tensor scatter_;  // [F, F], shifted
};

/// Gaussians that share one covariance; squared Mahalanobis distances to their means.
///
/// Held as the inverse Cholesky factor in float32, so that scoring is one matrix product:
/// (f - mu)^T S^-1 (f - mu) = ||L^-1 (f - mu)||^2 with S = L L^T.
class SharedGaussians {
 public:
  SharedGaussians() = default;
  /// `means` [K, F], `covariance` [F, F], float64. `ridge` times the mean variance is added to the
  /// diagonal: features that are constant on the training set (dead units) make the covariance
  /// singular. Throws `Error` (Failed) at `where` when it still is not positive definite.
  SharedGaussians(const torch::Tensor& means, const torch::Tensor& covariance, double ridge,
                  const torch::Device& device, const std::string& where);

  /// [N] squared distance of features [N, F] to the nearest mean; differentiable.
  torch::Tensor nearest(const torch::Tensor& features) const;
  /// [N, K] squared distances to all means; without a graph.
  torch::Tensor all(const torch::Tensor& features) const;

  void save(TensorFile& file, const std::string& prefix) const;
  static SharedGaussians load(const TensorFile& file, const std::string& prefix,
                              const torch::Device& device, const std::string& where);

 private:
  torch::Tensor whiten(const torch::Tensor& features) const;

  torch::Tensor centre_;  // [F]: mean of the means; distances are measured from near zero
  torch::Tensor factor_;  // [F, F]: L^-1, transposed
  torch::Tensor means_;   // [K, F], centred and whitened
};

}  // namespace bulwark
