// Runs with the attractor detector: detection and classification through all iterations, attacked
// end to end, with the health checks on them.
#include <cmath>
#include <filesystem>

#include "attack_support.h"
#include "core/attacks/classification_objective.h"
#include "core/detectors/convergence.h"
#include "core/detectors/detector_objective.h"
#include "core/detectors/own_threshold.h"
#include "core/nn/fixed_point.h"
#include "core/nn/safetensors.h"
#include "small_runs.h"

using namespace bulwark;
using namespace smallruns;

namespace {

using torch::Tensor;

Json iteratedSpecification() {
  Json json = smallSpecification();
  json["data"]["in"]["size"] = 12;
  json["data"]["in"]["train_limit"] = 200;
  json["data"]["in"]["test_limit"] = 40;
  json["data"]["out"] = {{{"dataset", "noise-uniform"}, {"test_limit", 30}}};
  json["data"]["validation_limit"] = 60;
  json["classifier"] = Json::parse(R"({
    "network": {"type": "autoencoder", "encoder": [48, 24], "output": "linear"},
    "recipe": {"type": "attractor", "epochs": 12, "pretraining_epochs": 3, "learning_rate": 0.003,
               "class_weight": 0.2, "jacobian_weight": 0.0005}})");
  json["detectors"] = Json::parse(R"([
    {"type": "attractor", "label": "n = 1", "stability_images": 10},
    {"type": "attractor", "label": "n = 2", "iterations": 2, "stability_images": 0},
    {"type": "attractor", "label": "n = 5", "iterations": 5, "stability_images": 0}])");
  json["attacks"] = Json::parse(R"([
    {"type": "pgd", "eps": "20/255", "steps": 8, "label": "pgd"},
    {"type": "fgsm", "eps": "20/255", "loss": "ce", "keep": "last", "label": "ce"}])");
  return json;
}

}  // namespace

class TestAttractorRuns : public QObject {
  Q_OBJECT

  std::unique_ptr<Network> untrained(std::int64_t passes = 1) const {
    Registry<Network, NetworkShape> networks("network");
    registerNetworks(networks);
    auto network = networks.make("autoencoder", {{"encoder", {24, 12}}, {"passes", passes}},
                                 "network", NetworkShape{1, 6, 6, 3});
    network->initialise(Seed(4));
    const torch::NoGradGuard noGrad;
    for (auto& item : network->named_parameters()) {
      if (item.key().ends_with("bias")) item.value().fill_(0.1);
    }
    network->freeze();
    return network;
  }

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  /// What the detector calls the class is F(G^{n-1}(x)), and only while it is asked for.
  void ownClassesAreThoseOfTheImageFedLast() {
    const auto network = untrained();
    auto& own = requireAutoencoder(*network, "test");
    const auto images = attack_support::uniform({7, 1, 6, 6}, 3, 0, 1);
    const TensorImageSet set("set", images, torch::zeros({7}, torch::kInt64), {"a", "b", "c"});
    Registry<Detector> registry("detector");
    registerDetectors(registry);
    Task task;
    for (const auto& [n, tolerance] :
         {std::pair{1, 0.0}, std::pair{2, 0.0}, std::pair{5, 0.0}, std::pair{9, 0.05}}) {
      const auto made = registry.make(
          "attractor", {{"iterations", n}, {"tolerance", tolerance}, {"stability_images", 0}},
          "detectors[0]");
      made->fit({.classifier = network.get(), .train = set, .task = task});
      const auto alone = network->forward(images);
      Tensor expected;
      if (tolerance > 0) {
        expected = own.classify(iterate(own, images, {n, tolerance}).code);
      } else {
        auto at = images;
        for (int i = 1; i < n; ++i) at = own.reconstruct(at);
        expected = own.classify(own.encode(at));
      }
      {
        const auto inForce = dynamic_cast<HasClasses&>(*made).ownClasses();
        QCOMPARE(inForce == nullptr, n == 1);
        QVERIFY(torch::allclose(network->forward(images), expected));
        QCOMPARE(torch::allclose(network->forward(images), alone), n == 1);
      }
      QVERIFY(torch::equal(network->forward(images), alone));
    }
    // A network whose option says so reads its classes there anyhow.
    const auto thrice = untrained(3);
    const auto made = registry.make("attractor", {{"iterations", 3}}, "detectors[0]");
    made->fit({.classifier = thrice.get(), .train = set, .task = task});
    QVERIFY(!dynamic_cast<HasClasses&>(*made).ownClasses());
  }

  /// Gradients of score and class through all iterations, against differences in double.
  void differentiableEndToEnd() {
    const auto network = untrained();
    auto& own = requireAutoencoder(*network, "test");
    own.to(torch::kFloat64);
    const auto images = attack_support::uniform({3, 1, 6, 6}, 9, 0.2, 0.8).to(torch::kFloat64);
    const TensorImageSet set("set", images.to(torch::kFloat32), torch::zeros({3}, torch::kInt64),
                             {"a", "b", "c"});
    Registry<Detector> registry("detector");
    registerDetectors(registry);
    Task task;
    for (const int n : {1, 2, 5}) {
      const auto made =
          registry.make("attractor", {{"iterations", n}, {"stability_images", 0}}, "detectors[0]");
      made->fit({.classifier = network.get(), .train = set, .task = task});
      // What a pass of the attack costs is counted in passes of the network.
      const Passes passes = DetectorObjective(*made, 1).passes();
      QCOMPARE(passes.evaluate, std::int64_t{n});
      QCOMPARE(passes.judge, std::int64_t{n});
      QCOMPARE(passes.gradient, std::int64_t{n});
      const ClassesAfter inForce(own, {n, 0.0});
      const auto score = [&](const Tensor& x) { return made->score(x).sum(); };
      const auto margin = [&](const Tensor& x) {
        const auto logits = network->forward(x);
        return (logits.select(1, 0) - logits.select(1, 1)).sum();
      };
      for (const std::function<Tensor(const Tensor&)>& of :
           {std::function<Tensor(const Tensor&)>(score), {margin}}) {
        const auto leaf = images.clone().requires_grad_(true);
        const auto gradient = torch::autograd::grad({of(leaf)}, {leaf})[0];
        QVERIFY(gradient.abs().max().item<double>() > 1e-8);
        for (const std::int64_t pixel : {4, 17, 31}) {
          auto up = images.clone(), down = images.clone();
          constexpr double step = 1e-6;
          up.view({3, 36}).select(1, pixel) += step;
          down.view({3, 36}).select(1, pixel) -= step;
          const double measured = (of(up) - of(down)).item<double>() / (2 * step);
          const double expected = gradient.view({3, 36}).select(1, pixel).sum().item<double>();
          QVERIFY2(std::abs(measured - expected) < 1e-6 + 1e-4 * std::abs(expected),
                   (std::to_string(measured) + " " + std::to_string(expected)).c_str());
        }
      }
    }
  }

  void convergenceByHand() {
    const auto network = untrained();
    auto& own = requireAutoencoder(*network, "test");
    const auto images = attack_support::uniform({4, 1, 6, 6}, 21, 0, 1);
    const auto labels = torch::tensor({0, 1, 2, 1}, torch::kInt64);
    Task task;
    const Json found =
        convergence(own, images, labels, {.radii = {"0", "20/255"}, .iterations = 3}, task);
    QCOMPARE(found.size(), std::size_t{2});
    const auto leaf = images.clone().requires_grad_(true);
    const auto cost =
        0.988 * (own.reconstruct(leaf) - leaf).square().flatten(1).mean(1).sum() +
        0.01 * torch::nn::functional::cross_entropy(
                   own.forward(leaf), labels,
                   torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum));
    const auto sign = torch::autograd::grad({cost}, {leaf})[0].sign();
    const torch::NoGradGuard noGrad;
    for (const auto& [name, radius] : {std::pair{"0", 0.0}, std::pair{"20/255", 20.0 / 255}}) {
      auto at = (images + radius * sign).clamp(0, 1);
      const Json& told = found.at(name);
      QCOMPARE(told.at("step").size(), std::size_t{3});
      for (std::size_t k = 0; k <= 3; ++k) {
        const auto alike = pearson(at, images);
        QVERIFY(std::abs(told.at("pearson")[k].get<double>() - alike.mean().item<double>()) < 1e-5);
        QVERIFY(std::abs(told.at("first")[k].get<double>() - alike[0].item<double>()) < 1e-5);
        const auto right = own.forward(at).argmax(1) == labels;
        QCOMPARE(told.at("accuracy")[k].get<double>(),
                 right.to(torch::kFloat64).mean().item<double>());
        if (k == 3) break;
        const auto next = own.reconstruct(at);
        const auto step = (next - at).flatten(1).square().mean(1).sqrt().mean().item<double>();
        QVERIFY(std::abs(told.at("step")[k].get<double>() - step) < 1e-5);
        at = next;
      }
    }
    QVERIFY(std::abs(found.at("0").at("first")[0].get<double>() - 1.0) < 1e-5);
    Registry<Detector> registry("detector");
    registerDetectors(registry);
    for (const char* radius : {"much", "2", "-0.1"}) {
      QVERIFY_EXCEPTION_THROWN(
          registry.make("attractor", {{"convergence_radii", {radius}}}, "detectors[0]"), Error);
    }
  }

  void everyDetectorIsAttackedAndExamined() {
    Bench bench;
    Json json = iteratedSpecification();
    json["evaluation"]["health"] = "full";
    json["evaluation"]["health_images"] = 8;
    const auto run = bench.create(json);
    bench.execute(run);
    const Json summary = bench.store->run(run).summary;
    // The class after the iteration, clean and attacked, of those that have one of their own.
    const Json& classes = summary.at("own_classes");
    QCOMPARE(classes.size(), std::size_t{2});
    for (const char* label : {"n = 2", "n = 5"}) {
      const Json& own = classes.at(label);
      const double clean = own.at("accuracy_clean").get<double>();
      QVERIFY(clean >= 0 && clean <= 1);
      QCOMPARE(own.at("accuracy_attacked").size(), std::size_t{2});
      QVERIFY(own.at("accuracy_attacked").at("pgd").get<double>() <= clean);
    }
    QVERIFY(summary.at("accuracy_attacked").at("pgd").get<double>() <=
            summary.at("accuracy_clean").get<double>());
    // What was stored of the attacked class is that of the network, iterated.
    const auto folder = bench.store->artefactFolder(run);
    const auto margins = TensorFile::load(folder / "margins-1.safetensors");
    const double share =
        margins.require("pgd", {40}, "test").le(0.0).to(torch::kFloat64).mean().item<double>();
    QCOMPARE(classes.at("n = 2").at("accuracy_attacked").at("pgd").get<double>(), share);
    // Every detector has its cells, its own decisions and its health checks.
    const auto cells = byCell(bench.store->results(run));
    for (const char* label : {"n = 1", "n = 2", "n = 5"}) {
      const auto& settings = cells.at({label, "pgd", "noise-uniform"});
      QCOMPARE(settings.size(), std::size_t{3});
      const double clean = cells.at({label, "", "noise-uniform"}).at("clean");
      QVERIFY(settings.at("in_out") <= clean + 1e-12);
      int examined = 0, gradients = 0;
      for (const auto& entry : summary.at("health_checks")) {
        if (entry.at("subject") != label) continue;
        ++examined;
        const auto id = entry.at("id").get<std::string>();
        if (id == "H15") gradients += entry.at("verdict") == "green";
      }
      QVERIFY2(examined > 15, std::to_string(examined).c_str());
      QCOMPARE(gradients, 1);
      const auto& decisions = summary.at("own_decisions");
      QVERIFY(std::any_of(decisions.begin(), decisions.end(), [&](const Json& entry) {
        return entry.at("detector") == label && entry.at("setting") == "in_out";
      }));
    }
    QCOMPARE(summary.at("fit_facts").at("n = 1").at("convergence").size(), std::size_t{3});
  }

  /// An image whose rank is final leaves early, but not before what its own threshold says is.
  void ownDecisionsAreExactWhereRanksAreFinal() {
    Bench bench;
    Json json = iteratedSpecification();
    json["detectors"] = Json::array();
    for (const double similarity : {-0.5, 0.3, 0.6, 0.9, 0.99}) {
      json["detectors"].push_back({{"type", "attractor"},
                                   {"label", "T = " + std::to_string(similarity)},
                                   {"similarity", similarity},
                                   {"stability_images", 0}});
    }
    json["attacks"] =
        Json::parse(R"([{"type": "pgd", "eps": "80/255", "steps": 30, "label": "pgd"}])");
    const auto saturating = bench.create(json);
    bench.execute(saturating);
    json["evaluation"]["rank_saturation"] = false;
    const auto whole = bench.create(json);
    bench.execute(whole);
    const auto decisions = [&](std::int64_t run) {
      return bench.store->run(run).summary.at("own_decisions");
    };
    QCOMPARE(decisions(saturating).size(), std::size_t{20});
    QCOMPARE(decisions(saturating).dump(), decisions(whole).dump());
    QVERIFY(bench.store->run(saturating).summary.at("saturated_share").get<double>() > 0);
  }

  /// A joint attack goes through the detector's own threshold, not one that the evaluation chose.
  void jointAttacksCrossTheDetectorsThreshold() {
    Bench bench;
    Json json = iteratedSpecification();
    json["detectors"] = Json::parse(R"([
      {"type": "attractor", "similarity": -1, "label": "takes all", "stability_images": 0},
      {"type": "attractor", "similarity": 1, "label": "takes none", "stability_images": 0}])");
    json["attacks"] =
        Json::parse(R"([{"type": "joint", "eps": "10/255", "steps": 5, "label": "joint"}])");
    const auto run = bench.create(json);
    bench.execute(run);
    int found = 0;
    const Json summary = bench.store->run(run).summary;
    for (const Json& check : summary.at("health_checks")) {
      if (check.at("id") != "H36") continue;
      ++found;
      const double evaded = check.at("value").get<double>();
      if (check.at("subject") == "takes none") {
        QCOMPARE(evaded, 0.0);
      } else {
        QVERIFY(evaded > 0.0);  // all that the classifier gets wrong
      }
    }
    QCOMPARE(found, 2);
  }

  /// Labels that an attack asks for are missed before anything is trained.
  void labelsOfTheOutSetsAreCheckedFirst() {
    Bench bench;
    Json json = iteratedSpecification();
    json["attacks"] = Json::parse(
        R"(["pgd", {"type": "fgsm", "loss": "ce", "out_label": "own", "label": "ce"}])");
    const auto run = bench.create(json);
    try {
      bench.execute(run);
      QFAIL("noise has no labels");
    } catch (const Error& error) {
      QCOMPARE(error.exitCode(), 2);
      QCOMPARE(error.where(), std::string("attacks[1].out_label"));
      QVERIFY(error.problem().find("noise-uniform") != std::string::npos);
      QVERIFY(error.hint().find("predicted") != std::string::npos);
    }
    QVERIFY(!std::filesystem::exists(bench.store->artefactFolder(run) / "classifier.safetensors"));
  }

  void anInterruptedRunFindsTheSameClasses() {
    Bench bench;
    const auto whole = bench.create(iteratedSpecification());
    bench.execute(whole);
    const auto cut = bench.create(iteratedSpecification());
    try {
      bench.execute(cut, "scores", 5);
      QFAIL("was not cut short");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), Error::Kind::Cancelled);
    }
    bench.execute(cut);
    QCOMPARE(bench.results(cut), bench.results(whole));
    QCOMPARE(bench.store->run(cut).summary.at("own_classes").dump(),
             bench.store->run(whole).summary.at("own_classes").dump());
  }
};

QTEST_GUILESS_MAIN(TestAttractorRuns)
#include "tst_attractor_runs.moc"
