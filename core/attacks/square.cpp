#include "core/attacks/square.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/attacks/ball.h"
#include "core/attacks/builtin.h"
#include "core/attacks/square_windows.h"
#include "core/attacks/threat.h"
#include "core/attacks/walk.h"

namespace bulwark {
namespace {

/// A query of one row: one window, under l2 a second that gives its budget away.
struct Query {
  Window first, second;
  bool transposed = false;
};

class SquareWalker : public Walker {
 public:
  SquareWalker(const SquarePlan& plan, const torch::Tensor& images)
      : plan_(plan),
        ball_(plan.threat, images),
        points_(images.clone(torch::MemoryFormat::Contiguous)),
        current_(points_.clone()),
        values_(torch::empty({images.size(0)},
                             torch::TensorOptions(images.device()).dtype(torch::kFloat64))),
        seeds_(static_cast<std::size_t>(images.size(0)), Seed{0}) {}

  const torch::Tensor& points() const override { return points_; }

  void seat(const std::vector<Seat>& seats, const torch::Tensor& images) override {
    const auto index = rowsOf(seats, points_.device());
    ball_.place(index, images);
    std::vector<torch::Tensor> starts;
    const auto onHost = images.to(torch::kCPU);
    for (std::size_t i = 0; i < seats.size(); ++i) {
      const Seat& seat = seats[i];
      seeds_[static_cast<std::size_t>(seat.row)] = seat.seed;
      const auto image = onHost[static_cast<std::int64_t>(i)];
      starts.push_back(seat.start.defined() ? seat.start
                                            : squareStart(image, plan_.threat, seat.seed));
    }
    // Only the new rows: projecting the others' proposals once more would move them by a rounding
    // whenever a neighbour is seated.
    auto placed = points_.index_copy(0, index, torch::stack(starts).to(points_.device()));
    ball_.project(placed);
    points_.index_copy_(0, index, placed.index_select(0, index));
    values_.index_fill_(0, index, -std::numeric_limits<double>::infinity());
  }

  void move(const Evaluation& evaluation) override {
    // Random search: what is better is gone on from; the start always is.
    const auto better = evaluation.judged > values_;
    torch::where_out(values_, better, evaluation.judged, values_);
    torch::where_out(current_, perRow(better), points_, current_);
    const bool l2 = plan_.threat.norm == Norm::L2;
    const std::int64_t channels = current_.size(1);
    const std::int64_t height = current_.size(2), width = current_.size(3);
    std::vector<Query> queries(evaluation.steps.size());
    std::vector<float> signs;
    for (std::size_t row = 0; row < queries.size(); ++row) {
      const std::int64_t number = evaluation.steps[row];
      Random random(seeds_[row].child(static_cast<std::uint64_t>(number)));
      const double share =
          squareShare(plan_.share, number, plan_.rescale ? plan_.queries : std::int64_t{0});
      const std::int64_t side = squareSide(share, height, width, l2);
      queries[row].first = randomWindow(side, height, width, random);
      if (l2) {
        queries[row].second = randomWindow(side, height, width, random);
        queries[row].transposed = random.below(2) == 1;
      }
      for (std::int64_t c = 0; c < channels; ++c)
        signs.push_back(random.below(2) == 1 ? 1.F : -1.F);
    }
    const auto rows = static_cast<std::int64_t>(queries.size());
    const auto sign = torch::tensor(signs).view({rows, channels, 1, 1}).to(current_.device());
    if (l2) {
      proposeL2(queries, sign);
    } else {
      proposeLinf(queries, sign);
    }
    ball_.project(points_);
  }

  void keep(const torch::Tensor& rows) override {
    ball_.keep(rows);
    for (torch::Tensor* tensor : {&points_, &current_, &values_}) {
      *tensor = tensor->index_select(0, rows);
    }
    const auto onHost = rows.to(torch::kCPU);
    std::vector<Seed> seeds;
    for (std::int64_t i = 0; i < onHost.size(0); ++i) {
      seeds.push_back(seeds_[static_cast<std::size_t>(onHost[i].item<std::int64_t>())]);
    }
    seeds_ = std::move(seeds);
  }

 private:
  torch::Tensor inside(const std::vector<Query>& queries, Window Query::*which) const {
    std::vector<Window> windows;
    for (const Query& query : queries) windows.push_back(query.*which);
    return windowMask(windows, current_.size(2), current_.size(3), current_.device());
  }

  /// A move by 2 eps, clipped: from anywhere in the ball it ends at the face on its side.
  void proposeLinf(const std::vector<Query>& queries, const torch::Tensor& sign) {
    torch::where_out(points_, inside(queries, &Query::first),
                     ball_.centres() + sign * plan_.threat.epsilon, current_);
  }

  /// The budget of the second window goes to the first, where a bump of random sign is added to
  /// the direction there; then all is scaled to length eps.
  void proposeL2(const std::vector<Query>& queries, const torch::Tensor& sign) {
    constexpr double tiny = 1e-12;
    const double eps = plan_.threat.epsilon;
    const auto channels = static_cast<double>(current_.size(1));
    const auto perChannel = [](const torch::Tensor& t) {
      return t.square().sum({2, 3}, true).sqrt();
    };
    const auto first = inside(queries, &Query::first), second = inside(queries, &Query::second);
    const auto delta = current_ - ball_.centres();
    const auto none = torch::zeros_like(delta);
    const auto old = torch::where(first, delta, none);
    const auto windows = rowNorms(torch::where(first.logical_or(second), delta, none));
    const auto spare = (eps * eps - rowNorms(delta).square()).clamp_min(0);
    const auto budget = (spare / channels + windows.square()).sqrt();
    auto moved = bumps(queries) * sign + old / (perChannel(old) + tiny);
    moved = moved / (perChannel(moved) + tiny) * perRow(budget);
    const auto next = torch::where(first, moved, torch::where(second, none, delta));
    points_.copy_(ball_.centres() + next * perRow(eps / (rowNorms(next) + tiny)));
  }

  /// [W, 1, H, W']: each row's bump in its first window, zero elsewhere.
  torch::Tensor bumps(const std::vector<Query>& queries) {
    const std::int64_t height = current_.size(2), width = current_.size(3);
    auto pattern = torch::zeros({static_cast<std::int64_t>(queries.size()), 1, height, width});
    float* image = pattern.data_ptr<float>();
    for (const Query& query : queries) {
      const Window& window = query.first;
      const float* from = bump(window.side, query.transposed).data_ptr<float>();
      for (std::int64_t line = 0; line < window.side; ++line, from += window.side) {
        std::copy_n(from, window.side, image + (window.top + line) * width + window.left);
      }
      image += height * width;
    }
    return pattern.to(current_.device());
  }

  /// A bump made once per side: making one takes longer than a row's share of a pass.
  const torch::Tensor& bump(std::int64_t side, bool transposed) {
    auto& made = made_[{side, transposed}];
    if (!made.defined()) made = squareBump(side, transposed).contiguous();
    return made;
  }

  const SquarePlan& plan_;
  Ball ball_;
  torch::Tensor points_;   // proposed
  torch::Tensor current_;  // best of the restart, with its
  torch::Tensor values_;   // [W] judged values
  std::vector<Seed> seeds_;
  std::map<std::pair<std::int64_t, bool>, torch::Tensor> made_;
};

/// Square attack (Andriushchenko, Croce, Flammarion and Hein, ECCV 2020, algorithms 1 to 3): a
/// random search that changes one square window at a time, smaller as queries go by. Only judged
/// values are used; windows and signs are each sample's own.
class Square : public Attack {
 public:
  explicit Square(const SquarePlan& plan) : plan_(plan) {}

  ThreatModel threat() const override { return plan_.threat; }
  std::int64_t forwardsPerImage() const override {
    return plan_.restarts * (plan_.queries + 1) + 1;
  }
  std::int64_t backwardsPerImage() const override { return 0; }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    const WalkPlan plan{.name = "square",
                        .threat = plan_.threat,
                        .steps = plan_.queries,
                        .restarts = plan_.restarts,
                        .gradients = false};
    const auto walker = [this](const torch::Tensor& batch) {
      return std::make_unique<SquareWalker>(plan_, batch);
    };
    return walk(plan, walker, objective, images, context);
  }

 private:
  SquarePlan plan_;
};

}  // namespace

std::unique_ptr<Attack> makeSquare(const SquarePlan& plan) {
  return std::make_unique<Square>(plan);
}

void addSquare(Registry<Attack>& registry) {
  const std::string autoAttack = "Croce and Hein, ICML 2020 (AutoAttack)";
  ComponentInfo info;
  info.name = "square";
  info.title = "Square attack";
  info.summary = "Random search over square windows; sees only scores";
  info.reference = "Andriushchenko et al., ECCV 2020";
  info.traits = {"black box"};
  addThreatOptions(info.options, "Madry et al. 2018, section 5: 8 of 255, l-inf, on CIFAR-10");
  info.options.integer("queries", 5000, "Points tried per restart, after the start")
      .range(1, 10000000)
      .in("forwards")
      .from(autoAttack + ": 5000")
      .simple();
  info.options.integer("restarts", 1, "Searches; the best point of all is kept")
      .range(1, 10000)
      .from(autoAttack + ": 1");
  info.options.number("p_init", 0.8, "Share of the image that the first windows cover")
      .above(0, 1)
      .from(autoAttack + ": 0.8")
      .expert();
  info.options
      .boolean("rescale_schedule", false,
               "Fit the shrinking of the windows, made for 10000 queries, to the number given")
      .from(autoAttack + ": not rescaled")
      .expert();
  registry.add(info, [](const Params& params) {
    SquarePlan plan;
    plan.threat = threatOf(params, "square");
    plan.queries = params.getInt("queries");
    plan.restarts = params.getInt("restarts");
    plan.share = params.getNumber("p_init");
    plan.rescale = params.getBool("rescale_schedule");
    return makeSquare(plan);
  });
}

}  // namespace bulwark
