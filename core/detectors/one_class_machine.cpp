#include "core/detectors/one_class_machine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/detectors/kernel_sum.h"
#include "core/detectors/one_class_solver.h"

namespace bulwark {
namespace {

struct Standard {
  torch::Tensor mean, scale;  // float64 [D]
  std::int64_t varying = 0;   // features that are not the same in all points
};

Standard standardOf(const torch::Tensor& points) {
  Standard found;
  found.mean = points.mean(0);
  const auto variance = (points - found.mean).square().mean(0);
  // The mean of equal values can differ from them by rounding: such a variance is none.
  const auto noise = (found.mean.abs() * 1e-12).square();
  const auto constant = variance.le(noise);
  found.scale = torch::where(constant, torch::ones_like(variance), variance.sqrt());
  found.varying = points.size(1) - constant.sum().item<std::int64_t>();
  return found;
}

/// Median of the squared distances between (at most 1,000, evenly spread) points.
double medianDistance(const torch::Tensor& points) {
  const std::int64_t count = std::min<std::int64_t>(1000, points.size(0));
  const auto rows =
      torch::div(torch::arange(count, torch::kInt64) * points.size(0), count, "floor");
  return torch::pdist(points.index_select(0, rows)).square().median().item<double>();
}

double gammaOf(const OneClassOptions& options, const torch::Tensor& standardised) {
  const auto dimension = static_cast<double>(standardised.size(1));
  if (options.width == "fixed") return options.gamma;
  if (options.width == "dimension") return 1.0 / dimension;
  if (options.width == "median") {
    const double median = medianDistance(standardised);
    if (median > 0.0) return 1.0 / median;
  }
  return 1.0 / (dimension * standardised.var(/*unbiased=*/false).item<double>());
}

}  // namespace

void OneClassOptions::declare(OptionSchema& options, double nu, const std::string& source) {
  options.number("nu", nu, "Largest share of the training images that lies outside its machine")
      .above(0, 1)
      .from(source)
      .simple();
  options
      .choice("width", "scale", {"scale", "dimension", "median", "fixed"},
              "Kernel exp(-gamma d^2): gamma is 1 / (features x variance), 1 / features, "
              "1 / median of d^2, or the option gamma")
      .from("the published code of Zhao et al.: scikit-learn's scale; the paper gives no width");
  options.number("gamma", 0.1, "Of the kernel, where width is fixed").above(0, 1e6).expert();
  options.number("tolerance", 1e-3, "Largest violation of the optimality conditions")
      .above(0, 1)
      .from("libsvm's default")
      .expert();
}

OneClassOptions OneClassOptions::from(const Params& params) {
  return {params.getNumber("nu"), params.getText("width"), params.getNumber("gamma"),
          params.getNumber("tolerance")};
}

std::vector<OneClassMachine> OneClassMachine::fit(const std::vector<torch::Tensor>& points,
                                                  const OneClassOptions& options,
                                                  const torch::Device& device, Task& task) {
  const torch::NoGradGuard noGrad;
  std::vector<OneClassMachine> machines;
  std::vector<OneClassProblem> problems;
  for (const auto& given : points) {
    task.checkpoint();
    const auto values = given.to(torch::kCPU, torch::kFloat64);
    if (values.size(0) < 2) {
      throw Error::badInput("a one-class machine needs at least two images", "nu",
                            "raise train_limit");
    }
    const Standard standard = standardOf(values);
    if (standard.varying == 0) {
      throw Error::badInput("the features are the same for all " + std::to_string(values.size(0)) +
                                " images, which describe nothing",
                            "layer", "choose another layer; this one of the network is dead");
    }
    OneClassMachine machine;
    const auto z = ((values - standard.mean) / standard.scale).contiguous();
    machine.mean_ = standard.mean;
    machine.scale_ = standard.scale;
    machine.supports_ = z;
    machine.points_ = z.size(0);
    machine.total_ = options.nu * static_cast<double>(z.size(0));
    machine.gamma_ = gammaOf(options, z);
    const auto* data = z.data_ptr<double>();
    problems.push_back(
        {{data, data + z.numel()}, z.size(1), machine.gamma_, options.nu, options.tolerance});
    machines.push_back(std::move(machine));
  }
  const auto solutions = solveOneClass(std::move(problems), task);
  for (std::size_t i = 0; i < machines.size(); ++i) {
    auto& machine = machines[i];
    machine.supports_ =
        machine.supports_.index_select(0, torch::tensor(solutions[i].rows, torch::kInt64));
    machine.coefficients_ = torch::tensor(solutions[i].coefficients, torch::kFloat64);
    machine.rho_ = solutions[i].rho;
    machine.prepare(torch::kCPU);
    machine.centre_ = (machine.coefficients_ *
                       machine.kernelSum(machine.supports_ * machine.scale_ + machine.mean_))
                          .sum()
                          .item<double>() /
                      (machine.total_ * machine.total_);
    machine.prepare(device);
  }
  return machines;
}

void OneClassMachine::prepare(const torch::Device& device) {
  const auto squares = supports_.square().sum(1, true) * -gamma_;
  // Whole vectors of a processor: support vectors at the mean whose coefficients are 0 fill up.
  constexpr std::int64_t whole = 16;
  const std::int64_t count = supports_.size(0), missing = (whole - count % whole) % whole;
  const auto wide = torch::constant_pad_nd(
      torch::cat({supports_, torch::ones_like(squares), squares}, 1), {0, 0, 0, missing});
  const auto weights = torch::constant_pad_nd(coefficients_, {0, missing}).unsqueeze(1);
  const auto make = [&](torch::ScalarType type) {
    const auto as = [&](const torch::Tensor& values) { return values.to(device, type); };
    return Form{as(mean_), as(scale_), as(wide).contiguous(), as(weights)};
  };
  single_ = make(torch::kFloat32);
  twice_ = make(torch::kFloat64);
}

const OneClassMachine::Form& OneClassMachine::form(const torch::Tensor& features) const {
  return features.scalar_type() == torch::kFloat64 ? twice_ : single_;
}

torch::Tensor OneClassMachine::queries(const Form& form, const torch::Tensor& features) const {
  const auto z = (features - form.mean) / form.scale;
  const auto squares = z.square().sum(1, true);
  return torch::cat({z * (2.0 * gamma_), squares * -gamma_, torch::ones_like(squares)}, 1);
}

torch::Tensor OneClassMachine::kernelSum(const torch::Tensor& features) const {
  const Form& used = form(features);
  return bulwark::kernelSum(queries(used, features), used.supports, used.coefficients);
}

torch::Tensor OneClassMachine::logKernelSum(const torch::Tensor& features) const {
  const Form& used = form(features);
  return bulwark::logKernelSum(queries(used, features), used.supports, used.coefficients);
}

torch::Tensor OneClassMachine::decision(const torch::Tensor& features) const {
  return kernelSum(features) - rho_;
}

torch::Tensor OneClassMachine::distance(const torch::Tensor& features) const {
  return 1.0 - kernelSum(features) * (2.0 / total_) + centre_;
}

double OneClassMachine::radius() const {
  return 1.0 - 2.0 * rho_ / total_ + centre_;
}

void OneClassMachine::save(TensorFile& file, const std::string& prefix) const {
  file.tensors[prefix + ".mean"] = mean_;
  file.tensors[prefix + ".scale"] = scale_;
  file.tensors[prefix + ".supports"] = supports_.contiguous();
  file.tensors[prefix + ".coefficients"] = coefficients_;
  file.tensors[prefix + ".constants"] =
      torch::tensor({rho_, gamma_, total_, centre_, static_cast<double>(points_)}, torch::kFloat64);
}

OneClassMachine OneClassMachine::load(const TensorFile& file, const std::string& prefix,
                                      const torch::Device& device, const std::string& where) {
  OneClassMachine machine;
  machine.supports_ = file.require(prefix + ".supports", {-1, -1}, where);
  const std::int64_t count = machine.supports_.size(0), size = machine.supports_.size(1);
  machine.mean_ = file.require(prefix + ".mean", {size}, where);
  machine.scale_ = file.require(prefix + ".scale", {size}, where);
  machine.coefficients_ = file.require(prefix + ".coefficients", {count}, where);
  const auto constants = file.require(prefix + ".constants", {5}, where);
  const auto* values = constants.data_ptr<double>();
  machine.rho_ = values[0];
  machine.gamma_ = values[1];
  machine.total_ = values[2];
  machine.centre_ = values[3];
  machine.points_ = static_cast<std::int64_t>(std::llround(values[4]));
  machine.prepare(device);
  return machine;
}

}  // namespace bulwark
