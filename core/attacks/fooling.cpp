#include "core/attacks/fooling.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "core/attacks/cppn.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

constexpr std::int64_t kAttempts = 3;
/// Repetitions of a generation that made nothing better, before it counts as done.
constexpr std::int64_t kRepetitions = 20;

/// An image accepted for a place of the set.
struct Found {
  std::int64_t label = 0;
  double confidence = 0.0;
  torch::Tensor image;  // [C, H, W]
};

/// One evolution: proposes a population, learns the class probabilities of its members.
class Evolution {
 public:
  virtual ~Evolution() = default;
  /// [population, C, H, W] in [0, 1], CPU.
  virtual torch::Tensor propose() = 0;
  /// [population, K] float64, CPU. Returns whether the evolution is over.
  virtual bool learn(const torch::Tensor& probabilities) = 0;
  /// What was accepted, by place.
  virtual std::map<std::int64_t, Found> found() const = 0;
};

/// The genetic algorithm of Zhao et al.'s code: all members start as copies of one noise image; a
/// generation crosses a few, draws entries anew, and keeps the best tenth, ten times each.
class DirectEvolution : public Evolution {
 public:
  DirectEvolution(const FoolingPlan& plan, const NetworkShape& shape, std::int64_t place, Seed seed)
      : plan_(plan), shape_(shape), place_(place), label_(place % shape.classes), random_(seed) {
    auto start = torch::empty({shape.channels, shape.height, shape.width});
    float* const pixels = start.data_ptr<float>();
    for (std::int64_t i = 0; i < start.numel(); ++i) {
      pixels[i] = static_cast<float>(std::clamp(2.5 * random_.normal(), 0.0, 1.0));
    }
    population_ = start.unsqueeze(0).repeat({plan.population, 1, 1, 1});
    children_ = population_;
  }

  torch::Tensor propose() override {
    if (best_ < 0) return children_;  // the start itself
    children_ = population_.clone();
    cross();
    mutate();
    return children_;
  }

  bool learn(const torch::Tensor& probabilities) override {
    const auto fitness = probabilities.select(1, label_).contiguous();
    const double best = fitness.max().item<double>();
    if (best < best_ && ++repeated_ < kRepetitions) return false;  // the step is repeated
    ++generation_;
    repeated_ = 0;
    if (best >= best_) {
      best_ = best;
      const std::int64_t kept = std::max<std::int64_t>(1, plan_.population / 10);
      const auto order = fitness.argsort(0, true);
      image_ = children_[order[0].item<std::int64_t>()].clone();
      const auto rows = order.index_select(0, torch::arange(plan_.population).remainder(kept));
      population_ = children_.index_select(0, rows);
    }
    return accepted() || generation_ > plan_.generations;
  }

  std::map<std::int64_t, Found> found() const override {
    if (!accepted()) return {};
    return {{place_, Found{label_, best_, image_}}};
  }

 private:
  bool accepted() const { return best_ > plan_.confidence; }

  void cross() {
    const auto members = static_cast<double>(plan_.population);
    const auto pairs = static_cast<std::int64_t>(std::floor(members * plan_.crossover)) / 2;
    std::vector<std::int64_t> order(static_cast<std::size_t>(plan_.population));
    std::iota(order.begin(), order.end(), 0);
    random_.shuffle(order);
    const std::int64_t genes = children_[0].numel();
    float* const all = children_.data_ptr<float>();
    for (std::int64_t p = 0; p < pairs; ++p) {
      float* const a = all + order[static_cast<std::size_t>(2 * p)] * genes;
      float* const b = all + order[static_cast<std::size_t>(2 * p + 1)] * genes;
      const auto cut = static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(genes)));
      std::swap_ranges(a + cut, a + genes, b + cut);
    }
  }

  void mutate() {
    const std::int64_t entries = children_.numel();
    auto left = static_cast<std::int64_t>(static_cast<double>(entries) * plan_.mutation);
    std::vector<bool> drawn(static_cast<std::size_t>(entries));
    float* const all = children_.data_ptr<float>();
    while (left > 0) {
      const auto at = random_.below(static_cast<std::uint64_t>(entries));
      if (drawn[at]) continue;
      drawn[at] = true;
      all[at] = static_cast<float>(random_.uniform());
      --left;
    }
  }

  const FoolingPlan& plan_;
  NetworkShape shape_;
  std::int64_t place_, label_;
  Random random_;
  torch::Tensor population_, children_, image_;
  double best_ = -1.0;
  std::int64_t generation_ = 0, repeated_ = 0;
};

/// MAP-Elites: an archive with one cell per class. Children are mutants of random cells; each
/// competes for every class's cell.
class ArchiveEvolution : public Evolution {
 public:
  /// Fills the places first, first + 1, ... first + classes - 1.
  ArchiveEvolution(const FoolingPlan& plan, const NetworkShape& shape, std::int64_t first,
                   Seed seed)
      : plan_(plan), shape_(shape), first_(first), random_(seed) {
    cells_.resize(static_cast<std::size_t>(shape.classes));
  }

  torch::Tensor propose() override {
    genomes_.clear();
    std::vector<torch::Tensor> images;
    for (std::int64_t i = 0; i < plan_.population; ++i) {
      if (generation_ == 0) {
        genomes_.emplace_back(shape_.channels, random_);
      } else {
        genomes_.push_back(cells_[random_.below(cells_.size())].genome);
        genomes_.back().mutate(random_);
      }
      images.push_back(genomes_.back().draw(shape_.height, shape_.width));
    }
    images_ = torch::stack(images);
    return images_;
  }

  bool learn(const torch::Tensor& probabilities) override {
    const auto values = probabilities.contiguous();
    const double* const p = values.data_ptr<double>();
    bool all = true;
    for (std::size_t k = 0; k < cells_.size(); ++k) {
      for (std::size_t i = 0; i < genomes_.size(); ++i) {
        const double fitness = p[i * cells_.size() + k];
        if (fitness <= cells_[k].fitness) continue;
        cells_[k] = {genomes_[i], images_[static_cast<std::int64_t>(i)].clone(), fitness};
      }
      all = all && cells_[k].fitness > plan_.confidence;
    }
    return ++generation_ > plan_.generations || all;
  }

  std::map<std::int64_t, Found> found() const override {
    std::map<std::int64_t, Found> accepted;
    for (std::size_t k = 0; k < cells_.size(); ++k) {
      const auto label = static_cast<std::int64_t>(k);
      const std::int64_t place = first_ + label;
      if (place >= plan_.count || cells_[k].fitness <= plan_.confidence) continue;
      accepted[place] = Found{label, cells_[k].fitness, cells_[k].image};
    }
    return accepted;
  }

 private:
  struct Cell {
    Cppn genome;
    torch::Tensor image;
    double fitness = -1.0;
  };

  const FoolingPlan& plan_;
  NetworkShape shape_;
  std::int64_t first_;
  Random random_;
  std::vector<Cell> cells_;
  std::vector<Cppn> genomes_;
  torch::Tensor images_;
  std::int64_t generation_ = 0;
};

}  // namespace

FoolingImages evolveFooling(Network& network, const FoolingPlan& plan, const torch::Device& device,
                            Seed seed, Task& task) {
  const torch::NoGradGuard noGrad;
  const NetworkShape shape = network.shape();
  const bool direct = plan.encoding == FoolingPlan::Encoding::Direct;
  const std::int64_t size = direct ? 1 : shape.classes;  // places of one evolution
  FoolingImages result;
  std::map<std::int64_t, Found> all;
  for (std::int64_t first = 0; first < plan.count; first += size) {
    const std::int64_t places = std::min(size, plan.count - first);
    std::int64_t filled = 0;
    for (std::int64_t attempt = 0; attempt < kAttempts && filled < places; ++attempt) {
      const Seed own = seed.child(static_cast<std::uint64_t>(first / size))
                           .child(static_cast<std::uint64_t>(attempt));
      std::unique_ptr<Evolution> evolution;
      if (direct) {
        evolution = std::make_unique<DirectEvolution>(plan, shape, first, own);
      } else {
        evolution = std::make_unique<ArchiveEvolution>(plan, shape, first, own);
      }
      for (bool over = false; !over;) {
        task.checkpoint();
        // One population a pass: rounding, which decides between close members, is always the same.
        const auto logits = network.forward(toDevice(evolution->propose(), device));
        over = evolution->learn(torch::softmax(logits.to(torch::kCPU, torch::kFloat64), 1));
        result.forwards += plan.population;
      }
      // Places that an earlier attempt has filled stay as they are.
      for (auto& [place, found] : evolution->found()) {
        filled += all.emplace(place, std::move(found)).second ? 1 : 0;
      }
    }
    result.rejected += places - filled;
    task.advance(places);
  }

  std::vector<torch::Tensor> images;
  std::vector<std::int64_t> labels;
  std::vector<double> confidences;
  for (const auto& [place, found] : all) {
    images.push_back(found.image);
    labels.push_back(found.label);
    confidences.push_back(found.confidence);
  }
  result.images = images.empty() ? torch::empty({0, shape.channels, shape.height, shape.width})
                                 : torch::stack(images);
  result.labels = torch::tensor(labels, torch::kInt64);
  result.confidences = torch::tensor(confidences, torch::kFloat64);
  return result;
}

}  // namespace bulwark
