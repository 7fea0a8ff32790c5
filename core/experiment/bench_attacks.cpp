#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/attacks/attack.h"
#include "core/attacks/classification_objective.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/experiment/bench.h"
#include "core/experiment/bench_tools.h"
#include "core/nn/device.h"
#include "core/nn/network.h"

namespace bulwark {
namespace {

constexpr double kEpsilon = 8.0 / 255.0;
constexpr double kTolerance = 1e-4;  // of the scores of both loops

torch::Tensor uniform(torch::IntArrayRef sizes, Seed seed) {
  auto values = torch::empty(sizes, torch::kFloat32);
  Random random(seed);
  auto* data = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) data[i] = static_cast<float>(random.uniform());
  return values;
}

/// The network as a user of LibTorch writes it down, its parameters wanting gradients.
using PlainNetwork = std::function<torch::Tensor(const torch::Tensor&)>;

void copyParameters(Network& from, torch::nn::Module& to) {
  const torch::NoGradGuard noGrad;
  const auto sources = from.parameters();
  const auto targets = to.parameters();
  if (sources.size() != targets.size()) {
    throw Error::failed("the plain network has other layers than ours", "bench attacks");
  }
  for (std::size_t i = 0; i < sources.size(); ++i) targets[i].detach().copy_(sources[i]);
}

PlainNetwork plainLenet5(Network& like) {
  namespace nn = torch::nn;
  nn::Sequential layers(nn::Conv2d(nn::Conv2dOptions(1, 6, 5).padding(2)), nn::ReLU(),
                        nn::MaxPool2d(2), nn::Conv2d(6, 16, 5), nn::ReLU(), nn::MaxPool2d(2),
                        nn::Flatten(), nn::Linear(400, 120), nn::ReLU(), nn::Linear(120, 84),
                        nn::ReLU(), nn::Linear(84, 10));
  copyParameters(like, *layers);
  layers->eval();
  return [layers](const torch::Tensor& x) mutable { return layers->forward(x); };
}

PlainNetwork plainConvNet(Network& like) {
  namespace nn = torch::nn;
  nn::Sequential layers(nn::Conv2d(1, 32, 3), nn::ReLU(), nn::Conv2d(32, 32, 3), nn::ReLU(),
                        nn::MaxPool2d(2), nn::Conv2d(32, 64, 3), nn::ReLU(), nn::Conv2d(64, 64, 3),
                        nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(), nn::Linear(1024, 200),
                        nn::ReLU(), nn::Linear(200, 200), nn::ReLU(), nn::Linear(200, 10));
  copyParameters(like, *layers);
  layers->eval();
  return [layers](const torch::Tensor& x) mutable { return layers->forward(x); };
}

struct Case {
  std::string name;
  NetworkShape shape;
  std::int64_t images, steps;  ///< timed against the plain loop
  std::int64_t longImages;     ///< of the 1,000 under PGD-100
};

/// One network under attack: our way, the plain way, and the bare passes.
class Contest {
 public:
  Contest(const Case& item, const Registries& registries, Task& task)
      : item_(item), registries_(registries), task_(task) {
    network_ = make();
    network_->freeze();
    images_ =
        uniform({item.images, item.shape.channels, item.shape.height, item.shape.width}, Seed(2));
    labels_ = torch::arange(item.images) % item.shape.classes;
    const auto noise = (2 * uniform(images_.sizes(), Seed(3)) - 1) * kEpsilon;
    starts_ = (images_ + noise).clamp(0, 1);
    if (item.name == "lenet5") {
      plain_ = plainLenet5(*network_);
    } else if (item.name == "convnet") {
      plain_ = plainConvNet(*network_);
    } else {
      // With parameters that want gradients ours runs layer by layer, batch norms included.
      std::shared_ptr<Network> twin = make();
      twin->eval();
      plain_ = [twin](const torch::Tensor& x) { return twin->forward(x); };
    }
  }

  /// PGD's best points and their judged values.
  AttackResult ours(std::int64_t steps, std::int64_t images) {
    const auto attack =
        registries_.attacks.make("pgd", {{"eps", kEpsilon}, {"steps", steps}}, "attack");
    AttackContext context{.batchSize = images, .seed = Seed(3), .task = task_};
    const auto part = images_.slice(0, 0, images), labels = labels_.slice(0, 0, images);
    context.starts = starts_.slice(0, 0, images).unsqueeze(1);
    context.clean = clean_.slice(0, 0, images);
    ClassificationObjective objective(*network_, labels);
    return attack->perturb(objective, part, context);
  }

  /// Judged values of both networks at the same `points`, [N] float64 each.
  std::pair<torch::Tensor, torch::Tensor> bothAt(const torch::Tensor& points) {
    const torch::NoGradGuard noGrad;
    const auto judged = [&](const torch::Tensor& logits) {
      return classificationMargin(logits, labels_).to(torch::kFloat64);
    };
    return {judged(network_->forward(points)), judged(plain_(points))};
  }

  /// PGD as it is usually written: one batch, cross-entropy, `backward()`. With `keep` it also
  /// judges every iterate, which the timed runs leave out in its favour.
  torch::Tensor plain(bool keep) {
    const double step = 2.5 * kEpsilon / static_cast<double>(item_.steps);
    auto adversarial = starts_.clone();
    auto best = clean_.clone();
    const auto judge = [&](const torch::Tensor& logits) {
      const torch::NoGradGuard noGrad;
      best =
          torch::maximum(best, classificationMargin(logits.detach(), labels_).to(torch::kFloat64));
    };
    for (std::int64_t i = 0; i < item_.steps; ++i) {
      adversarial = adversarial.detach().requires_grad_(true);
      const auto logits = plain_(adversarial);
      const auto loss = torch::nn::functional::cross_entropy(logits, labels_);
      loss.backward();
      if (keep) judge(logits);
      adversarial = adversarial.detach() + step * adversarial.grad().sign();
      adversarial = images_ + torch::clamp(adversarial - images_, -kEpsilon, kEpsilon);
      adversarial = torch::clamp(adversarial, 0, 1);
      task_.checkpoint();
    }
    const torch::NoGradGuard noGrad;
    judge(plain_(adversarial));
    return best;
  }

  /// Forward of the cross-entropy and its gradient with respect to the images, nothing else.
  void raw() {
    for (std::int64_t i = 0; i < item_.steps; ++i) {
      const auto leaf = images_.detach().set_requires_grad(true);
      const auto loss = torch::nn::functional::cross_entropy(
          network_->forward(leaf), labels_,
          torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum));
      torch::autograd::grad({loss}, {leaf});
      task_.checkpoint();
    }
  }

  void judgeClean() {
    const torch::NoGradGuard noGrad;
    clean_ = classificationMargin(network_->forward(images_), labels_).to(torch::kFloat64);
  }

 private:
  std::unique_ptr<Network> make() const {
    auto network = registries_.networks.make(item_.name, Json::object(), "", item_.shape);
    network->initialise(Seed(1));
    return network;
  }

  const Case& item_;
  const Registries& registries_;
  Task& task_;
  std::unique_ptr<Network> network_;
  PlainNetwork plain_;
  torch::Tensor images_, labels_, starts_, clean_;
};

/// Equal work or no comparison: at the same points both score every image alike to 1e-4, and the
/// scores that both loops reach are alike to 1e-4 on average (of the largest score, where that is
/// above 1). Not image by image: rounding can send one round another corner of a piecewise linear
/// network, from where its path is another; on the untrained ResNet-18 with its large logits that
/// happens to every fifth image.
void requireSameScores(Contest& contest, const AttackResult& ours, const torch::Tensor& plain,
                       const std::string& name) {
  const double tolerance = kTolerance * std::max(1.0, plain.abs().max().item<double>());
  const auto require = [&](double difference, const std::string& what) {
    if (difference <= tolerance) return;
    throw Error::failed("the scores " + what + " differ by " + formatNumber(difference) + " on " +
                            name + ", " + formatNumber(tolerance) + " is allowed",
                        "bench attacks", "the speeds of unequal work are not comparable");
  };
  const auto [own, other] = contest.bothAt(ours.images);
  require((own - other).abs().max().item<double>(), "of both networks at the same points");
  require((ours.values - plain).abs().mean().item<double>(), "of both loops, on average,");
}

void benchCase(const Case& item, const Registries& registries, int threads, int defaultThreads,
               int repetitions, Task& task, std::vector<BenchResult>& results) {
  Contest contest(item, registries, task);
  setThreads(threads);
  contest.judgeClean();
  // Warms both up as well.
  requireSameScores(contest, contest.ours(item.steps, item.images), contest.plain(true), item.name);

  std::vector<double> ours, plain, plainDefault, raw;
  for (int i = 0; i < repetitions; ++i) {
    ours.push_back(secondsOf([&] { contest.ours(item.steps, item.images); }));
    plain.push_back(secondsOf([&] { contest.plain(false); }));
    raw.push_back(secondsOf([&] { contest.raw(); }));
    if (defaultThreads == threads) continue;
    setThreads(defaultThreads);
    plainDefault.push_back(secondsOf([&] { contest.plain(false); }));
    setThreads(threads);
  }
  if (defaultThreads == threads) plainDefault = plain;
  const auto work = static_cast<double>(item.images * item.steps);
  const std::string name =
      item.name + ", PGD-" + std::to_string(item.steps) + ", batch " + std::to_string(item.images);
  const auto add = [&](const std::string& baseline, const std::vector<double>& rival) {
    results.push_back({"attacks", name, work / median(ours), "images x steps / s", baseline,
                       work / median(rival), medianRatio(rival, ours), threads});
  };
  const auto many = [](int count) {
    return std::to_string(count) + (count == 1 ? " thread" : " threads");
  };
  add("plain loop, LibTorch's default of " + many(defaultThreads), plainDefault);
  if (defaultThreads != threads) add("plain loop, " + many(threads), plain);
  add("forward + input gradient of the frozen network", raw);

  const double part = secondsOf([&] { contest.ours(100, item.longImages); });
  const double scale = 1000.0 / static_cast<double>(item.longImages);
  const double bare = median(raw) / work * 100.0 * 1000.0;
  results.push_back({"attacks",
                     item.name + ", PGD-100 on 1,000 images (scaled from " +
                         std::to_string(item.longImages) + ")",
                     part * scale, "s", "100 times forward + input gradient", bare,
                     bare / (part * scale), threads});
}

}  // namespace

std::vector<BenchResult> benchAttacks(const Registries& registries, int threads, Task& task,
                                      const AttackBenchSize& size) {
  const int defaultThreads = torch::get_num_threads();  // before anybody has set them
  const int inForce = setThreads(threads);
  requireExactArithmetic();
  std::vector<BenchResult> results;
  std::vector<Case> cases = {
      {"lenet5", {1, 28, 28, 10}, size.images, size.steps, size.longImages},
      {"convnet", {1, 28, 28, 10}, size.images, size.steps, (size.longImages + 3) / 4}};
  // A residual network takes some 50 times as long per image.
  if (size.residual) cases.push_back({"resnet18", {3, 32, 32, 10}, 64, 5, 8});
  for (const auto& item : cases) {
    task.checkpoint();
    const int repetitions =
        item.name == "resnet18" ? std::min(3, size.repetitions) : size.repetitions;
    benchCase(item, registries, inForce, defaultThreads, repetitions, task, results);
  }
  for (auto& result : benchSaturation(registries, size.trainingImages, task)) {
    result.threads = inForce;
    results.push_back(std::move(result));
  }
  setThreads(defaultThreads);
  return results;
}

}  // namespace bulwark
