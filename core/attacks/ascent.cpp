#include "core/attacks/ascent.h"

#include <limits>

#include "core/attacks/ball.h"
#include "core/attacks/threat.h"
#include "core/attacks/walk.h"

namespace bulwark {
namespace {

/// Buffers are allocated once; a step is a handful of in-place elementwise operations.
class AscentWalker : public Walker {
 public:
  AscentWalker(const AscentPlan& plan, const torch::Tensor& images)
      : plan_(plan),
        ball_(plan.threat, images),
        points_(images.clone(torch::MemoryFormat::Contiguous)),
        buffer_(torch::empty_like(points_)) {
    if (plan.momentum > 0.0) velocity_ = torch::zeros_like(points_);
  }

  const torch::Tensor& points() const override { return points_; }

  void seat(const std::vector<Seat>& seats, const torch::Tensor& images) override {
    const auto index = rowsOf(seats, points_.device());
    ball_.place(index, images);
    if (velocity_.defined()) velocity_.index_fill_(0, index, 0);
    if (!plan_.randomStart) {
      points_.index_copy_(0, index, images);
      return;
    }
    points_.index_copy_(0, index, randomStarts(images, plan_.threat, seats));
  }

  void move(const Evaluation& evaluation) override {
    if (velocity_.defined()) {
      accumulate(evaluation);
      step(velocity_, largest(velocity_));
    } else {
      step(evaluation.gradient, evaluation.magnitude);
    }
    ball_.project(points_);
  }

  void keep(const torch::Tensor& rows) override {
    ball_.keep(rows);
    points_ = points_.index_select(0, rows);
    buffer_ = torch::empty_like(points_);
    if (velocity_.defined()) velocity_ = velocity_.index_select(0, rows);
  }

 private:
  /// Largest absolute entry per row, [W].
  static torch::Tensor largest(const torch::Tensor& direction) {
    return torch::linalg_vector_norm(direction.flatten(1), std::numeric_limits<double>::infinity(),
                                     torch::IntArrayRef{1});
  }

  /// The gradient [W, C, H, W'] in the buffer, divided by its largest entries [W] first: squares
  /// and sums of tiny gradients would underflow.
  void scale(const torch::Tensor& gradient, const torch::Tensor& magnitude) {
    constexpr float tiny = std::numeric_limits<float>::min();
    torch::div_out(buffer_, gradient, perRow(magnitude.clamp_min(tiny)));
  }

  /// g_{t+1} = mu g_t + grad / ||grad||_1
  void accumulate(const Evaluation& evaluation) {
    scale(evaluation.gradient, evaluation.magnitude);
    const auto length =
        torch::linalg_vector_norm(buffer_.flatten(1), 1, torch::IntArrayRef{1}).clamp_min_(1e-12);
    buffer_.div_(perRow(length));
    velocity_.mul_(plan_.momentum).add_(buffer_);
  }

  void step(const torch::Tensor& direction, const torch::Tensor& magnitude) {
    if (plan_.threat.norm == Norm::L2) {
      scale(direction, magnitude);
      buffer_.mul_(perRow(plan_.stepSize / rowNorms(buffer_).clamp_min_(1e-12)));
      points_.add_(buffer_);
    } else {
      torch::sign_out(buffer_, direction);
      points_.add_(buffer_, plan_.stepSize);
    }
  }

  const AscentPlan& plan_;
  Ball ball_;
  torch::Tensor points_, buffer_;
  torch::Tensor velocity_;  // accumulated gradient; undefined without momentum
};

}  // namespace

AttackResult ascend(const AscentPlan& plan, Objective& objective, const torch::Tensor& images,
                    const AttackContext& context) {
  const WalkPlan walkPlan{.name = plan.name,
                          .threat = plan.threat,
                          .steps = plan.steps,
                          .restarts = plan.restarts,
                          .startsClean = !plan.randomStart,
                          .keeps = plan.keeps,
                          .enough = plan.enough};
  const auto walker = [&plan](const torch::Tensor& batch) {
    return std::make_unique<AscentWalker>(plan, batch);
  };
  return walk(walkPlan, walker, objective, images, context);
}

}  // namespace bulwark
