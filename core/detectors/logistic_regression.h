#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/task.h"
#include "core/nn/safetensors.h"

namespace bulwark {

/// A binary logistic regression on min-max scaled features.
struct LogisticRegression {
  torch::Tensor low, range;  ///< [D] float64: features are scaled to (x - low) / range
  torch::Tensor weights;     ///< [D] float64, of the scaled features
  double intercept = 0.0;
  double cost = 1.0;      ///< C: the inverse strength of the penalty
  double accuracy = 0.0;  ///< mean over the folds held out, at this cost

  /// [N] log-odds of the positive class from features [N, D] in their dtype; differentiable. They
  /// rank as the probability does and do not saturate.
  torch::Tensor logOdds(const torch::Tensor& features) const;

  void save(TensorFile& file, const std::string& prefix) const;
  static LogisticRegression load(const TensorFile& file, const std::string& prefix,
                                 std::int64_t features, const torch::Device& device,
                                 const std::string& where);
};

/// The minimum of
///   1/2 ||w||^2 + C sum_i log(1 + exp(-y_i (w x_i + b))),   y = +-1, b not penalised
/// (the objective of liblinear and scikit-learn), by Newton's method with step halving from
/// `start`, in double. Features [N, D] float64, `positive` [N] bool; returns [D + 1]: w and b.
/// Throws `Error` (Failed) where it does not converge.
torch::Tensor minimiseLogistic(const torch::Tensor& features, const torch::Tensor& positive,
                               double cost, const torch::Tensor& start, Task& task);

/// The costs tried by default: ten from 1e-4 to 1e4, evenly spaced in logarithm (the default of
/// scikit-learn's LogisticRegressionCV, which the code of Ma et al. 2018 calls).
std::vector<double> usualCosts();

/// Scales the features, chooses the cost of best mean accuracy over the folds (the smallest of
/// those that tie) and fits all rows with it.
///
/// `fold` [N] int64, 0 .. folds - 1, says in which part a row is held out: versions of one image
/// share a fold, so that none is judged by a model that saw another. Progress in fits. Throws
/// `Error`: Cancelled; Failed when a feature is not finite or a fold lacks one of the classes.
LogisticRegression fitLogistic(const torch::Tensor& features, const torch::Tensor& positive,
                               const torch::Tensor& fold, const std::vector<double>& costs,
                               Task& task, const std::string& where);

}  // namespace bulwark
