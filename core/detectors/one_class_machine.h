#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/task.h"
#include "core/nn/safetensors.h"
#include "core/params/params.h"

namespace bulwark {

/// How a one-class machine is fitted.
struct OneClassOptions {
  double nu = 0.1;              ///< at most this share of the points lies outside
  std::string width = "scale";  ///< "scale", "dimension", "median" or "fixed"
  double gamma = 0.0;           ///< of "fixed"
  double tolerance = 1e-3;      ///< libsvm's largest violation of the optimality conditions

  static void declare(OptionSchema& options, double nu, const std::string& source);
  static OneClassOptions from(const Params& params);
};

/// Support vector data description with an RBF kernel (Tax and Duin 2004), solved as the equivalent
/// nu-one-class machine (Schoelkopf et al. 2001) by libsvm; Zhao et al., section 3.1.
///
/// Features are standardised with the mean and the population deviation of the points fitted, a
/// feature that is the same in all of them is divided by 1. With z the standardised features:
///   g(x) = sum_i a_i K(z_i, z),   K(u, v) = exp(-gamma ||u - v||^2),   sum_i a_i = nu n.
/// g is high for normal points. The sphere has a~_i = a_i / (nu n): its centre is sum_i a~_i
/// phi(z_i),
///   distance^2(x) = 1 - 2 g(x) / (nu n) + a~^T Q a~,   radius^2 = 1 - 2 rho / (nu n) + a~^T Q a~,
/// so a point is inside where g(x) >= rho.
///
/// Everything is computed from matrix products, in blocks, in the type of the features (float32 or
/// float64), and differentiable in them once. Each row depends on its own features only.
class OneClassMachine {
 public:
  OneClassMachine() = default;

  /// One machine per matrix [n, D] of points, several at a time; advances `task` by one each.
  /// Throws `Error`: fewer than 2 points, or all features the same in all of them.
  static std::vector<OneClassMachine> fit(const std::vector<torch::Tensor>& points,
                                          const OneClassOptions& options,
                                          const torch::Device& device, Task& task);

  torch::Tensor kernelSum(const torch::Tensor& features) const;  ///< g, [N] from [N, D]
  torch::Tensor decision(const torch::Tensor& features) const;   ///< g - rho, [N]
  torch::Tensor distance(const torch::Tensor& features) const;   ///< squared, to the centre, [N]
  /// log g, [N]; finite, and with a gradient, where g is too small for its type.
  torch::Tensor logKernelSum(const torch::Tensor& features) const;

  double rho() const { return rho_; }
  double gamma() const { return gamma_; }
  double total() const { return total_; }                       ///< nu n
  double radius() const;                                        ///< squared
  std::int64_t points() const { return points_; }               ///< fitted
  torch::Tensor supports() const { return supports_; }          ///< float64 [S, D], standardised
  torch::Tensor coefficients() const { return coefficients_; }  ///< float64 [S], a_i
  torch::Tensor mean() const { return mean_; }                  ///< float64 [D]
  torch::Tensor scale() const { return scale_; }  ///< float64 [D], what z is divided by

  /// Under names that begin with `prefix`.
  void save(TensorFile& file, const std::string& prefix) const;
  static OneClassMachine load(const TensorFile& file, const std::string& prefix,
                              const torch::Device& device, const std::string& where);

 private:
  /// What scoring multiplies, in one type.
  struct Form {
    torch::Tensor mean, scale;   // [D]
    torch::Tensor supports;      // [S', D + 2]: z_i, 1, -gamma ||z_i||^2; zeros beyond S
    torch::Tensor coefficients;  // [S', 1]
  };

  void prepare(const torch::Device& device);
  const Form& form(const torch::Tensor& features) const;
  /// [N, D + 2]: 2 gamma z, -gamma ||z||^2, 1; its product with `Form::supports` is the exponent.
  torch::Tensor queries(const Form& form, const torch::Tensor& features) const;

  torch::Tensor mean_, scale_, supports_, coefficients_;
  double rho_ = 0.0, gamma_ = 1.0, total_ = 1.0, centre_ = 0.0;  // centre_: a~^T Q a~
  std::int64_t points_ = 0;
  Form single_, twice_;
};

}  // namespace bulwark
