#include <cmath>
#include <map>
#include <set>

#include "attack_support.h"
#include "core/attacks/resources.h"
#include "core/base/error.h"
#include "core/data/image_set.h"
#include "core/detectors/detector.h"
#include "core/detectors/detector_objective.h"
#include "core/detectors/own_threshold.h"
#include "core/experiment/bench.h"
#include "core/experiment/own_decisions.h"
#include "core/nn/fixed_point.h"
#include "core/nn/jacobian.h"
#include "core/training/recipe.h"

using namespace bulwark;

namespace {

using torch::Tensor;

/// Three classes of 6 x 6 images: a bright bar, noise over all. After `stopAfter` reads of a batch
/// it cancels, as a user or a kill would do between two iterations.
class Bars : public TensorImageSet {
 public:
  Bars(std::int64_t count, std::uint64_t seed)
      : TensorImageSet("bars", draw(count, seed), torch::arange(count, torch::kInt64) % 3,
                       {"a", "b", "c"}) {}

  Tensor images(const Tensor& indices) const override {
    if (control && --stopAfter == 0) control->cancel();
    return TensorImageSet::images(indices);
  }

  mutable std::int64_t stopAfter = 0;
  Control* control = nullptr;

 private:
  static Tensor draw(std::int64_t count, std::uint64_t seed) {
    auto pixels = attack_support::uniform({count, 1, 6, 6}, seed, 0.0, 0.3);
    for (std::int64_t i = 0; i < count; ++i)
      pixels[i][0].slice(0, 2 * (i % 3), 2 * (i % 3) + 2) += 0.6;
    return pixels;
  }
};

struct Training {
  std::string recipe = "attractor";
  Json options = Json::object();
  Json network = {{"encoder", {16, 8}}};
  std::filesystem::path checkpoint = {};
  Control* control = nullptr;
  std::map<std::string, std::vector<double>> metrics = {};
  std::vector<std::string> logs = {};

  std::unique_ptr<Network> fit(const ImageSet& train, const ImageSet* validation = nullptr) {
    Registry<Network, NetworkShape> networks("network");
    registerNetworks(networks);
    Registry<Recipe> recipes("recipe");
    registerRecipes(recipes);
    auto made = networks.make("autoencoder", network, "network", NetworkShape{1, 6, 6, 3});
    made->initialise(Seed(1));
    Json given = {{"epochs", 3}, {"pretraining_epochs", 2}, {"batch_size", 32}};
    given.update(options);
    const auto how = recipes.make(recipe, given, "recipe");
    Task task(control, {}, [&](LogLevel, const std::string& text) { logs.push_back(text); });
    FitContext context{.network = *made, .train = train, .validation = validation, .task = task};
    context.seed = Seed(2);
    context.checkpoint = checkpoint;
    context.checkpointSeconds = 0;
    metrics.clear();
    context.metric = [&](std::int64_t epoch, const std::string& name, double value) {
      auto& values = metrics[name];
      values.resize(static_cast<std::size_t>(epoch), NAN);
      values.back() = value;
    };
    how->fit(context);
    made->freeze();
    return made;
  }
};

bool sameWeights(const Network& a, const Network& b) {
  const auto other = b.named_parameters();
  for (const auto& item : a.named_parameters()) {
    if (!torch::equal(item.value(), other[item.key()])) return false;
  }
  return true;
}

double meanNorm(Network& network, const Tensor& images) {
  auto& own = requireAutoencoder(network, "test");
  return jacobianNorm(own.pass(images).chain, own.encoderLayers()).perImage.mean().item<double>();
}

}  // namespace

class TestAttractor : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  Bars train_{96, 11};
  Bars validation_{60, 12};
  std::unique_ptr<Network> trained_;

  std::unique_ptr<Detector> detector(const std::string& name, const Json& options,
                                     Network& network) {
    Registry<Detector> registry("detector");
    registerDetectors(registry);
    auto made = registry.make(name, options, "detectors[0]");
    Task task;
    made->fit({.classifier = &network, .train = train_, .validation = &validation_, .task = task});
    return made;
  }

 private Q_SLOTS:
  void initTestCase() {
    torch::set_num_threads(1);
    Training training;
    training.options = {{"epochs", 120},           {"pretraining_epochs", 30},
                        {"batch_size", 16},        {"early_stopping_patience", 0},
                        {"learning_rate", 0.002},  {"class_weight", 0.2},
                        {"jacobian_weight", 0.001}};
    // Of a network this small too many rectified outputs would die.
    training.network = {{"encoder", {32, 12}}, {"output", "linear"}};
    trained_ = training.fit(train_, &validation_);
  }

  void lossesFallAndAreReported() {
    Training attractor;
    attractor.options = {{"epochs", 30},
                         {"pretraining_epochs", 20},
                         {"jacobian_weight", 0.1},
                         {"early_stopping_patience", 0}};
    const auto strong = attractor.fit(train_, &validation_);
    const auto& metrics = attractor.metrics;
    for (const char* name : {"stage", "loss", "reconstruction_loss", "jacobian_loss", "class_loss",
                             "accuracy", "validation_accuracy", "learning_rate", "seconds"}) {
      QVERIFY2(metrics.count(name) == 1 && metrics.at(name).size() == 70, name);
      for (const double value : metrics.at(name)) QVERIFY2(std::isfinite(value), name);
    }
    for (std::size_t epoch = 0; epoch < 70; ++epoch) {
      const double stage = epoch < 20 ? 1 : epoch < 40 ? 2 : 3;
      QCOMPARE(metrics.at("stage")[epoch], stage);
      QCOMPARE(metrics.at("learning_rate")[epoch], stage == 1 ? 0.001 : stage == 2 ? 0.005 : 5e-4);
      const double parts = 0.988 * metrics.at("reconstruction_loss")[epoch] +
                           0.1 * metrics.at("jacobian_loss")[epoch] +
                           0.01 * metrics.at("class_loss")[epoch];
      QVERIFY(std::abs(metrics.at("loss")[epoch] / parts - 1) < 1e-5);
    }
    for (const auto& [first, last] : {std::pair{0, 19}, std::pair{20, 39}}) {
      QVERIFY(metrics.at("loss")[static_cast<std::size_t>(last)] <
              metrics.at("loss")[static_cast<std::size_t>(first)]);
    }
    // The term does what it is for.
    Training control = attractor;
    control.options["jacobian_weight"] = 0;
    const auto without = control.fit(train_, &validation_);
    QVERIFY(control.metrics.count("jacobian_loss") == 0);
    const auto images = train_.pixels();
    QVERIFY2(meanNorm(*strong, images) < 0.5 * meanNorm(*without, images),
             std::to_string(meanNorm(*without, images)).c_str());
    auto& ours = requireAutoencoder(*strong, "test");
    auto& theirs = requireAutoencoder(*without, "test");
    QVERIFY(jacobianRadius(ours, images).mean().item<double>() <
            jacobianRadius(theirs, images).mean().item<double>());
    // The baseline recipe is that control but for the weight of the squared error.
    Training baseline = control;
    baseline.recipe = "autoencoder";
    baseline.options.erase("jacobian_weight");
    baseline.options["reconstruction_weight"] = 0.988;
    QVERIFY(sameWeights(*baseline.fit(train_, &validation_), *without));
  }

  void classifiesAndReconstructs() {
    const torch::NoGradGuard noGrad;
    auto& network = requireAutoencoder(*trained_, "test");
    const auto right = network.forward(validation_.pixels()).argmax(1) == validation_.labels();
    QVERIFY(right.to(torch::kFloat64).mean().item<double>() > 0.95);
    const auto error = (network.reconstruct(validation_.pixels()) - validation_.pixels()).square();
    const auto spread = (validation_.pixels() - train_.pixels().mean(0)).square();
    QVERIFY2(error.mean().item<double>() < 0.5 * spread.mean().item<double>(),
             std::to_string(error.mean().item<double>()).c_str());
  }

  void resumesExactly_data() {
    QTest::addColumn<int>("reads");
    QTest::addColumn<QString>("options");
    for (const int reads : {1, 5, 6, 7, 12, 13, 17, 20}) {
      QTest::addRow("exact, %d", reads) << reads << "{}";
    }
    QTest::newRow("hutchinson") << 8 << R"({"jacobian": "hutchinson", "probes": 2})";
    QTest::newRow("literal stopping") << 8 << R"({"stopping": "falling"})";
    QTest::newRow("stops early") << 14 << R"({"early_stopping_patience": 1})";
    QTest::newRow("no pre-training") << 4 << R"({"pretraining_epochs": 0})";
  }
  void resumesExactly() {
    QFETCH(int, reads);
    QFETCH(QString, options);
    Training whole;
    whole.options = Json::parse(options.toStdString());
    const auto expected = whole.fit(train_, &validation_);
    Training cut = whole;
    cut.checkpoint = std::filesystem::path(folder_.path().toStdString()) / "fit.safetensors";
    Control control;
    cut.control = &control;
    Bars stopping{96, 11};
    stopping.control = &control;
    stopping.stopAfter = reads;
    QVERIFY_EXCEPTION_THROWN(cut.fit(stopping, &validation_), Error);
    QVERIFY(std::filesystem::exists(cut.checkpoint));
    cut.control = nullptr;
    cut.logs.clear();
    const auto resumed = cut.fit(train_, &validation_);
    QVERIFY(sameWeights(*expected, *resumed));
    QVERIFY(!std::filesystem::exists(cut.checkpoint));
    QVERIFY(std::any_of(cut.logs.begin(), cut.logs.end(), [](const std::string& text) {
      return text.rfind("resumed in stage", 0) == 0;
    }));
    for (const auto& [name, values] : whole.metrics) {
      if (name == "seconds") continue;
      QVERIFY2(cut.metrics[name] == values, name.c_str());
    }
  }

  void recipeOptions() {
    Training other;
    other.options["pretraining_rates"] = {"fast"};
    QVERIFY_EXCEPTION_THROWN(other.fit(train_), Error);
    // Sum over pixels: 36 times the mean, all else being equal.
    Training mean, sum;
    mean.options = sum.options = {{"pretraining_epochs", 1}, {"epochs", 1}};
    sum.options["squared_error"] = "sum";
    sum.options["reconstruction_weight"] = 0.988 / 36;
    sum.fit(train_);
    mean.fit(train_);
    QVERIFY(std::abs(sum.metrics["reconstruction_loss"][0] /
                         mean.metrics["reconstruction_loss"][0] / 36 -
                     1) < 1e-3);
    QVERIFY(std::any_of(mean.logs.begin(), mean.logs.end(), [](const std::string& text) {
      return text.find("no validation images") != std::string::npos;
    }));
    Training linear;
    linear.network["output"] = "linear";
    linear.network["passes"] = 3;
    const auto made = linear.fit(train_);
    QVERIFY(requireAutoencoder(*made, "test").linearOutput());
    // The recipe needs an autoencoder.
    Registry<Network, NetworkShape> networks("network");
    registerNetworks(networks);
    Registry<Recipe> recipes("recipe");
    registerRecipes(recipes);
    const auto mlp = networks.make("mlp", Json::object(), "network", NetworkShape{1, 6, 6, 3});
    mlp->initialise(Seed(1));
    Task task;
    FitContext context{.network = *mlp, .train = train_, .task = task};
    QVERIFY_EXCEPTION_THROWN(recipes.make("attractor", Json::object(), "recipe")->fit(context),
                             Error);
  }

  void similarityScore() {
    auto& network = requireAutoencoder(*trained_, "test");
    const auto images = validation_.pixels();
    for (const int n : {1, 3}) {
      const auto made = detector("attractor", {{"iterations", n}}, *trained_);
      auto at = images;
      {
        const torch::NoGradGuard noGrad;
        for (int i = 0; i < n; ++i) at = network.reconstruct(at);
      }
      const auto scores = made->score(images);
      for (std::int64_t i = 0; i < 5; ++i) {
        const auto pair = torch::stack({images[i].flatten(), at[i].flatten()}).to(torch::kFloat64);
        const double expected = 1 - torch::corrcoef(pair)[0][1].item<double>();
        QVERIFY(std::abs(scores[i].item<double>() - expected) < 1e-5);
      }
      const auto values = made->intermediates(images);
      QVERIFY(torch::allclose(1 - values.at("similarity"), scores));
      QVERIFY(torch::equal(values.at("reconstruction"), at));
      // The gradient through all iterations, against a difference along it.
      const auto leaf = images.slice(0, 0, 1).clone().requires_grad_(true);
      const auto gradient = torch::autograd::grad({made->score(leaf).sum()}, {leaf})[0];
      const auto direction = gradient / gradient.norm();
      const double step = 1e-3;
      const double measured = (made->score(leaf.detach() + step * direction) -
                               made->score(leaf.detach() - step * direction))
                                  .item<double>() /
                              (2 * step);
      QVERIFY(gradient.norm().item<double>() > 1e-4);
      QVERIFY2(std::abs(measured / gradient.norm().item<double>() - 1) < 0.1,
               std::to_string(measured / gradient.norm().item<double>()).c_str());
      // An end-to-end attack raises it.
      DetectorObjective objective(*made, 1);
      Task task;
      const auto attacked = attack_support::make("pgd", {{"eps", 0.1}, {"steps", 10}})
                                ->perturb(objective, images, {.seed = Seed(3), .task = task});
      QVERIFY(attacked.values.mean().item<double>() > 1.2 * scores.mean().item<double>());
    }
    // Noise is less like its reconstruction than what was trained on.
    const auto made = detector("attractor", Json::object(), *trained_);
    const auto noise = attack_support::uniform({60, 1, 6, 6}, 5, 0, 1);
    QVERIFY(made->score(noise).mean().item<double>() >
            2 * made->score(images).mean().item<double>());
    Registry<Network, NetworkShape> networks("network");
    registerNetworks(networks);
    const auto other = networks.make("mlp", Json::object(), "network", NetworkShape{1, 6, 6, 3});
    for (const char* name : {"attractor", "reconstruction_error"}) {
      QVERIFY_EXCEPTION_THROWN(detector(name, Json::object(), *other), Error);
    }
  }

  void thresholds() {
    const auto fixed = detector("attractor", {{"similarity", 0.7}}, *trained_);
    QVERIFY(std::abs(dynamic_cast<HasThreshold&>(*fixed).threshold() - 0.3) < 1e-12);
    const auto made =
        detector("attractor", {{"threshold", "calibrated"}, {"keep", 0.9}}, *trained_);
    const double threshold = dynamic_cast<HasThreshold&>(*made).threshold();
    const auto scores = made->score(validation_.pixels()).to(torch::kFloat64);
    QCOMPARE(scores.le(threshold).sum().item<std::int64_t>(), std::int64_t{54});
    TensorFile file;
    made->save(file);
    Registry<Detector> registry("detector");
    registerDetectors(registry);
    const auto loaded = registry.make("attractor", Json::object(), "detectors[0]");
    loaded->load(file, trained_.get(), torch::kCPU);
    QCOMPARE(dynamic_cast<HasThreshold&>(*loaded).threshold(), threshold);
    QVERIFY(torch::equal(loaded->score(validation_.pixels()), made->score(validation_.pixels())));
  }

  void stabilityOfTrainingImages() {
    const auto made = detector("attractor", {{"stability_images", 10}}, *trained_);
    std::vector<Tensor> images;
    for (std::int64_t i = 0; i < 10; ++i) images.push_back(train_.pixels()[i * 96 / 10]);
    const auto radii = jacobianRadius(requireAutoencoder(*trained_, "test"), torch::stack(images));
    const Json facts = dynamic_cast<HasFitFacts&>(*made).fitFacts();
    QCOMPARE(facts.at("images").get<int>(), 10);
    QVERIFY(std::abs(facts.at("least").get<double>() / radii.min().item<double>() - 1) < 1e-5);
    QVERIFY(std::abs(facts.at("largest").get<double>() / radii.max().item<double>() - 1) < 1e-5);
    QCOMPARE(facts.at("share_below_1").get<double>(),
             radii.lt(1).to(torch::kFloat64).mean().item<double>());
    TensorFile file;
    made->save(file);
    Registry<Detector> registry("detector");
    registerDetectors(registry);
    const auto loaded = registry.make("attractor", Json::object(), "detectors[0]");
    loaded->load(file, trained_.get(), torch::kCPU);
    QVERIFY(dynamic_cast<HasFitFacts&>(*loaded).fitFacts() == facts);
    const auto none = detector("attractor", {{"stability_images", 0}}, *trained_);
    QVERIFY(dynamic_cast<HasFitFacts&>(*none).fitFacts().empty());
  }

  void reconstructionErrors() {
    auto& network = requireAutoencoder(*trained_, "test");
    const auto images = validation_.pixels();
    const auto difference = (network.reconstruct(images) - images).flatten(1);
    QVERIFY(
        torch::allclose(detector("reconstruction_error", Json::object(), network)->score(images),
                        difference.square().sum(1) / 36));
    QVERIFY(torch::allclose(
        detector("reconstruction_error", {{"error", "absolute"}}, network)->score(images),
        difference.abs().sum(1) / 36));
  }

  /// One step of the published attack, by hand.
  void fgsmOnTheTrainingCost() {
    auto& network = requireAutoencoder(*trained_, "test");
    const auto images = validation_.pixels().slice(0, 0, 12);
    const auto labels = validation_.labels().slice(0, 0, 12);
    const auto made = detector("attractor", Json::object(), network);
    const double eps = 0.05;
    const auto stepTo = [&](double mse, double ce, const Tensor& classes, double sign) {
      const auto leaf = images.clone().requires_grad_(true);
      const auto cost =
          mse * (network.reconstruct(leaf) - leaf).square().flatten(1).mean(1).sum() +
          ce * torch::nn::functional::cross_entropy(
                   network.forward(leaf), classes,
                   torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum));
      const auto gradient = torch::autograd::grad({cost}, {leaf})[0];
      return (images + sign * eps * gradient.sign()).clamp(0, 1);
    };
    AttackResources resources;
    resources.classifier = &network;
    resources.reconstructionWeight = 0.988;
    resources.classWeight = 0.01;
    Task task;
    const auto perturb = [&](const Json& options, int direction, const Tensor& classes) {
      Json all = {{"eps", eps}, {"keep", "last"}};
      all.update(options);
      resources.labels = classes;
      AttackContext context{.batchSize = 5, .seed = Seed(3), .task = task};
      context.resources = &resources;
      DetectorObjective objective(*made, direction);
      return attack_support::make("fgsm", all)->perturb(objective, images, context);
    };
    struct Case {
      const char* loss;
      double mse, ce;
    };
    for (const auto& one : {Case{"ce", 0, 1}, Case{"mse", 1, 0}, Case{"total", 0.988, 0.01}}) {
      const auto found = perturb({{"loss", one.loss}}, 1, labels);
      const auto expected = stepTo(one.mse, one.ce, labels, 1);
      QVERIFY2(torch::allclose(found.images, expected, 0, 1e-6), one.loss);
      QVERIFY(torch::allclose(found.values, made->score(expected).to(torch::kFloat64), 1e-4, 1e-5));
    }
    // Out images: the class is the predicted one; raised as published, or lowered to hide them.
    const auto predicted = network.forward(images).argmax(1);
    const auto raised = perturb({{"loss", "total"}}, -1, {});
    QVERIFY(torch::allclose(raised.images, stepTo(0.988, 0.01, predicted, 1), 0, 1e-6));
    QVERIFY(torch::allclose(raised.values, -made->score(raised.images).to(torch::kFloat64), 1e-4,
                            1e-5));
    const auto lowered = perturb({{"loss", "mse"}, {"out_direction", "lower"}}, -1, {});
    QVERIFY(torch::allclose(lowered.images, stepTo(1, 0, predicted, -1), 0, 1e-6));
    QVERIFY(lowered.values.mean().item<double>() > raised.values.mean().item<double>());
    // Or the out images' labels in their own set; the weights may be given.
    resources.ownLabels = (labels + 1) % 3;
    const auto own = perturb({{"loss", "total"},
                              {"out_label", "own"},
                              {"reconstruction_weight", 0.1},
                              {"class_weight", 0.7}},
                             -1, {});
    QVERIFY(torch::allclose(own.images, stepTo(0.1, 0.7, (labels + 1) % 3, 1), 0, 1e-6));
    QVERIFY(!torch::allclose(own.images, stepTo(0.1, 0.7, predicted, 1), 0, 1e-6));
    resources.ownLabels = labels + 1;
    QVERIFY_EXCEPTION_THROWN(perturb({{"loss", "ce"}, {"out_label", "own"}}, -1, {}), Error);
    resources.reconstructionWeight = resources.classWeight = 0;
    QVERIFY_EXCEPTION_THROWN(perturb({{"loss", "total"}}, 1, labels), Error);
    resources.reconstructionWeight = 0.988;
    resources.classWeight = 0.01;
    // Without a radius nothing moves; the best point is never worse than the clean one.
    QVERIFY(torch::equal(perturb({{"loss", "total"}, {"eps", 0.0}}, 1, labels).images, images));
    const auto best = perturb({{"loss", "ce"}, {"keep", "best"}}, 1, labels);
    QVERIFY((best.values >= made->score(images).to(torch::kFloat64) - 1e-6).all().item<bool>());
    resources.classifier = nullptr;
    QVERIFY_EXCEPTION_THROWN(perturb({{"loss", "ce"}}, 1, labels), Error);
  }

  void decisionsByHand() {
    ScoreTable scores;
    const auto add = [&](const std::string& attack, const std::string& set, bool out,
                         std::vector<double> values) {
      ScoreSet one;
      one.detector = std::string("a");
      one.attack = attack;
      one.dataset = set;
      one.out = out;
      one.scores = std::move(values);
      scores.add(std::move(one));
    };
    add("", "in", false, {0.1, 0.2, 0.2, 0.3});
    add("", "far", true, {0.1, 0.4});
    add("fgsm", "in", false, {0.3, 0.3, 0.2, 0.3});
    add("fgsm", "far", true, {0.5, 0.4});
    std::vector<ResultRow> rows(4);
    const char* settings[] = {"clean", "in", "out", "in_out"};
    for (std::size_t i = 0; i < 4; ++i) {
      rows[i].detector = std::string("a");
      rows[i].attack = i == 0 ? "" : "fgsm";
      rows[i].setting = settings[i];
      rows[i].out = "far";
    }
    rows.push_back(rows[0]);
    rows.back().detector = "without a threshold";
    const Json found = ownDecisions({{"a", 0.2}}, rows, "in", scores);
    const double expected[4][3] = {{4. / 6, 3. / 4, 3. / 4},
                                   {2. / 6, 1. / 2, 1. / 4},
                                   {5. / 6, 1, 3. / 4},
                                   {3. / 6, 1, 1. / 4}};
    QCOMPARE(found.size(), std::size_t{4});
    for (std::size_t i = 0; i < 4; ++i) {
      QCOMPARE(found[i].at("setting").get<std::string>(), std::string(settings[i]));
      QVERIFY(std::abs(found[i].at("accuracy").get<double>() - expected[i][0]) < 1e-12);
      QVERIFY(std::abs(found[i].at("precision_in").get<double>() - expected[i][1]) < 1e-12);
      QVERIFY(std::abs(found[i].at("recall_in").get<double>() - expected[i][2]) < 1e-12);
    }
  }

  void benchReports() {
    Task task;
    const AttractorBenchSize tiny{.encoder = {12, 6},
                                  .batch = 10,
                                  .epochImages = 64,
                                  .repetitions = 1,
                                  .active = {0.8, 0.7, 0.6, 0.3}};
    const auto results = benchAttractor(builtinRegistries(), 1, task, tiny);
    QCOMPARE(results.size(), std::size_t{7});
    QVERIFY2(results[3].caseName.find("80 70 60 30 % active") != std::string::npos,
             results[3].caseName.c_str());
    std::set<std::string> cases;
    for (const auto& result : results) {
      QCOMPARE(result.bench, std::string("attractor"));
      QVERIFY(cases.insert(result.caseName).second);
      QVERIFY(result.value > 0 && result.baselineValue > 0 && result.ratio > 0);
    }
  }
};

QTEST_GUILESS_MAIN(TestAttractor)
#include "tst_attractor.moc"
