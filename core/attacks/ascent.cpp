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
        buffer_(torch::empty_like(points_)) {}

  const torch::Tensor& points() const override { return points_; }

  void seat(const std::vector<Seat>& seats, const torch::Tensor& images) override {
    const auto index = rowsOf(seats, points_.device());
    ball_.place(index, images);
    if (!plan_.randomStart) {
      points_.index_copy_(0, index, images);
      return;
    }
    points_.index_copy_(0, index, randomStarts(images, plan_.threat, seats));
  }

  void move(const Evaluation& evaluation) override {
    if (plan_.threat.norm == Norm::L2) {
      // Divided by its largest entry first: squares of tiny gradients would underflow.
      constexpr float tiny = std::numeric_limits<float>::min();
      torch::div_out(buffer_, evaluation.gradient, perRow(evaluation.magnitude.clamp_min(tiny)));
      buffer_.mul_(perRow(plan_.stepSize / rowNorms(buffer_).clamp_min_(1e-12)));
      points_.add_(buffer_);
    } else {
      torch::sign_out(buffer_, evaluation.gradient);
      points_.add_(buffer_, plan_.stepSize);
    }
    ball_.project(points_);
  }

  void keep(const torch::Tensor& rows) override {
    ball_.keep(rows);
    points_ = points_.index_select(0, rows);
    buffer_ = torch::empty_like(points_);
  }

 private:
  const AscentPlan& plan_;
  Ball ball_;
  torch::Tensor points_, buffer_;
};

}  // namespace

AttackResult ascend(const AscentPlan& plan, Objective& objective, const torch::Tensor& images,
                    const AttackContext& context) {
  const WalkPlan walkPlan{.name = plan.name,
                          .threat = plan.threat,
                          .steps = plan.steps,
                          .restarts = plan.restarts,
                          .startsClean = !plan.randomStart};
  const auto walker = [&plan](const torch::Tensor& batch) {
    return std::make_unique<AscentWalker>(plan, batch);
  };
  return walk(walkPlan, walker, objective, images, context);
}

}  // namespace bulwark
