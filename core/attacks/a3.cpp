#include "core/attacks/a3.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <utility>

#include "core/attacks/ball.h"
#include "core/attacks/builtin.h"
#include "core/attacks/direction_objective.h"
#include "core/attacks/expectation.h"
#include "core/attacks/logit_objective.h"
#include "core/attacks/merge.h"
#include "core/attacks/threat.h"
#include "core/attacks/walk.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

/// The direction that a sample begins a restart with, [dimensions].
using DrawDirection = std::function<torch::Tensor(std::int64_t sample, Seed seed)>;

/// `leading` steps of size epsilon along a random direction, then the schedule's steps along the
/// objective's own guide.
class A3Walker : public Walker {
 public:
  A3Walker(const ThreatModel& threat, std::int64_t leading, std::int64_t steps,
           DirectionObjective& objective, DrawDirection draw, const torch::Tensor& images)
      : threat_(threat),
        leading_(leading),
        objective_(objective),
        draw_(std::move(draw)),
        ball_(threat, images),
        points_(images.clone(torch::MemoryFormat::Contiguous)),
        buffer_(torch::empty_like(points_)),
        samples_(static_cast<std::size_t>(images.size(0)), -1) {
    sizes_.assign(static_cast<std::size_t>(leading), 1.0);
    for (const double size : a3Steps(steps)) sizes_.push_back(size);
    sizes_.push_back(0.0);  // at the last iterate
  }

  const torch::Tensor& points() const override { return points_; }

  void leave(const std::vector<std::int64_t>& rows) override {
    std::vector<std::int64_t> samples;
    for (const auto row : rows) {  // which stay where they are: no direction ends there any more
      samples.push_back(std::exchange(samples_[static_cast<std::size_t>(row)], -1));
    }
    objective_.rest(samples);
  }

  void seat(const std::vector<Seat>& seats, const torch::Tensor& images) override {
    const auto rows = rowsOf(seats, points_.device());
    ball_.place(rows, images);
    points_.index_copy_(0, rows, randomStarts(images, threat_, seats));
    std::vector<std::int64_t> samples;
    std::vector<torch::Tensor> directions;
    for (const Seat& seat : seats) {
      samples.push_back(seat.sample);
      samples_[static_cast<std::size_t>(seat.row)] = seat.sample;
      if (leading_ > 0) directions.push_back(draw_(seat.sample, seat.seed.child("direction")));
    }
    if (leading_ > 0) {
      objective_.lead(samples, torch::stack(directions));
    } else {
      objective_.release(samples);
    }
  }

  void move(const Evaluation& evaluation) override {
    if (threat_.norm == Norm::L2) {
      // Divided by its largest entry first: squares of tiny gradients would underflow.
      constexpr float tiny = std::numeric_limits<float>::min();
      torch::div_out(buffer_, evaluation.gradient, perRow(evaluation.magnitude.clamp_min(tiny)));
      buffer_.div_(perRow(rowNorms(buffer_).clamp_min_(1e-12)));
    } else {
      torch::sign_out(buffer_, evaluation.gradient);
    }
    std::vector<float> sizes;
    std::vector<std::int64_t> arrived;  // at the end of their direction
    for (std::size_t i = 0; i < evaluation.steps.size(); ++i) {
      const auto step = evaluation.steps[i];
      const auto at = std::min(static_cast<std::size_t>(step), sizes_.size() - 1);
      sizes.push_back(static_cast<float>(threat_.epsilon * sizes_[at]));
      if (step + 1 == leading_ && samples_[i] >= 0) arrived.push_back(samples_[i]);
    }
    points_.addcmul_(buffer_, perRow(torch::tensor(sizes).to(points_.device())));
    ball_.project(points_);
    objective_.release(arrived);
  }

  void keep(const torch::Tensor& rows) override {
    ball_.keep(rows);
    points_ = points_.index_select(0, rows);
    buffer_ = torch::empty_like(points_);
    const auto onHost = rows.to(torch::kCPU);
    std::vector<std::int64_t> samples;
    for (std::int64_t i = 0; i < onHost.size(0); ++i) {
      samples.push_back(samples_[static_cast<std::size_t>(onHost[i].item<std::int64_t>())]);
    }
    samples_ = samples;
  }

 private:
  const ThreatModel threat_;
  const std::int64_t leading_;
  DirectionObjective& objective_;
  DrawDirection draw_;
  Ball ball_;
  torch::Tensor points_, buffer_;
  std::vector<std::int64_t> samples_;  // by row
  std::vector<double> sizes_;          // by move, in units of epsilon
};

/// One round of the published schedule.
struct Round {
  std::int64_t leading = 0, steps = 8, restarts = 1;
  double share = 1.0;  ///< of the images that still stand
};

/// Rounds 3 to 12 when random directions have proved useless, and when not.
const std::vector<Round>& hardRounds() {
  static const std::vector<Round> rounds = {
      {7, 25, 1, 0.7}, {7, 30, 1, 0.6}, {7, 30, 1, 0.5}, {7, 35, 1, 0.4},   {7, 40, 1, 0.3},
      {7, 45, 1, 0.2}, {7, 50, 1, 0.1}, {7, 50, 4, 0.1}, {7, 55, 4, 0.065}, {7, 60, 50, 0.03}};
  return rounds;
}
const std::vector<Round>& directedRounds() {
  static const std::vector<Round> rounds = {
      {10, 5, 10, 1}, {15, 5, 1, 1},  {15, 10, 1, 1},   {10, 10, 1, 1},   {10, 15, 1, 1},
      {10, 18, 1, 1}, {10, 20, 1, 1}, {10, 25, 5, 0.8}, {10, 35, 5, 0.5}, {10, 45, 20, 0.5}};
  return rounds;
}

constexpr std::int64_t kRounds = 13;
constexpr std::int64_t kBudget = 100;  ///< gradient steps per image, on average

/// Adaptive auto attack (Liu et al., CVPR 2022): random directions in the output space as starts,
/// a cosine of step sizes on the margin, and, where one crossing is enough, effort spent on the
/// images closest to the boundary.
///
/// On a score, or where every image needs its worst value, the published schedule has no meaning
/// (it discards images and learns from flips): 13 rounds of 7 leading and 25 climbing steps on all
/// images, the directions drawn in the features of the classifier behind the score.
class A3 : public Attack {
 public:
  explicit A3(const ThreatModel& threat) : threat_(threat) {}

  ThreatModel threat() const override { return threat_; }
  std::int64_t forwardsPerImage() const override { return kRounds * (2 * 7 + 25 + 2) + 2; }
  std::int64_t backwardsPerImage() const override { return kRounds * (7 + 25); }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    requireImages(images, "a3");
    if (objective.classes() > 0 && context.mode == AttackMode::Cross && images.size(0) > 0) {
      return crossBoundary(objective, images, context);
    }
    WorstOf worst("a3", objective, images, context);
    for (std::int64_t round = 0; round < kRounds; ++round) {
      worst.add("round " + std::to_string(round + 1) + " of " + std::to_string(kRounds),
                [&](Objective& base, const torch::Tensor& batch, const AttackContext& around) {
                  DirectionObjective directed(base, batch, around);
                  const auto draw = [&](std::int64_t, Seed seed) {
                    return randomDirection(directed.dimensions(), base.classes() > 0, seed);
                  };
                  return climb({7, 25, 1, 1.0}, directed, draw, batch, around);
                });
    }
    return worst.take();
  }

 private:
  /// Weights of logits are uniform in [-1, 1], as published; those of features normal.
  static torch::Tensor randomDirection(std::int64_t dimensions, bool logits, Seed seed) {
    Random random(seed);
    std::vector<float> direction;
    for (std::int64_t i = 0; i < dimensions; ++i) {
      const double drawn = logits ? 2.0 * random.uniform() - 1.0 : random.normal();
      direction.push_back(static_cast<float>(drawn));
    }
    return torch::tensor(direction);
  }

  AttackResult climb(const Round& round, DirectionObjective& objective, const DrawDirection& draw,
                     const torch::Tensor& images, const AttackContext& context) const {
    const WalkPlan plan{.name = "a3",
                        .threat = threat_,
                        .steps = round.leading + round.steps,
                        .restarts = round.restarts,
                        .leading = round.leading,
                        .leadingForwards = objective.leadingForwards()};
    const auto walker = [&](const torch::Tensor& batch) {
      return std::make_unique<A3Walker>(threat_, round.leading, round.steps, objective, draw,
                                        batch);
    };
    auto result = walk(plan, walker, objective, images, context);
    result.forwards += objective.probeForwards();
    return result;
  }

  AttackResult crossBoundary(Objective& objective, const torch::Tensor& images,
                             const AttackContext& context) const;

  ThreatModel threat_;
};

/// What the directions of broken images had in common: mean weight of the true class and of the
/// class they were taken for.
struct Learnt {
  double truth = 0.0, other = 0.0;
  std::int64_t count = 0;
};

AttackResult A3::crossBoundary(Objective& objective, const torch::Tensor& images,
                               const AttackContext& context) const {
  const std::int64_t classes = objective.classes(), total = images.size(0);
  const auto ranking = likelyWrongClasses(objective, images, classes - 1, context);
  const auto labels = objective.labels(torch::arange(total), torch::kCPU);
  WorstOf worst("a3", objective, images, context);
  worst.count(total, 0);
  Learnt learnt;
  std::int64_t standingAtFirst = 0, ledAcross = 0;
  for (std::int64_t number = 0; number < kRounds; ++number) {
    Round round;
    if (number == 1 || number == 2) round.leading = 7;
    if (number > 2) {
      const bool useless =
          static_cast<double>(ledAcross) < 0.05 * static_cast<double>(standingAtFirst);
      round = (useless ? hardRounds() : directedRounds())[static_cast<std::size_t>(number - 3)];
    }
    auto positions = torch::arange(total);
    if (number > 0) {
      positions = worst.standing();
      const std::int64_t standing = positions.size(0);
      if (number == 1) standingAtFirst = standing;
      if (standing == 0) break;
      if (number > 2 && standing * 10 < total) {
        round.share = 1.0;
        round.restarts += 10;
      }
      const auto share = static_cast<std::int64_t>(round.share * static_cast<double>(standing));
      const auto count = std::min(standing, std::max<std::int64_t>(100, share));
      const auto values = worst.result().values.index_select(0, positions);
      const auto nearest = std::get<1>(values.topk(count)).sort();
      positions = positions.index_select(0, std::get<0>(nearest));
      // The margin phase may take over what the average budget has left.
      const std::int64_t left = kBudget * total - worst.result().backwards;
      round.steps = std::min(std::max<std::int64_t>(left / count, 15), round.steps + round.leading);
    }
    const bool biased = number > 1 && round.leading > 0;
    const auto member = [&](Objective& base, const torch::Tensor& batch,
                            const AttackContext& around) {
      DirectionObjective directed(base, batch, around);
      const auto draw = [&](std::int64_t sample, Seed seed) {
        auto direction = randomDirection(classes, true, seed);
        if (!biased) return direction;
        Random random(seed.child("bias"));
        const double scale = static_cast<double>(classes) / 10.0;
        const auto at = positions[sample].item<std::int64_t>();
        const std::int64_t tried = std::min<std::int64_t>(9, classes - 1);
        const auto wrong = ranking[at][number % tried].item<std::int64_t>();
        // Signs of what has worked so far; small for the true class.
        const double low = learnt.truth > 0 ? -0.1 : -0.5;
        direction[labels[at].item<std::int64_t>()] = scale * (low + 0.6 * random.uniform());
        direction[wrong] = (learnt.other < 0 ? -0.8 : 0.8) * scale;
        return direction;
      };
      const auto before = around.clean;
      auto found = climb(round, directed, draw, batch, around);
      if (round.leading == 0) return found;
      // What led the newly broken ones across.
      const double bound = finishBound(around);
      auto broken = found.values > bound;
      if (before.defined()) broken = broken.logical_and(before <= bound);
      const auto fresh = broken.nonzero().squeeze(1);
      if (fresh.size(0) == 0) return found;
      const torch::NoGradGuard noGrad;
      const auto taken = base.logits(toDevice(found.images.index_select(0, fresh), around.device))
                             .argmax(1)
                             .to(torch::kCPU);
      found.forwards += fresh.size(0);
      const auto weights = directed.directions().to(torch::kCPU);
      for (std::int64_t i = 0; i < fresh.size(0); ++i) {
        const auto sample = fresh[i].item<std::int64_t>();
        const auto at = positions[sample].item<std::int64_t>();
        if (number < 3 && directed.leads(sample)) ++ledAcross;
        learnt.truth += weights[sample][labels[at].item<std::int64_t>()].item<double>();
        learnt.other += weights[sample][taken[i].item<std::int64_t>()].item<double>();
        ++learnt.count;
      }
      return found;
    };
    const std::string label =
        "round " + std::to_string(number + 1) + " of " + std::to_string(kRounds);
    if (number == 0) {
      worst.add(label, member);
    } else {
      worst.add(label, positions, member);
    }
  }
  return worst.take();
}

}  // namespace

std::vector<double> a3Steps(std::int64_t count) {
  const double least = count <= 10 ? 0.1 : 0.001;
  std::vector<double> steps;
  for (std::int64_t j = 0; j < count; ++j) {
    const double angle = std::acos(-1.0) * static_cast<double>(j) / static_cast<double>(count + 1);
    steps.push_back(least + (1.0 - least) * (1.0 + std::cos(angle)) / 2.0);
  }
  return steps;
}

void addA3(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "a3";
  info.title = "Adaptive auto attack (A3)";
  info.summary =
      "Starts along random directions of the output, cosine steps, effort where the boundary is "
      "near; on a score 13 starts along random feature directions";
  info.reference = "Liu et al., CVPR 2022";
  info.traits = {"white box", "needs gradient", "ensemble"};
  addThreatOptions(info.options, "Liu et al. 2022, section 4: 8 of 255, l-inf, on CIFAR-10");
  addGradientAttack(registry, info, [](const Params& params) {
    return std::make_unique<A3>(threatOf(params, "a3"));
  });
}

}  // namespace bulwark
