#include "core/attacks/ddn.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "core/attacks/ball.h"
#include "core/attacks/threat.h"
#include "core/attacks/walk.h"
#include "core/base/error.h"

namespace bulwark {
namespace {

class DdnWalker : public Walker {
 public:
  DdnWalker(const DdnPlan& plan, double threshold, const torch::Tensor& images)
      : plan_(plan),
        threshold_(threshold),
        ball_(plan.threat, images),
        points_(images.clone(torch::MemoryFormat::Contiguous)),
        buffer_(torch::empty_like(points_)),
        radius_(torch::ones({images.size(0)}, images.options())) {}

  const torch::Tensor& points() const override { return points_; }

  void seat(const std::vector<Seat>& seats, const torch::Tensor& images) override {
    const auto rows = rowsOf(seats, points_.device());
    ball_.place(rows, images);
    const bool given = seats.front().start.defined();
    points_.index_copy_(0, rows, given ? randomStarts(images, plan_.threat, seats) : images);
    radius_.index_fill_(0, rows, 1.0);
  }

  void move(const Evaluation& evaluation) override {
    constexpr float tiny = std::numeric_limits<float>::min();
    torch::div_out(buffer_, evaluation.gradient, perRow(evaluation.magnitude.clamp_min(tiny)));
    std::vector<float> lengths;
    for (const auto step : evaluation.steps) {
      const double turn = std::acos(-1.0) * static_cast<double>(step) / plan_.steps;
      lengths.push_back(static_cast<float>(0.01 + 0.99 * (1.0 + std::cos(turn)) / 2.0));
    }
    const auto length = torch::tensor(lengths).to(points_.device());
    buffer_.mul_(perRow(length / rowNorms(buffer_).clamp_min_(1e-12)));
    const auto crossed = evaluation.judged > threshold_;
    radius_.mul_(torch::where(crossed, torch::full_like(radius_, 1.0 - plan_.gamma),
                              torch::full_like(radius_, 1.0 + plan_.gamma)));
    radius_.clamp_max_(plan_.threat.epsilon);
    // The new offset on its sphere, in whole pixel levels, within the box and the budget.
    buffer_.add_(points_).sub_(ball_.centres());
    buffer_.mul_(perRow(radius_ / rowNorms(buffer_).clamp_min_(1e-12)));
    buffer_.mul_(255).round_().div_(255);
    torch::add_out(points_, ball_.centres(), buffer_);
    ball_.project(points_);
  }

  void keep(const torch::Tensor& rows) override {
    ball_.keep(rows);
    points_ = points_.index_select(0, rows);
    radius_ = radius_.index_select(0, rows);
    buffer_ = torch::empty_like(points_);
  }

 private:
  const DdnPlan& plan_;
  const double threshold_;
  Ball ball_;
  torch::Tensor points_, buffer_, radius_;
};

}  // namespace

AttackResult decoupledDirectionAndNorm(const DdnPlan& plan, Objective& objective,
                                       const torch::Tensor& images, const AttackContext& context) {
  if (context.thresholds.empty()) throw Error::failed("no threshold to cross is known", "ddn");
  const double threshold = context.thresholds.front();
  const WalkPlan walkPlan{.name = "ddn",
                          .threat = plan.threat,
                          .steps = plan.steps,
                          .restarts = context.starts.defined() ? plan.starts : 1,
                          .startsClean = !context.starts.defined()};
  const auto walker = [&](const torch::Tensor& batch) {
    return std::make_unique<DdnWalker>(plan, threshold, batch);
  };
  return walk(walkPlan, walker, objective, images, context);
}

}  // namespace bulwark
