#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/data/image_set.h"
#include "core/experiment/bench.h"
#include "core/experiment/bench_tools.h"
#include "core/nn/autoencoder.h"
#include "core/nn/device.h"
#include "core/nn/jacobian.h"
#include "core/training/recipe.h"

namespace bulwark {
namespace {

constexpr double kTolerance = 1e-5;  // of value and gradients, relative to the largest entry

torch::Tensor uniform(torch::IntArrayRef sizes, Seed seed) {
  auto values = torch::empty(sizes, torch::kFloat32);
  Random random(seed);
  auto* data = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) data[i] = static_cast<float>(random.uniform());
  return values;
}

/// Half the mean squared Jacobian norm of a batch and its gradient with respect to the weights.
struct Term {
  double value = 0;
  std::vector<torch::Tensor> gradients;
};

/// The ways to find it.
class Contest {
 public:
  Contest(Autoencoder& network, torch::Tensor images, Task& task)
      : network_(network), images_(std::move(images)), task_(task) {
    for (const auto& layer : network.layers()) weights_.push_back(layer->weight);
  }

  Term exact(JacobianForm form) const {
    const auto norm = jacobianNorm(network_.pass(images_).chain, network_.encoderLayers(), form);
    const auto half = norm.mean / 2;
    return {half.item<double>(), torch::autograd::grad({half}, weights_)};
  }

  Term estimated(Random& random) const {
    const auto leaf = images_.detach().requires_grad_(true);
    const auto half =
        hutchinsonJacobianNorm(network_.reconstruct(leaf), leaf, 1, random).mean() / 2;
    return {half.item<double>(), torch::autograd::grad({half}, weights_)};
  }

  /// One backward pass per output, each differentiated again at once, so that no more than one
  /// graph of a pass is held.
  Term naive() const {
    const auto leaf = images_.detach().requires_grad_(true);
    const auto output = network_.reconstruct(leaf).flatten(1);
    const auto images = static_cast<double>(images_.size(0));
    Term term;
    for (const auto& weight : weights_) term.gradients.push_back(torch::zeros_like(weight));
    for (std::int64_t i = 0; i < output.size(1); ++i) {
      task_.checkpoint();
      const auto row = torch::autograd::grad({output.select(1, i).sum()}, {leaf}, {},
                                             /*retain_graph=*/true, /*create_graph=*/true)[0];
      const auto half = row.square().sum() / (2 * images);
      term.value += half.item<double>();
      const auto found = torch::autograd::grad({half}, weights_, {}, /*retain_graph=*/true,
                                               /*create_graph=*/false, /*allow_unused=*/true);
      for (std::size_t l = 0; l < found.size(); ++l) {
        if (found[l].defined()) term.gradients[l] += found[l];
      }
    }
    return term;
  }

 private:
  Autoencoder& network_;
  torch::Tensor images_;
  Task& task_;
  std::vector<torch::Tensor> weights_;
};

/// Equal results or no comparison.
void requireSame(const Term& ours, const Term& naive) {
  double worst = std::abs(ours.value - naive.value) / naive.value;
  for (std::size_t l = 0; l < naive.gradients.size(); ++l) {
    const auto difference = (ours.gradients[l] - naive.gradients[l]).abs().max();
    const auto scale = naive.gradients[l].abs().max().clamp_min(1e-30);
    worst = std::max(worst, (difference / scale).item<double>());
  }
  if (worst <= kTolerance) return;
  throw Error::failed("the Jacobian terms differ by " + formatNumber(worst) + ", " +
                          formatNumber(kTolerance) + " is allowed",
                      "bench attractor", "the speeds of unequal work are not comparable");
}

/// Seconds of one epoch of fine-tuning on random images.
double epochSeconds(const Registries& registries, const Json& network, double jacobianWeight,
                    std::int64_t count, Task& task) {
  const NetworkShape shape;
  const auto made = registries.networks.make("autoencoder", network, "", shape);
  made->initialise(Seed(1));
  const TensorImageSet images("random images", uniform({count, 1, 28, 28}, Seed(4)),
                              torch::arange(count, torch::kInt64) % shape.classes, {});
  const auto recipe = registries.recipes.make("attractor",
                                              {{"epochs", 1},
                                               {"pretraining_epochs", 0},
                                               {"early_stopping_patience", 0},
                                               {"jacobian_weight", jacobianWeight}},
                                              "");
  double seconds = 0;
  FitContext context{.network = *made, .train = images, .task = task};
  context.seed = Seed(5);
  context.metric = [&](std::int64_t /*epoch*/, const std::string& name, double value) {
    if (name == "seconds") seconds = value;
  };
  recipe->fit(context);
  return seconds;
}

/// Moves the biases until every unit of layer l is active for `shares[l]` of the images: how many
/// are is what the exact form's speed depends on.
void activate(Autoencoder& network, const torch::Tensor& images,
              const std::vector<double>& shares) {
  const torch::NoGradGuard noGrad;
  auto value = images.flatten(1);
  for (std::size_t l = 0; l < network.layers().size() && l < shares.size(); ++l) {
    auto layer = network.layers()[l];
    layer->bias.zero_();
    const auto before = layer->forward(value);
    layer->bias.copy_(-torch::quantile(before, 1.0 - shares[l], 0));
    value = torch::relu(layer->forward(value));
  }
}

/// Active units of every layer in per cent, for the name of a case.
std::string activeShares(Autoencoder& network, const torch::Tensor& images) {
  const torch::NoGradGuard noGrad;
  std::vector<std::string> parts;
  for (const auto& mask : network.pass(images).chain.masks) {
    if (mask.defined()) parts.push_back(formatFixed(100.0 * mask.mean().item<double>(), 0));
  }
  return join(parts, " ") + " % active";
}

/// The term of one network, found in every way, beside the naive one.
void measureTerm(Autoencoder& network, const torch::Tensor& images, int repetitions, int threads,
                 Task& task, std::vector<BenchResult>& results) {
  Contest contest(network, images, task);
  Random random{Seed(3)};
  const std::vector<std::pair<std::string, std::function<Term()>>> ways = {
      {"exact, active rows", [&] { return contest.exact(JacobianForm::ActiveRows); }},
      {"exact, batched", [&] { return contest.exact(JacobianForm::Batched); }},
      {"Hutchinson, 1 probe", [&] { return contest.estimated(random); }}};
  const auto reference = contest.naive();  // warms it up as well
  requireSame(ways[0].second(), reference);
  requireSame(ways[1].second(), reference);
  ways[2].second();

  std::vector<double> naive;
  std::vector<std::vector<double>> ours(ways.size());
  for (int i = 0; i < repetitions; ++i) {
    for (std::size_t way = 0; way < ways.size(); ++way) {
      task.checkpoint();
      ours[way].push_back(secondsOf([&] { ways[way].second(); }));
    }
    naive.push_back(secondsOf([&] { contest.naive(); }));
  }
  const auto count = static_cast<double>(images.size(0));
  const std::string shares = activeShares(network, images);
  for (std::size_t way = 0; way < ways.size(); ++way) {
    results.push_back({"attractor",
                       "Jacobian term and gradient, batch " + std::to_string(images.size(0)) +
                           ", " + ways[way].first + ", " + shares,
                       count / median(ours[way]), "images / s", "one backward pass per output",
                       count / median(naive), medianRatio(naive, ours[way]), threads});
  }
}

}  // namespace

std::vector<BenchResult> benchAttractor(const Registries& registries, int threads, Task& task,
                                        const AttractorBenchSize& size) {
  const int inForce = setThreads(threads);
  requireExactArithmetic();
  const Json options = {{"encoder", size.encoder}};
  const auto made = registries.networks.make("autoencoder", options, "", NetworkShape{});
  made->initialise(Seed(1));
  auto& network = requireAutoencoder(*made, "bench attractor");
  const auto images = uniform({size.batch, 1, 28, 28}, Seed(2));
  std::vector<BenchResult> results;
  measureTerm(network, images, size.repetitions, inForce, task, results);
  activate(network, images, size.active);
  measureTerm(network, images, size.repetitions, inForce, task, results);
  std::vector<double> with, without;
  for (int i = 0; i < size.repetitions; ++i) {
    with.push_back(epochSeconds(registries, options, 0.002, size.epochImages, task));
    without.push_back(epochSeconds(registries, options, 0.0, size.epochImages, task));
  }
  results.push_back({"attractor", "epoch of " + std::to_string(size.epochImages) + " images",
                     median(with), "s", "the same without the Jacobian term", median(without),
                     medianRatio(without, with), inForce});
  return results;
}

}  // namespace bulwark
