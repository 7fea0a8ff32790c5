#include <vector>

#include "core/attacks/attack.h"
#include "core/attacks/classification_objective.h"
#include "core/experiment/bench.h"
#include "core/experiment/bench_tools.h"
#include "core/nn/device.h"
#include "core/nn/network.h"

namespace bulwark {
namespace {

constexpr std::int64_t kSteps = 20;
constexpr int kRepetitions = 7;

struct Case {
  const char* network;
  NetworkShape shape;
  std::int64_t images;
};

/// Forward of the cross-entropy and its gradient with respect to the images, `kSteps` times.
void rawPasses(Network& network, const torch::Tensor& images, const torch::Tensor& labels,
               Task& task) {
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const auto leaf = images.detach().set_requires_grad(true);
    const auto loss = torch::nn::functional::cross_entropy(
        network.forward(leaf), labels,
        torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum));
    torch::autograd::grad({loss}, {leaf});
    task.checkpoint();
  }
}

}  // namespace

std::vector<BenchResult> benchPgd(const Registries& registries, int threads, Task& task) {
  const int inForce = setThreads(threads);
  requireExactArithmetic();
  std::vector<BenchResult> results;
  for (const Case& item :
       {Case{"lenet5", {1, 28, 28, 10}, 256}, Case{"resnet18", {3, 32, 32, 10}, 32}}) {
    const auto network = registries.networks.make(item.network, Json::object(), "", item.shape);
    network->initialise(Seed(1));
    network->freeze();
    const auto& shape = item.shape;
    Random random(Seed(2));
    auto images = torch::empty({item.images, shape.channels, shape.height, shape.width});
    for (auto* pixel = images.data_ptr<float>(); pixel != images.data_ptr<float>() + images.numel();
         ++pixel) {
      *pixel = static_cast<float>(random.uniform());
    }
    const auto labels = torch::arange(item.images) % shape.classes;
    ClassificationObjective objective(*network, labels);
    const auto attack =
        registries.attacks.make("pgd", {{"eps", "8/255"}, {"steps", kSteps}}, "attack");
    const AttackContext context{.batchSize = item.images, .seed = Seed(3), .task = task};

    std::vector<double> ours;
    std::vector<double> raw;
    for (int i = -1; i < kRepetitions; ++i) {  // the first pair warms up
      const double attacked = secondsOf([&] { attack->perturb(objective, images, context); });
      const double bare = secondsOf([&] { rawPasses(*network, images, labels, task); });
      if (i < 0) continue;
      ours.push_back(attacked);
      raw.push_back(bare);
    }
    const double work = static_cast<double>(item.images * kSteps);
    results.push_back({"pgd", std::string(item.network) + ", batch " + std::to_string(item.images),
                       work / median(ours), "images x steps / s", "forward + input gradient",
                       work / median(raw), medianRatio(raw, ours), inForce});
  }
  return results;
}

}  // namespace bulwark
