#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "core/attacks/ball.h"
#include "core/attacks/builtin.h"
#include "core/attacks/threat.h"
#include "core/attacks/walk.h"

namespace bulwark {
namespace {

struct SimbaPlan {
  ThreatModel threat;
  std::int64_t queries = 5000;  ///< after the clean image
  bool dct = false;             ///< basis: cosines instead of pixels
  std::int64_t frequencies = 32;
  double stepSize = 0.0;
};

/// [n, n]: row k is the k-th vector of the orthonormal DCT-II.
torch::Tensor cosines(std::int64_t n) {
  const auto options = torch::TensorOptions(torch::kFloat64);
  const auto k = torch::arange(n, options).unsqueeze(1);
  const auto j = torch::arange(n, options).unsqueeze(0);
  auto basis = torch::cos(std::numbers::pi * (j + 0.5) * k / static_cast<double>(n)) *
               std::sqrt(2.0 / static_cast<double>(n));
  basis[0] *= std::sqrt(0.5);
  return basis.to(torch::kFloat32);
}

/// One direction at a time: first its negative, then, unless that was an improvement, its positive.
/// Every row has its own order and pace; the state is in tensors, so nothing waits for the host.
class SimbaWalker : public Walker {
 public:
  SimbaWalker(const SimbaPlan& plan, const torch::Tensor& images)
      : plan_(plan),
        ball_(plan.threat, images),
        points_(images.clone(torch::MemoryFormat::Contiguous)),
        current_(points_.clone()) {
    const auto device = images.device();
    const std::int64_t rows = images.size(0), height = images.size(2), width = images.size(3);
    const auto integer = torch::TensorOptions(device).dtype(torch::kInt64);
    const auto vertical = plan.dct ? cosines(height) : torch::eye(height);
    const auto horizontal = plan.dct ? cosines(width) : torch::eye(width);
    vertical_ = vertical.to(device);
    horizontal_ = horizontal.to(device);
    down_ = plan.dct ? std::min(plan.frequencies, height) : height;
    across_ = plan.dct ? std::min(plan.frequencies, width) : width;
    channels_ = torch::eye(images.size(1), torch::TensorOptions(device));
    order_ = torch::zeros({rows, plan.queries}, integer.dtype(torch::kInt32));
    place_ = torch::full({rows}, -1, integer);
    positive_ = torch::zeros({rows}, integer.dtype(torch::kBool));
    values_ = torch::zeros({rows}, integer.dtype(torch::kFloat64));
  }

  const torch::Tensor& points() const override { return points_; }

  void seat(const std::vector<Seat>& seats, const torch::Tensor& images) override {
    const auto index = rowsOf(seats, points_.device());
    ball_.place(index, images);
    points_.index_copy_(0, index, images);
    // The clean image is an improvement on nothing, after which direction 0 is next.
    values_.index_fill_(0, index, -std::numeric_limits<double>::infinity());
    place_.index_fill_(0, index, -1);
    std::vector<torch::Tensor> orders;
    for (const Seat& seat : seats) orders.push_back(order(seat.seed));
    order_.index_copy_(0, index, torch::stack(orders).to(order_.device()));
  }

  void move(const Evaluation& evaluation) override {
    const auto better = evaluation.judged > values_;
    torch::where_out(values_, better, evaluation.judged, values_);
    torch::where_out(current_, perRow(better), points_, current_);
    const auto advance = better.logical_or(positive_);
    place_ += advance.to(torch::kInt64);
    positive_ = advance.logical_not();
    const auto sign = positive_.to(torch::kFloat32) * 2 - 1;
    points_.copy_(current_ + perRow(sign * plan_.stepSize) * directions());
    ball_.project(points_);
  }

  void keep(const torch::Tensor& rows) override {
    ball_.keep(rows);
    for (torch::Tensor* tensor : {&points_, &current_, &order_, &place_, &positive_, &values_}) {
      *tensor = tensor->index_select(0, rows);
    }
  }

 private:
  /// [queries] int32: passes over all directions, each in an order of its own.
  torch::Tensor order(Seed seed) const {
    std::vector<std::int32_t> all(static_cast<std::size_t>(channels_.size(0) * down_ * across_));
    std::vector<std::int32_t> sequence;
    for (std::uint64_t pass = 0; std::ssize(sequence) < plan_.queries; ++pass) {
      std::iota(all.begin(), all.end(), 0);
      Random(seed.child(pass)).shuffle(all);
      sequence.insert(sequence.end(), all.begin(), all.end());
    }
    sequence.resize(static_cast<std::size_t>(plan_.queries));
    return torch::tensor(sequence, torch::kInt32);
  }

  /// [W, C, H, W']: the basis vector, of length 1, that each row tries.
  torch::Tensor directions() const {
    const auto at = place_.clamp(0, plan_.queries - 1).unsqueeze(1);
    const auto number = order_.gather(1, at).squeeze(1).to(torch::kInt64);
    const auto area = down_ * across_;
    const auto channel = torch::div(number, area, "floor");
    const auto within = number - channel * area;
    const auto row = torch::div(within, across_, "floor");
    const auto column = within - row * across_;
    const auto c = channels_.index_select(0, channel).unsqueeze(2).unsqueeze(3);
    const auto v = vertical_.index_select(0, row).unsqueeze(1).unsqueeze(3);
    const auto h = horizontal_.index_select(0, column).unsqueeze(1).unsqueeze(2);
    return c * (v * h);
  }

  const SimbaPlan& plan_;
  Ball ball_;
  torch::Tensor points_;                    // tried
  torch::Tensor current_, values_;          // accepted, with its judged value
  torch::Tensor order_, place_, positive_;  // directions, which of them, its second half
  torch::Tensor vertical_, horizontal_, channels_;
  std::int64_t down_ = 0, across_ = 0;
};

/// Simple black-box attack (Guo, Gardner, You, Wilson and Weinberger, ICML 2019, algorithm 1):
/// walks through an orthonormal basis in random order, keeping every step that helps. The released
/// code has no bound; here every step is projected into the ball. When all directions have been
/// tried, a new order begins.
class Simba : public Attack {
 public:
  explicit Simba(const SimbaPlan& plan) : plan_(plan) {}

  ThreatModel threat() const override { return plan_.threat; }
  std::int64_t forwardsPerImage() const override { return plan_.queries + 1; }
  std::int64_t backwardsPerImage() const override { return 0; }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    const WalkPlan plan{.name = "simba",
                        .threat = plan_.threat,
                        .steps = plan_.queries,
                        .startsClean = true,
                        .gradients = false};
    const auto walker = [this](const torch::Tensor& batch) {
      return std::make_unique<SimbaWalker>(plan_, batch);
    };
    return walk(plan, walker, objective, images, context);
  }

 private:
  SimbaPlan plan_;
};

}  // namespace

void addSimba(Registry<Attack>& registry) {
  const std::string guo = "Guo et al. 2019, released code";
  ComponentInfo info;
  info.name = "simba";
  info.title = "Simple black-box attack";
  info.summary = "Tries the directions of a basis one by one, keeping what helps";
  info.reference = "Guo et al., ICML 2019";
  info.traits = {"black box"};
  addThreatOptions(info.options, "Madry et al. 2018, section 5: 8 of 255, l-inf, on CIFAR-10");
  info.options.choice("basis", "pixel", {"pixel", "dct"}, "Single pixels, or low frequencies (DCT)")
      .from("Guo et al. 2019: both")
      .simple();
  info.options.integer("queries", 5000, "Points tried per image, two per direction at most")
      .range(1, 1000000)
      .in("forwards")
      .from("as many as the Square attack's (ours); released code: 10000 directions")
      .simple();
  info.options
      .number("step_size", 0, "Length of a step; 0: eps for pixels under l-inf, else min(0.2, eps)")
      .range(0, 10)
      .in("fraction of the [0,1] range")
      .from(guo + ": 0.2");
  info.options.integer("frequencies", 32, "Frequencies per axis in the DCT basis, the lowest first")
      .range(1, 100000)
      .from(guo + ": 32 on CIFAR-10")
      .expert();
  registry.add(info, [](const Params& params) {
    SimbaPlan plan;
    plan.threat = threatOf(params, "simba");
    plan.queries = params.getInt("queries");
    plan.dct = params.getText("basis") == "dct";
    plan.frequencies = params.getInt("frequencies");
    plan.stepSize = params.getNumber("step_size");
    if (plan.stepSize == 0.0) {
      const bool corner = !plan.dct && plan.threat.norm == Norm::Linf;
      plan.stepSize = corner ? plan.threat.epsilon : std::min(0.2, plan.threat.epsilon);
    }
    return std::make_unique<Simba>(plan);
  });
}

}  // namespace bulwark
