#include <svm.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/base/text.h"
#include "core/detectors/one_class_machine.h"
#include "core/experiment/bench.h"
#include "core/experiment/bench_tools.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

/// Largest difference of decision values, in units of nu n, the sum of the coefficients.
constexpr double kTolerance = 1e-5;

/// Points like channel means: neighbouring features correlate. float32 [count, dimension].
torch::Tensor cloud(std::int64_t count, std::int64_t dimension, Seed seed) {
  auto values = torch::empty({count, dimension}, torch::kFloat32);
  Random random(seed);
  auto* data = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) data[i] = static_cast<float>(random.normal());
  for (std::int64_t j = 1; j < dimension; ++j) {
    values.select(1, j).add_(values.select(1, j - 1), 0.7);
  }
  return values;
}

OneClassMachine fitted(const torch::Tensor& points, double nu, Task& task) {
  OneClassOptions options;
  options.nu = nu;
  return OneClassMachine::fit({points}, options, torch::kCPU, task)[0];
}

/// The same machine as libsvm's own model, asked image by image.
class LibsvmModel {
 public:
  explicit LibsvmModel(const OneClassMachine& machine)
      : supports_(nodesOf(machine.supports())), coefficients_(machine.coefficients().contiguous()) {
    for (auto& row : supports_) rows_.push_back(row.data());
    coefficientRows_[0] = coefficients_.data_ptr<double>();
    rho_ = machine.rho();
    model_.param.svm_type = ONE_CLASS;
    model_.param.kernel_type = RBF;
    model_.param.gamma = machine.gamma();
    model_.nr_class = 2;
    model_.l = static_cast<int>(rows_.size());
    model_.SV = rows_.data();
    model_.sv_coef = coefficientRows_;
    model_.rho = &rho_;
  }
  LibsvmModel(const LibsvmModel&) = delete;
  LibsvmModel& operator=(const LibsvmModel&) = delete;

  static std::vector<std::vector<svm_node>> nodesOf(const torch::Tensor& points) {
    const auto values = points.to(torch::kFloat64).contiguous();
    const auto* value = values.data_ptr<double>();
    std::vector<std::vector<svm_node>> all(static_cast<std::size_t>(values.size(0)));
    for (auto& row : all) {
      for (std::int64_t j = 0; j < values.size(1); ++j) {
        row.push_back({static_cast<int>(j + 1), *value++});
      }
      row.push_back({-1, 0.0});
    }
    return all;
  }

  torch::Tensor decide(const std::vector<std::vector<svm_node>>& points) const {
    auto values = torch::empty({static_cast<std::int64_t>(points.size())}, torch::kFloat64);
    auto* value = values.data_ptr<double>();
    for (const auto& point : points) svm_predict_values(&model_, point.data(), value++);
    return values;
  }

 private:
  std::vector<std::vector<svm_node>> supports_;
  torch::Tensor coefficients_;
  std::vector<svm_node*> rows_;
  double* coefficientRows_[1] = {nullptr};
  double rho_ = 0;
  svm_model model_{};
};

struct Timed {
  double ours = 0, theirs = 0, ratio = 0;  // seconds
};

/// Scoring `points`, in turns; throws unless both find the same values.
Timed timeScoring(const OneClassMachine& machine, const torch::Tensor& points, int repetitions,
                  Task& task) {
  const LibsvmModel reference(machine);
  // libsvm gets its own form of the points, standardised, for nothing.
  const auto nodes = LibsvmModel::nodesOf((points - machine.mean()) / machine.scale());
  const auto difference =
      (machine.decision(points).to(torch::kFloat64) - reference.decide(nodes)).abs().max();
  const double worst = difference.item<double>() / machine.total();
  if (worst > kTolerance) {
    throw Error::failed("the decision values differ by " + formatNumber(worst) + ", " +
                            formatNumber(kTolerance) + " is allowed",
                        "bench svdd", "the speeds of unequal work are not comparable");
  }
  std::vector<double> ours, theirs;
  for (int i = 0; i < repetitions; ++i) {
    task.checkpoint();
    ours.push_back(secondsOf([&] { machine.decision(points); }));
    theirs.push_back(secondsOf([&] { reference.decide(nodes); }));
  }
  return {median(ours), median(theirs), medianRatio(theirs, ours)};
}

std::string withSupports(const OneClassMachine& machine) {
  return std::to_string(machine.supports().size(1)) + " features, " +
         std::to_string(machine.supports().size(0)) + " support vectors";
}

}  // namespace

std::vector<BenchResult> benchSvdd(const Registries& /*registries*/, int threads, Task& task,
                                   const SvddBenchSize& size) {
  const int inForce = setThreads(threads);
  requireExactArithmetic();
  const torch::NoGradGuard noGrad;
  std::vector<BenchResult> results;
  const auto images = static_cast<double>(size.images);
  const auto addScoring = [&](double nu, std::int64_t dimension) {
    const auto machine = fitted(cloud(size.points, dimension, Seed(1)), nu, task);
    const auto points = cloud(size.images, dimension, Seed(2));
    const Timed timed = timeScoring(machine, points, size.repetitions, task);
    results.push_back({"svdd",
                       "score " + std::to_string(size.images) + " images, nu " + formatNumber(nu) +
                           ", " + withSupports(machine),
                       images / timed.ours, "images / s", "libsvm's decision function per image",
                       images / timed.theirs, timed.ratio, inForce});
  };
  for (const std::int64_t dimension : size.dimensions) {
    addScoring(0.1, dimension);
  }
  // How scoring grows with the number of support vectors.
  for (const double nu : {0.05, 0.2, 0.4}) {
    addScoring(nu, size.dimensions.front());
  }

  const auto addFit = [&](const std::string& name, const std::vector<torch::Tensor>& points,
                          const std::string& baseline, double allowed) {
    std::size_t supports = 0;
    const double seconds = secondsOf([&] {
      for (const auto& machine : OneClassMachine::fit(points, {}, torch::kCPU, task)) {
        supports += static_cast<std::size_t>(machine.supports().size(0));
      }
    });
    results.push_back({"svdd", name + ", " + std::to_string(supports) + " support vectors", seconds,
                       "s", baseline, allowed, allowed / seconds, inForce});
    return seconds;
  };
  // One class after another on the wider of both layers and on ten logits, as the detector does.
  std::vector<torch::Tensor> classes;
  for (std::uint64_t c = 0; c < 10; ++c) {
    classes.push_back(cloud(size.points, size.dimensions.back(), Seed(100 + c)));
    classes.push_back(cloud(size.points, 10, Seed(200 + c)));
  }
  addFit("fit 10 classes x 2 layers (" + std::to_string(size.dimensions.back()) +
             " and 10 features) x " + std::to_string(size.points) + " points",
         classes, "what is asked for", 60.0);
  double before = 0;
  for (const std::int64_t factor : {1, 2, 4}) {
    const std::int64_t count = size.points / 2 * factor;
    const auto points = cloud(count, size.dimensions.front(), Seed(3));
    const std::string name = "fit 1 machine, " + std::to_string(size.dimensions.front()) +
                             " features x " + std::to_string(count) + " points";
    const double seconds = addFit(name, {points}, "half the points", before);
    if (before == 0) {
      results.back().baseline = "itself";
      results.back().baselineValue = seconds;
      results.back().ratio = 1;
    }
    before = seconds;
  }
  return results;
}

}  // namespace bulwark
