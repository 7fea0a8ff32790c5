#include "core/projection/umap.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "core/projection/pca.h"

namespace bulwark {
namespace {

using Point = std::array<double, 2>;

/// No sampled gradient moves a coordinate by more (the authors' implementation).
constexpr double kClip = 4.0;
/// Keeps the repulsion of points that coincide finite (McInnes et al., section 3.2: epsilon).
constexpr double kEpsilon = 1e-3;
/// Extent of the start (the authors' implementation).
constexpr double kExtent = 10.0;

void require(const UmapOptions& options) {
  if (options.neighbours < 2) {
    throw Error::badInput("UMAP needs at least 2 neighbours", "projection");
  }
}

std::int64_t epochsFor(std::int64_t points, const UmapOptions& options) {
  if (points < 2) return 0;
  if (options.epochs > 0) return options.epochs;
  return points <= 10000 ? 500 : 200;
}

/// One layout on its way. It knows no tensor, so that it can be made in any thread.
struct Layout {
  std::vector<Point> at;
  UmapGraph graph;
  std::int64_t epochs = 0;
  Seed seed{0};
};

/// The two principal components, the larger extent brought to `kExtent`, and a little noise that
/// parts equal points. The grid hides rounding that depends on the number of threads.
std::vector<Point> startOf(const torch::Tensor& points, Seed seed, Task& task) {
  constexpr double grid = 65536.0, noise = 1e-4;
  const auto found = principalComponents(points, 2, task).coordinates;
  const double largest = found.abs().max().item<double>();
  const auto scaled = largest > 0.0 ? found * (kExtent / largest) : found;
  const auto rows = scaled.accessor<double, 2>();
  Random random(seed.child("start"));
  std::vector<Point> at(static_cast<std::size_t>(points.size(0)));
  for (std::size_t i = 0; i < at.size(); ++i) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const auto column = static_cast<std::int64_t>(axis);
      const double value = column < rows.size(1) ? rows[static_cast<std::int64_t>(i)][column] : 0.0;
      at[i][axis] = std::round(value * grid) / grid + noise * random.normal();
    }
  }
  return at;
}

Layout prepare(const UmapProblem& problem, const UmapOptions& options, Task& task) {
  Layout layout;
  layout.seed = problem.seed;
  const std::int64_t count = problem.points.size(0);
  if (count == 0) return layout;
  layout.at = startOf(problem.points, problem.seed, task);
  layout.epochs = epochsFor(count, options);
  if (count < 2) return layout;
  layout.graph =
      umapGraph(nearestNeighbours(problem.points, std::min(options.neighbours, count - 1), task));
  return layout;
}

double clipped(double gradient) {
  return std::clamp(gradient, -kClip, kClip);
}

/// Stochastic gradient descent on the cross entropy of the two fuzzy graphs (McInnes et al.,
/// algorithm 5): an edge is sampled as often as its weight says and draws its ends together; each
/// time, `negatives` points drawn at random push its first end away. `epochDone` may throw.
void descend(Layout& layout, const UmapOptions& options, const UmapCurve& curve,
             const std::function<void()>& checkpoint, const std::function<void()>& epochDone) {
  const auto& [from, to, weight] = layout.graph;
  const double heaviest = weight.empty() ? 1.0 : *std::max_element(weight.begin(), weight.end());
  // Epochs between two samples of an edge, and when the next one is due.
  std::vector<double> every(weight.size()), next;
  for (std::size_t e = 0; e < weight.size(); ++e) every[e] = heaviest / weight[e];
  next = every;
  const double a = curve.a, b = curve.b;
  const auto count = static_cast<std::uint64_t>(layout.at.size());
  Random random(layout.seed.child("descent"));
  for (std::int64_t epoch = 1; epoch <= layout.epochs; ++epoch) {
    const double rate = options.learningRate *
                        (1.0 - static_cast<double>(epoch - 1) / static_cast<double>(layout.epochs));
    for (std::size_t e = 0; e < weight.size(); ++e) {
      if (e % 4096 == 0) checkpoint();
      if (next[e] > static_cast<double>(epoch)) continue;
      next[e] += every[e];
      Point& head = layout.at[static_cast<std::size_t>(from[e])];
      Point& tail = layout.at[static_cast<std::size_t>(to[e])];
      const double apart[2] = {head[0] - tail[0], head[1] - tail[1]};
      const double square = apart[0] * apart[0] + apart[1] * apart[1];
      if (square > 0.0) {
        const double power = std::pow(square, b);
        const double pull = -2.0 * a * b * power / (square * (1.0 + a * power));
        for (std::size_t axis = 0; axis < 2; ++axis) {
          const double move = rate * clipped(pull * apart[axis]);
          head[axis] += move;
          tail[axis] -= move;
        }
      }
      for (std::int64_t n = 0; n < options.negatives; ++n) {
        const std::uint64_t drawn = random.below(count);
        if (drawn == static_cast<std::uint64_t>(from[e])) continue;
        const Point& other = layout.at[drawn];
        const double away[2] = {head[0] - other[0], head[1] - other[1]};
        const double distance = away[0] * away[0] + away[1] * away[1];
        if (distance <= 0.0) continue;
        const double push = 2.0 * b / ((kEpsilon + distance) * (1.0 + a * std::pow(distance, b)));
        for (std::size_t axis = 0; axis < 2; ++axis) {
          head[axis] += rate * clipped(push * away[axis]);
        }
      }
    }
    epochDone();
  }
}

torch::Tensor tensorOf(const std::vector<Point>& points) {
  auto tensor = torch::empty({static_cast<std::int64_t>(points.size()), 2}, torch::kFloat32);
  auto rows = tensor.accessor<float, 2>();
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
      rows[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(axis)] =
          static_cast<float>(points[i][axis]);
    }
  }
  return tensor;
}

struct Stopped {};

/// Makes all layouts with as many threads as are useful, while the calling thread looks after the
/// task.
class Crew {
 public:
  Crew(std::vector<Layout>& layouts, const UmapOptions& options)
      : layouts_(layouts), options_(options), curve_(umapCurve(options.minDist, options.spread)) {
    const auto most = static_cast<std::size_t>(std::max(1, at::get_num_threads()));
    working_ = std::min(most, layouts.size());
    for (std::size_t i = 0; i < working_; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Crew() {
    stopped_ = true;
    threads_.clear();  // joins them
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void wait(Task& task) {
    std::int64_t told = 0;
    for (bool done = false; !done;) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(50), [this] { return working_ == 0; });
        done = working_ == 0;
      }
      task.checkpoint();
      const std::int64_t epochs = epochs_;
      if (epochs > told) task.advance(epochs - told);
      told = epochs;
    }
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void work() {
    try {
      for (std::size_t i = next_++; i < layouts_.size(); i = next_++) {
        descend(
            layouts_[i], options_, curve_,
            [this] {
              if (stopped_) throw Stopped{};
            },
            [this] { ++epochs_; });
      }
    } catch (const Stopped&) {
      // The caller has gone on with an error of its own.
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      stopped_ = true;
    }
    const std::lock_guard lock(mutex_);
    --working_;
    changed_.notify_one();
  }

  std::vector<Layout>& layouts_;
  const UmapOptions& options_;
  const UmapCurve curve_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::int64_t> epochs_{0};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t working_ = 0;
  std::exception_ptr failure_;
  std::vector<std::jthread> threads_;
};

}  // namespace

UmapCurve umapCurve(double minDist, double spread) {
  if (!(minDist >= 0.0) || !(spread > 0.0) || !(minDist < 3.0 * spread)) {
    throw Error::badInput("UMAP needs 0 <= min_dist < 3 spread", "projection");
  }
  constexpr int samples = 300;
  struct Fit {
    double cost = 0.0, aa = 0.0, ab = 0.0, bb = 0.0, ra = 0.0, rb = 0.0;
  };
  const auto measure = [&](double a, double b) {
    Fit fit;
    for (int i = 0; i < samples; ++i) {
      const double d = 3.0 * spread * i / (samples - 1);
      const double wanted = d <= minDist ? 1.0 : std::exp(-(d - minDist) / spread);
      const double power = i == 0 ? 0.0 : std::pow(d, 2.0 * b);
      const double value = 1.0 / (1.0 + a * power);
      const double byA = -power * value * value;
      const double byB = i == 0 ? 0.0 : 2.0 * a * std::log(d) * byA;
      const double residual = wanted - value;
      fit.cost += residual * residual;
      fit.aa += byA * byA;
      fit.ab += byA * byB;
      fit.bb += byB * byB;
      fit.ra += byA * residual;
      fit.rb += byB * residual;
    }
    return fit;
  };
  // Levenberg (1944) and Marquardt (1963).
  UmapCurve curve;
  Fit now = measure(curve.a, curve.b);
  double damping = 1e-3;
  for (int step = 0; step < 500 && damping < 1e12; ++step) {
    const double aa = now.aa * (1.0 + damping), bb = now.bb * (1.0 + damping);
    const double determinant = aa * bb - now.ab * now.ab;
    const double a = curve.a + (bb * now.ra - now.ab * now.rb) / determinant;
    const double b = curve.b + (aa * now.rb - now.ab * now.ra) / determinant;
    const Fit tried = a > 0.0 && b > 0.0 ? measure(a, b) : Fit{now.cost};
    if (tried.cost < now.cost) {
      curve = {a, b};
      now = tried;
      damping = std::max(1e-12, damping / 10.0);
    } else {
      damping *= 10.0;
    }
  }
  return curve;
}

UmapScale umapScale(std::span<const double> distances) {
  UmapScale scale;
  for (const double d : distances) {
    if (d > 0.0 && (scale.rho == 0.0 || d < scale.rho)) scale.rho = d;
  }
  const double wanted = std::log2(static_cast<double>(distances.size()));
  const auto sum = [&](double sigma) {
    double total = 0.0;
    for (const double d : distances) total += std::exp(-std::max(0.0, d - scale.rho) / sigma);
    return total;
  };
  const double mean = std::accumulate(distances.begin(), distances.end(), 0.0) /
                      static_cast<double>(std::max<std::size_t>(1, distances.size()));
  const double least = 1e-3 * mean;
  // The sum grows with sigma; bisection.
  double low = 0.0, high = mean > 0.0 ? mean : 1.0;
  for (int i = 0; i < 64 && sum(high) < wanted; ++i) high *= 2.0;
  for (int i = 0; i < 200 && high - low > 1e-15 * high; ++i) {
    const double middle = 0.5 * (low + high);
    (sum(middle) < wanted ? low : high) = middle;
  }
  scale.sigma = std::max({high, least, 1e-300});
  return scale;
}

UmapGraph umapGraph(const Neighbours& neighbours) {
  const auto k = static_cast<std::size_t>(neighbours.k);
  // (i, j) -> strength of i's neighbourhood at j, and of j's at i.
  std::map<std::pair<std::int64_t, std::int64_t>, std::pair<double, double>> strengths;
  for (std::int64_t i = 0; i < neighbours.points; ++i) {
    const auto begin = static_cast<std::size_t>(i) * k;
    const auto distances = std::span(neighbours.distance).subspan(begin, k);
    const UmapScale scale = umapScale(distances);
    for (std::size_t n = 0; n < k; ++n) {
      const std::int64_t j = neighbours.index[begin + n];
      const double strength = std::exp(-std::max(0.0, distances[n] - scale.rho) / scale.sigma);
      strengths[{i, j}].first = strength;
      strengths[{j, i}].second = strength;
    }
  }
  UmapGraph graph;
  for (const auto& [edge, strength] : strengths) {
    const double weight = strength.first + strength.second - strength.first * strength.second;
    if (!(weight > 0.0)) continue;  // a distance so large that nothing is left of it
    graph.from.push_back(edge.first);
    graph.to.push_back(edge.second);
    graph.weight.push_back(weight);
  }
  return graph;
}

std::int64_t umapEpochs(const std::vector<UmapProblem>& problems, const UmapOptions& options) {
  std::int64_t total = 0;
  for (const auto& problem : problems) total += epochsFor(problem.points.size(0), options);
  return total;
}

std::vector<torch::Tensor> umap(const std::vector<UmapProblem>& problems,
                                const UmapOptions& options, Task& task) {
  require(options);
  std::vector<Layout> layouts;
  for (const auto& problem : problems) layouts.push_back(prepare(problem, options, task));
  Crew(layouts, options).wait(task);
  std::vector<torch::Tensor> found;
  for (const auto& layout : layouts) found.push_back(tensorOf(layout.at));
  return found;
}

torch::Tensor umap(const torch::Tensor& points, const UmapOptions& options, Seed seed, Task& task) {
  const std::vector<UmapProblem> one = {{points, seed}};
  task.begin("UMAP", umapEpochs(one, options), "epochs");
  auto found = umap(one, options, task);
  task.end();
  return std::move(found.front());
}

}  // namespace bulwark
