#include "core/attacks/draws.h"

#include <cmath>
#include <vector>

#include "core/attacks/ball.h"
#include "core/attacks/threat.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

class DrawWalker : public Walker {
 public:
  DrawWalker(const DrawPlan& plan, const Sampler& sampler, const torch::Tensor& images)
      : plan_(plan),
        sampler_(sampler),
        ball_(plan.threat, images),
        device_(images.device()),
        images_(images.to(torch::kCPU).clone(torch::MemoryFormat::Contiguous)),
        drawn_(images_.clone()),
        points_(images.clone(torch::MemoryFormat::Contiguous)),
        seeds_(static_cast<std::size_t>(images.size(0)), Seed{0}) {}

  const torch::Tensor& points() const override { return points_; }

  void seat(const std::vector<Seat>& seats, const torch::Tensor& images) override {
    const auto index = rowsOf(seats, device_);
    ball_.place(index, images);
    images_.index_copy_(0, index.to(torch::kCPU), images.to(torch::kCPU));
    for (const Seat& seat : seats) {
      seeds_[static_cast<std::size_t>(seat.row)] = seat.seed;
      if (seat.start.defined()) {
        drawn_[seat.row].copy_(seat.start);
      } else {
        draw(seat.row, 0);
      }
    }
    show();
  }

  void move(const Evaluation& evaluation) override {
    for (std::size_t i = 0; i < evaluation.steps.size(); ++i) {
      const std::int64_t next = evaluation.steps[i] + 1;
      if (next < plan_.draws) draw(static_cast<std::int64_t>(i), next);
    }
    show();
  }

  void keep(const torch::Tensor& rows) override {
    ball_.keep(rows);
    points_ = points_.index_select(0, rows);
    const auto onHost = rows.to(torch::kCPU);
    images_ = images_.index_select(0, onHost);
    drawn_ = drawn_.index_select(0, onHost);
    std::vector<Seed> seeds;
    for (std::int64_t i = 0; i < onHost.size(0); ++i) {
      seeds.push_back(seeds_[static_cast<std::size_t>(onHost[i].item<std::int64_t>())]);
    }
    seeds_ = std::move(seeds);
  }

 private:
  void draw(std::int64_t row, std::int64_t number) {
    const Seed seed = seeds_[static_cast<std::size_t>(row)];
    drawn_[row].copy_(sampler_(images_[row], seed.child(static_cast<std::uint64_t>(number))));
  }

  void show() {
    points_.copy_(drawn_);
    ball_.project(points_);
  }

  const DrawPlan& plan_;
  const Sampler& sampler_;
  Ball ball_;
  torch::Device device_;
  torch::Tensor images_, drawn_;  // on the host
  torch::Tensor points_;
  std::vector<Seed> seeds_;
};

class DrawAttack : public Attack {
 public:
  DrawAttack(DrawPlan plan, Sampler sampler)
      : plan_(std::move(plan)), sampler_(std::move(sampler)) {}

  ThreatModel threat() const override { return plan_.threat; }
  std::int64_t forwardsPerImage() const override { return plan_.draws + 1; }
  std::int64_t backwardsPerImage() const override { return 0; }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    // The first draw is where the walk starts.
    const WalkPlan plan{.name = plan_.name,
                        .threat = plan_.threat,
                        .steps = plan_.draws - 1,
                        .gradients = false,
                        .keeps = plan_.keeps};
    const auto walker = [this](const torch::Tensor& batch) {
      return std::make_unique<DrawWalker>(plan_, sampler_, batch);
    };
    return walk(plan, walker, objective, images, context);
  }

 private:
  DrawPlan plan_;
  Sampler sampler_;
};

}  // namespace

std::unique_ptr<Attack> makeDrawAttack(const DrawPlan& plan, const Sampler& sampler) {
  return std::make_unique<DrawAttack>(plan, sampler);
}

void addDrawsOption(OptionSchema& options, long long draws, const std::string& source) {
  options.integer("draws", draws, "Points drawn per image")
      .range(1, 10000000)
      .in("forwards")
      .from(source)
      .simple();
}

torch::Tensor randomCorner(const torch::Tensor& image, const ThreatModel& threat, Seed seed) {
  Random random(seed);
  const std::int64_t count = image.numel();
  auto point = image.clone(torch::MemoryFormat::Contiguous);
  float* const pixels = point.data_ptr<float>();
  if (threat.norm == Norm::Linf) {
    const auto eps = static_cast<float>(threat.epsilon);
    for (std::int64_t i = 0; i < count; ++i) pixels[i] += random.below(2) == 1 ? eps : -eps;
    return point;
  }
  std::vector<double> direction(static_cast<std::size_t>(count));
  double squares = 0.0;
  for (double& d : direction) {
    d = random.normal();
    squares += d * d;
  }
  const double scale = squares > 0.0 ? threat.epsilon / std::sqrt(squares) : 0.0;
  for (std::int64_t i = 0; i < count; ++i) {
    pixels[i] += static_cast<float>(scale * direction[static_cast<std::size_t>(i)]);
  }
  return point;
}

}  // namespace bulwark
