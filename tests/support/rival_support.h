#pragma once

#include <QtTest/QtTest>

#include <cmath>
#include <functional>
#include <memory>
#include <string>

#include "attack_support.h"
#include "core/base/error.h"
#include "core/data/image_set.h"
#include "core/detectors/declarations.h"
#include "core/detectors/detector.h"
#include "core/detectors/detector_objective.h"
#include "core/nn/network.h"

/// A small classifier, images that it is right about, and what every detector is asked.
namespace rivals {

using namespace bulwark;
using torch::Tensor;

inline std::unique_ptr<Network> network(const std::string& type, const Json& options,
                                        NetworkShape shape, std::uint64_t seed = 5) {
  Registry<Network, NetworkShape> networks("network");
  registerNetworks(networks);
  auto made = networks.make(type, options, "network", shape);
  made->initialise(Seed(seed));
  made->freeze();
  return made;
}

inline std::unique_ptr<Detector> make(const std::string& name, const Json& options) {
  Registry<Detector> registry("detector");
  registerDetectors(registry);
  return registry.make(name, options, "detectors[0]");
}

struct Bench {
  /// The last layer, named "output", is made `sharpness` times as steep and centred, so that every
  /// class has its share of the images.
  explicit Bench(std::unique_ptr<Network> of, std::int64_t count = 120, double sharpness = 20)
      : classifier(std::move(of)), images(drawn(count, 31)) {
    const torch::NoGradGuard noGrad;
    auto named = classifier->named_parameters();
    if (named.contains("output.weight")) {
      named["output.weight"].mul_(sharpness);
      named["output.bias"].sub_(classifier->forward(images).mean(0));
    }
    labels = classify(images);
  }

  Tensor drawn(std::int64_t count, std::uint64_t seed) const {
    const auto& shape = classifier->shape();
    return attack_support::uniform({count, shape.channels, shape.height, shape.width}, seed, 0, 1);
  }
  Tensor classify(const Tensor& of) const {
    const torch::NoGradGuard noGrad;
    return classifier->forward(of).argmax(1);
  }
  Tensor tap(const Tensor& of, const std::string& name) const {
    const torch::NoGradGuard noGrad;
    TapValues taps{{name, {}}};
    classifier->run(of, &taps);
    return taps.at(name);
  }
  TensorImageSet train() const { return {"train", images, labels, {}}; }

  std::unique_ptr<Detector> fitted(const std::string& name, const Json& options,
                                   std::uint64_t seed = 3,
                                   const ImageSet* validation = nullptr) const {
    auto made = make(name, options);
    Task task;
    const auto set = train();
    made->fit({.classifier = classifier.get(),
               .train = set,
               .validation = validation,
               .batchSize = 32,
               .seed = Seed(seed),
               .task = task});
    return made;
  }

  /// A file gives the same scores, another detector's is refused, unfitted is an error.
  void restores(Detector& from, const std::string& name, const Json& options) const {
    TensorFile file;
    from.save(file);
    const auto loaded = make(name, options);
    QVERIFY_EXCEPTION_THROWN(loaded->score(images), Error);
    loaded->load(file, classifier.get(), torch::kCPU);
    QVERIFY(torch::equal(loaded->score(images), from.score(images)));
    file.metadata["detector"] = "msp";
    QVERIFY_EXCEPTION_THROWN(make(name, options)->load(file, classifier.get(), torch::kCPU), Error);
  }

  /// Each row's score is that of its image alone.
  void rowsAreIndependent(Detector& of) const {
    const auto some = images.slice(0, 0, 12);
    const auto together = of.score(some);
    QCOMPARE(together.sizes().vec(), std::vector<std::int64_t>{12});
    for (int i = 0; i < 12; ++i) {
      const auto alone = of.score(some.slice(0, i, i + 1));
      const double away = (alone - together.slice(0, i, i + 1)).abs().item<double>();
      QVERIFY2(away < 1e-3 * together.std().item<double>(), std::to_string(away).c_str());
    }
  }

  /// The gradient of `value` along itself, against differences of `value` itself.
  void gradientIsRight(const std::function<Tensor(const Tensor&)>& value, double step = 1e-3,
                       double tolerance = 2e-2) const {
    const auto leaf = images.slice(0, 0, 24).clone().requires_grad_(true);
    const auto gradient = torch::autograd::grad({value(leaf).sum()}, {leaf})[0];
    const auto norm = gradient.flatten(1).norm(2, 1);
    QVERIFY(norm.median().item<double>() > 1e-9);
    const auto along = gradient / norm.clamp_min(1e-30).view({-1, 1, 1, 1});
    const torch::NoGradGuard noGrad;
    const auto slope = (value(leaf + step * along) - value(leaf - step * along)) / (2 * step);
    // Kinks (another nearest neighbour, another class) may lie between the two points.
    const double error = ((slope - norm).abs() / norm).median().item<double>();
    QVERIFY2(error < tolerance, std::to_string(error).c_str());
  }

  /// PGD on the score raises it and lowers it.
  void canBeAttacked(Detector& of, double eps = 0.1) const {
    const auto some = images.slice(0, 0, 20);
    for (const int direction : {1, -1}) {
      DetectorObjective objective(of, direction);
      Task task;
      const auto attacked = attack_support::make("pgd", {{"eps", eps}, {"steps", 10}})
                                ->perturb(objective, some, {.seed = Seed(3), .task = task});
      const torch::NoGradGuard noGrad;
      const auto before = direction * of.score(some).to(torch::kFloat64);
      const auto gain = attacked.values - before;
      QVERIFY(gain.min().item<double>() > -1e-4);
      QVERIFY2(gain.mean().item<double>() > 0.2 * before.std().item<double>(),
               std::to_string(gain.mean().item<double>()).c_str());
    }
  }

  /// The same seed fits the same scores; fitting stops where it is asked to.
  void isRepeatableAndStops(const std::string& name, const Json& options, bool seedMatters) const {
    const auto first = fitted(name, options, 3)->score(images);
    QVERIFY(torch::equal(fitted(name, options, 3)->score(images), first));
    if (seedMatters) QVERIFY(!torch::equal(fitted(name, options, 4)->score(images), first));
    std::vector<std::string> phases;
    Task counting(nullptr, [&](const ProgressUpdate& update) {
      if (phases.empty() || phases.back() != update.phase) phases.push_back(update.phase);
    });
    const auto set = train();
    const auto fit = [&](Task& task) {
      make(name, options)
          ->fit({.classifier = classifier.get(),
                 .train = set,
                 .batchSize = 32,
                 .seed = Seed(3),
                 .task = task});
    };
    fit(counting);
    QVERIFY(!phases.empty());
    for (const auto& phase : phases) {
      Control control;
      Task task(&control, [&](const ProgressUpdate& update) {
        if (update.phase == phase) control.cancel();
      });
      try {
        fit(task);
        QFAIL(("not cancelled in " + phase).c_str());
      } catch (const Error& error) {
        QCOMPARE(error.kind(), Error::Kind::Cancelled);
      }
    }
  }

  std::unique_ptr<Network> classifier;
  Tensor images, labels;
};

}  // namespace rivals
