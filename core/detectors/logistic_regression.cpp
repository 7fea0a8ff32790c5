#include "core/detectors/logistic_regression.h"

#include <cmath>

#include "core/base/error.h"

namespace bulwark {
namespace {

torch::Tensor withOnes(const torch::Tensor& features) {
  return torch::cat({features, torch::ones({features.size(0), 1}, features.options())}, 1);
}

/// The penalty's diagonal: 1 for the weights, 0 for the intercept.
torch::Tensor penalised(std::int64_t features) {
  auto diagonal = torch::ones({features + 1}, torch::kFloat64);
  diagonal[features] = 0.0;
  return diagonal;
}

}  // namespace

torch::Tensor minimiseLogistic(const torch::Tensor& features, const torch::Tensor& positive,
                               double cost, const torch::Tensor& start, Task& task) {
  const torch::NoGradGuard noGrad;
  const auto x = withOnes(features);
  const auto target = positive.to(torch::kFloat64);
  const auto sign = 2 * target - 1;
  const auto diagonal = penalised(features.size(1));
  const auto valueAt = [&](const torch::Tensor& theta) {
    const auto loss = torch::softplus(-sign * torch::mv(x, theta), 1.0, 40.0).sum();
    return (0.5 * (diagonal * theta.square()).sum() + cost * loss).item<double>();
  };
  auto theta = start.clone();
  double value = valueAt(theta);
  constexpr int most = 200;
  for (int iteration = 0; iteration < most; ++iteration) {
    task.checkpoint();
    const auto probability = torch::sigmoid(torch::mv(x, theta));
    const auto gradient = diagonal * theta + cost * torch::mv(x.t(), probability - target);
    const auto stepUnder = [&](const torch::Tensor& curvature) {
      auto hessian = cost * torch::mm(x.t(), curvature.unsqueeze(1) * x);
      // The intercept has no penalty, and no curvature where all rows are told apart beyond doubt.
      hessian.diagonal().add_(diagonal + 1e-10);
      return torch::linalg_solve(hessian, gradient.unsqueeze(1)).squeeze(1);
    };
    const auto step = stepUnder(probability * (1 - probability));
    const double decrement = torch::dot(gradient, step).item<double>();
    // The last step is taken: it squares the error that is left.
    if (decrement <= 1e-12 * (1.0 + std::abs(value))) return theta - step;
    double length = 1.0, next = valueAt(theta - step);
    while (!(next <= value - 1e-4 * length * decrement) && length > 0.1) {
      length /= 2;
      next = valueAt(theta - length * step);
    }
    if (next < value) {
      theta = theta - length * step;
    } else {
      // Far away the curvature says nothing. With its upper bound 1/4 the value always falls
      // (Boehning and Lindsay 1988).
      theta = theta - stepUnder(torch::full_like(target, 0.25));
      next = valueAt(theta);
    }
    value = next;
  }
  throw Error::failed(
      "the logistic regression did not converge in " + std::to_string(most) + " Newton steps",
      "logistic regression", "its features may hold extreme values");
}

std::vector<double> usualCosts() {
  std::vector<double> costs;
  for (int i = 0; i < 10; ++i) costs.push_back(std::pow(10.0, -4.0 + 8.0 * i / 9.0));
  return costs;
}

LogisticRegression fitLogistic(const torch::Tensor& features, const torch::Tensor& positive,
                               const torch::Tensor& fold, const std::vector<double>& costs,
                               Task& task, const std::string& where) {
  const torch::NoGradGuard noGrad;
  const auto values = features.to(torch::kCPU, torch::kFloat64);
  if (!torch::isfinite(values).all().item<bool>()) {
    throw Error::failed("a feature of the logistic regression is not finite", where,
                        "the classifier's training has diverged; train it again");
  }
  LogisticRegression model;
  model.low = std::get<0>(values.min(0));
  const auto range = std::get<0>(values.max(0)) - model.low;
  // A feature that never varies says nothing, whatever it is divided by.
  model.range = torch::where(range > 0, range, torch::ones_like(range));
  const auto scaled = (values - model.low) / model.range;
  const auto folds = fold.max().item<std::int64_t>() + 1;
  task.begin("logistic regression", folds * static_cast<std::int64_t>(costs.size()) + 1, "fits");

  std::vector<double> accuracy(costs.size(), 0.0);
  for (std::int64_t held = 0; held < folds; ++held) {
    const auto test = fold == held, rest = test.logical_not();
    const auto x = scaled.index({rest}), held_x = scaled.index({test});
    const auto y = positive.index({rest}), heldY = positive.index({test});
    if (y.all().item<bool>() || !y.any().item<bool>() || heldY.size(0) == 0) {
      throw Error::failed("the logistic regression has too few samples", where,
                          "raise the number of images that it is trained on");
    }
    auto theta = torch::zeros({scaled.size(1) + 1}, torch::kFloat64);
    for (std::size_t i = 0; i < costs.size(); ++i) {
      theta = minimiseLogistic(x, y, costs[i], theta, task);
      const auto told = torch::mv(withOnes(held_x), theta) > 0;
      accuracy[i] +=
          (told == heldY).to(torch::kFloat64).mean().item<double>() / static_cast<double>(folds);
      task.advance();
    }
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < costs.size(); ++i) {
    if (accuracy[i] > accuracy[best] + 1e-12) best = i;
  }
  model.cost = costs[best];
  model.accuracy = accuracy[best];
  const auto theta = minimiseLogistic(scaled, positive, model.cost,
                                      torch::zeros({scaled.size(1) + 1}, torch::kFloat64), task);
  model.weights = theta.slice(0, 0, scaled.size(1)).clone();
  model.intercept = theta[scaled.size(1)].item<double>();
  task.advance();
  task.end();
  return model;
}

torch::Tensor LogisticRegression::logOdds(const torch::Tensor& features) const {
  const auto like = features.options();
  return torch::mv((features - low.to(like)) / range.to(like), weights.to(like)) + intercept;
}

void LogisticRegression::save(TensorFile& file, const std::string& prefix) const {
  file.tensors[prefix + ".low"] = low.to(torch::kCPU).contiguous();
  file.tensors[prefix + ".range"] = range.to(torch::kCPU).contiguous();
  file.tensors[prefix + ".weights"] = weights.to(torch::kCPU).contiguous();
  file.tensors[prefix + ".fit"] = torch::tensor({intercept, cost, accuracy}, torch::kFloat64);
}

LogisticRegression LogisticRegression::load(const TensorFile& file, const std::string& prefix,
                                            std::int64_t features, const torch::Device& device,
                                            const std::string& where) {
  LogisticRegression model;
  model.low = file.require(prefix + ".low", {features}, where).to(device);
  model.range = file.require(prefix + ".range", {features}, where).to(device);
  model.weights = file.require(prefix + ".weights", {features}, where).to(device);
  const auto& fit = file.require(prefix + ".fit", {3}, where);
  model.intercept = fit[0].item<double>();
  model.cost = fit[1].item<double>();
  model.accuracy = fit[2].item<double>();
  return model;
}

}  // namespace bulwark
