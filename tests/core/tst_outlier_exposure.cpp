// Training with an open set: the loss, what it does, what may be in the set, resuming.
#include <QDir>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "attack_support.h"
#include "core/experiment/experiment_data.h"
#include "core/nn/safetensors.h"
#include "core/training/recipe.h"
#include "data_files.h"
#include "small_runs.h"

using namespace bulwark;
using namespace smallruns;

namespace {

using torch::Tensor;

Json classesFrom(int first, int last) {
  Json names = Json::array();
  for (int i = first; i <= last; ++i) names.push_back(std::to_string(i));
  return names;
}

/// Ten classes of glyphs are in, eight more are shown as outliers, the rest is out.
Json exposed() {
  Json json = smallSpecification();
  json["data"]["in"] = {{"dataset", "glyphs"},
                        {"classes", classesFrom(0, 9)},
                        {"train_limit", 400},
                        {"test_limit", 80}};
  json["data"]["out"] = Json::array({{{"dataset", "glyphs"},
                                      {"classes", classesFrom(18, 25)},
                                      {"test_limit", 80},
                                      {"label", "others"}}});
  json["data"]["open"] = {{"dataset", "glyphs"},
                          {"classes", classesFrom(10, 17)},
                          {"train_limit", 400},
                          {"label", "letters"}};
  json["classifier"]["recipe"] = {{"type", "outlier_exposure"},
                                  {"epochs", 4},
                                  {"tuning_epochs", 4},
                                  {"tuning_batch_size", 32},
                                  {"tuning_learning_rate", 0.02}};
  json["detectors"] = Json::array({"msp"});
  json["attacks"] = Json::array();
  json["evaluation"]["settings"] = {"clean"};
  return json;
}

/// Cancels after `stopAfter` reads, as a user or a kill would do between two iterations.
class Counted : public TensorImageSet {
 public:
  using TensorImageSet::TensorImageSet;
  torch::Tensor images(const torch::Tensor& indices) const override {
    if (control && --stopAfter == 0) control->cancel();
    return TensorImageSet::images(indices);
  }
  mutable std::int64_t stopAfter = 0;
  Control* control = nullptr;
};

Counted pictures(std::int64_t count, std::uint64_t seed, bool labelled) {
  const auto pixels = attack_support::uniform({count, 1, 12, 12}, seed, 0, 1);
  const auto labels =
      labelled ? torch::arange(count, torch::kInt64) % 4 : torch::full({count}, -1, torch::kInt64);
  return {"pictures", pixels, labels, {"a", "b", "c", "d"}};
}

using Metrics = std::map<std::pair<std::int64_t, std::string>, double>;

/// One training by hand, without a run around it.
struct Training {
  std::string recipe = "outlier_exposure";
  Json options = {{"epochs", 2},        {"batch_size", 20},        {"augmentation", "shift"},
                  {"tuning_epochs", 2}, {"tuning_batch_size", 30}, {"open_per_image", 0.5}};
  std::filesystem::path checkpoint = {};
  Control* control = nullptr;
  Metrics metrics = {};

  std::unique_ptr<Network> fit(const ImageSet& train, const ImageSet* open) {
    const Registries registries = builtinRegistries();
    if (recipe == "standard") {
      for (const char* key : {"tuning_epochs", "tuning_batch_size", "open_per_image"}) {
        options.erase(key);
      }
    }
    auto network = make();
    network->initialise(Seed(1));
    Task task(control);
    FitContext context{.network = *network, .train = train, .open = open, .task = task};
    context.seed = Seed(2);
    context.checkpoint = checkpoint;
    context.checkpointSeconds = 0;
    context.metric = [&](std::int64_t epoch, const std::string& name, double value) {
      if (name != "seconds") metrics[{epoch, name}] = value;
    };
    registries.recipes.make(recipe, options, "recipe")->fit(context);
    return network;
  }
  static std::unique_ptr<Network> make() {
    return builtinRegistries().networks.make("lenet5", Json::object(), "network",
                                             NetworkShape{1, 12, 12, 4});
  }
};

bool sameWeights(const Network& a, const Network& b) {
  TensorFile one, other;
  addModule(one, a);
  addModule(other, b);
  return std::equal(one.tensors.begin(), one.tensors.end(), other.tensors.begin(),
                    other.tensors.end(), [](const auto& x, const auto& y) {
                      return x.first == y.first && torch::equal(x.second, y.second);
                    });
}

}  // namespace

class TestOutlierExposure : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  /// One step of plain gradient descent moves the weights by the gradient of the loss by hand.
  void theLossIsThePapers() {
    Registries registries = builtinRegistries();
    const NetworkShape shape{1, 6, 6, 3};
    const auto make = [&] {
      auto network = registries.networks.make("mlp", Json::object(), "network", shape);
      network->initialise(Seed(3));
      return network;
    };
    const auto pixels = attack_support::uniform({8, 1, 6, 6}, 1, 0, 1);
    const auto outliers = attack_support::uniform({8, 1, 6, 6}, 2, 0, 1);
    const auto labels = torch::arange(8, torch::kInt64) % 3;
    const TensorImageSet train("train", pixels, labels, {"a", "b", "c"});
    const TensorImageSet open("open", outliers, torch::full({8}, -1, torch::kInt64), {});
    Task task;
    const auto trained = make();
    constexpr double rate = 0.05, lambda = 0.7;
    FitContext context{.network = *trained, .train = train, .open = &open, .task = task};
    registries.recipes
        .make("outlier_exposure",
              {{"exposure", "scratch"},
               {"epochs", 1},
               {"batch_size", 8},
               {"lambda", lambda},
               {"open_per_image", 1},
               {"learning_rate", rate},
               {"schedule", "constant"},
               {"momentum", 0},
               {"weight_decay", 0}},
              "recipe")
        ->fit(context);
    const auto expected = make();
    expected->setNormalisation(trained->named_buffers()["input_mean"].flatten(),
                               trained->named_buffers()["input_deviation"].flatten());
    const auto in = expected->forward(pixels), out = expected->forward(outliers);
    const auto uniform = -torch::log_softmax(out, 1).mean(1);  // cross-entropy to 1/K each
    const auto loss = torch::nn::functional::cross_entropy(in, labels) + lambda * uniform.mean();
    loss.backward();
    for (const auto& item : expected->named_parameters()) {
      const auto moved = item.value() - rate * item.value().grad();
      const auto found = trained->named_parameters()[item.key()];
      QVERIFY2(torch::allclose(found, moved, 1e-4, 1e-6), item.key().c_str());
    }
  }

  /// Plain training first, to the bits of the recipe `standard`; then its own rate, outliers.
  void tunesTheStandardClassifier() {
    const auto train = pictures(60, 1, true), open = pictures(40, 2, false);
    Training standard;
    standard.recipe = "standard";
    const auto plain = standard.fit(train, nullptr);
    QTemporaryDir folder;
    Training tuned;
    tuned.checkpoint = folder.filePath("training.safetensors").toStdString();
    Control control;
    auto stopping = pictures(60, 1, true);
    stopping.control = tuned.control = &control;
    stopping.stopAfter = 10;  // in the tuning
    QVERIFY_EXCEPTION_THROWN(tuned.fit(stopping, &open), Error);
    const auto kept = folder.filePath("training-plain.safetensors").toStdString();
    const auto found = Training::make();
    loadModule(*found, TensorFile::load(kept), kept, "model.");
    QVERIFY(sameWeights(*found, *plain));

    Training whole;
    const auto network = whole.fit(train, &open);
    QVERIFY(!sameWeights(*network, *plain));
    for (const auto& [key, value] : standard.metrics) QCOMPARE(whole.metrics.at(key), value);
    // Epochs 3 and 4 have two steps each, of the cosine over four.
    const auto rate = [](double progress) { return 0.0005 * (1 + std::cos(M_PI * progress)); };
    QCOMPARE(whole.metrics.at({3, "learning_rate"}), rate(0.25));
    QCOMPARE(whole.metrics.at({4, "learning_rate"}), rate(0.75));
    QVERIFY(!whole.metrics.contains({5, "learning_rate"}));
    for (int epoch = 1; epoch <= 4; ++epoch) {
      QCOMPARE(whole.metrics.at({epoch, "stage"}), epoch <= 2 ? 1.0 : 2.0);
    }
    QVERIFY(!standard.metrics.contains({1, "stage"}));
    // Other outliers make another classifier of the same one.
    const auto others = pictures(40, 3, false);
    QVERIFY(!sameWeights(*network, *Training().fit(train, &others)));
    Training lacking;
    QVERIFY_EXCEPTION_THROWN(lacking.fit(train, nullptr), Error);
    QVERIFY(lacking.metrics.empty());  // before any epoch
  }

  /// 1 read for the statistics and 3 an epoch, then 1 and 2 an epoch: stopped at each of them.
  void resumesFromAnywhere() {
    const auto train = pictures(60, 1, true), open = pictures(40, 2, false);
    Training whole;
    const auto expected = whole.fit(train, &open);
    QTemporaryDir folder;
    const auto stopped = [&](Training& training, std::int64_t after) {
      Control control;
      auto stopping = pictures(60, 1, true);
      stopping.control = training.control = &control;
      stopping.stopAfter = after;
      try {
        training.fit(stopping, &open);
      } catch (const Error& error) {
        training.control = nullptr;
        return error.kind() == Error::Kind::Cancelled;
      }
      return false;
    };
    for (std::int64_t after = 1; after <= 12; ++after) {
      Training cut;
      cut.checkpoint = folder.filePath(QString("%1.safetensors").arg(after)).toStdString();
      QVERIFY2(stopped(cut, after), std::to_string(after).c_str());
      cut.metrics.clear();
      QVERIFY2(sameWeights(*cut.fit(train, &open), *expected), std::to_string(after).c_str());
      QVERIFY2(cut.metrics == whole.metrics, std::to_string(after).c_str());
    }
    Training often;
    often.checkpoint = folder.filePath("often.safetensors").toStdString();
    int times = 0;
    while (times < 20 && stopped(often, 3)) ++times;
    QVERIFY2(times >= 3 && times < 20, std::to_string(times).c_str());
    QVERIFY(often.metrics == whole.metrics);
    QVERIFY(QDir(folder.path()).entryList(QDir::Files).isEmpty());
  }

  void outliersBecomeUnsure_data() {
    QTest::addColumn<QString>("exposure");
    QTest::newRow("tuning") << "tuning";
    QTest::newRow("scratch") << "scratch";
  }
  /// On images that it has not seen, of the classes that it has and of those shown as outliers.
  void outliersBecomeUnsure() {
    QFETCH(QString, exposure);
    const Registries registries = builtinRegistries();
    const DatasetCatalogue catalogue(DatasetCatalogue::defaultFolders());
    Task task;
    const auto load = [&](int first, int last, const char* split) {
      const auto request = DatasetRequest::fromJson({{"dataset", "glyphs"},
                                                     {"classes", classesFrom(first, last)},
                                                     {"train_limit", 600},
                                                     {"test_limit", 200}},
                                                    "data");
      return loadDataset(catalogue, request, split, Seed(4).child(split), task);
    };
    const auto train = load(0, 9, "train"), open = load(10, 17, "train");
    const auto in = load(0, 9, "test"), out = load(10, 17, "test");
    // How much surer it is of in images than of outliers; first, its accuracy.
    const auto judge = [&](double lambda) {
      auto network = registries.networks.make("lenet5", Json::object(), "network",
                                              NetworkShape{1, 28, 28, 10});
      network->initialise(Seed(1));
      FitContext context{.network = *network, .train = *train, .open = open.get(), .task = task};
      registries.recipes
          .make("outlier_exposure",
                {{"exposure", exposure.toStdString()},
                 {"lambda", lambda},
                 {"epochs", exposure == "scratch" ? 12 : 5},
                 {"tuning_epochs", 5},
                 {"tuning_batch_size", 32},
                 {"tuning_learning_rate", 0.02}},
                "recipe")
          ->fit(context);
      const torch::NoGradGuard noGrad;
      const auto sure = [&](const ImageSet& set) {
        const auto logits = network->forward(set.range(0, set.size()));
        return std::get<0>(logits.softmax(1).max(1)).mean().item<double>();
      };
      return std::pair(accuracy(*network, *in, torch::kCPU, 64, task), sure(*in) - sure(*out));
    };
    const auto [without, gap] = judge(1e-9);
    const auto [with, widerGap] = judge(0.5);
    QVERIFY2(with > 0.8 && without > 0.8, qPrintable(QString("%1 %2").arg(with).arg(without)));
    QVERIFY2(widerGap > gap + 0.1, qPrintable(QString("%1 %2").arg(widerGap).arg(gap)));
  }

  void theRunRecordsItsOpenSet() {
    Bench bench;
    const auto run = bench.create(exposed());
    bench.execute(run);
    const auto datasets = bench.store->datasets(run);
    const auto open = std::find_if(datasets.begin(), datasets.end(),
                                   [](const auto& one) { return one.role == "open"; });
    QVERIFY(open != datasets.end());
    QCOMPARE(open->name, std::string("letters"));
    QVERIFY(open->count > 100 && open->count <= 400);
    for (const auto& row : bench.store->results(run)) QCOMPARE(row.out, std::string("others"));
  }

  void runsResume_data() {
    QTest::addColumn<int>("metrics");  // six an epoch
    QTest::newRow("in the plain training") << 11;
    QTest::newRow("in the tuning") << 35;
  }
  void runsResume() {
    QFETCH(int, metrics);
    Bench bench;
    const auto whole = bench.create(exposed());
    bench.execute(whole);
    const auto cut = bench.create(exposed());
    try {
      bench.execute(cut, "metric", metrics);
      QFAIL("was not cut short");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), Error::Kind::Cancelled);
    }
    bench.execute(cut);
    QCOMPARE(bench.results(cut), bench.results(whole));
    const auto told = [&](std::int64_t run) {
      std::vector<std::pair<std::int64_t, double>> losses;
      for (const auto& metric : bench.store->epochMetrics(run)) {
        if (metric.name == "loss") losses.emplace_back(metric.epoch, metric.value);
      }
      std::sort(losses.begin(), losses.end());
      return losses;
    };
    QCOMPARE(told(whole).size(), std::size_t{8});
    QVERIFY(told(cut) == told(whole));
  }

  void mayNotBeTestedOn() {
    Bench bench;
    const auto refusal = [&](const Json& json) {
      try {
        bench.create(json);
      } catch (const Error& error) {
        return QString(error.what());
      }
      return QString("accepted");
    };
    QCOMPARE(refusal(exposed()), QString("accepted"));
    Json json = exposed();
    json["data"]["open"]["classes"] = classesFrom(17, 20);
    QVERIFY(refusal(json).contains("data.out[0]"));
    json["data"]["open"]["classes"] = classesFrom(9, 12);
    QVERIFY(refusal(json).contains("data.open"));
    json = exposed();
    json["data"].erase("open");
    QVERIFY(refusal(json).contains("data.open"));
    json = exposed();
    json["classifier"]["recipe"] = "standard";
    QVERIFY(refusal(json).contains("nothing trains with the open set"));
    json = exposed();
    json["data"]["open"] = {{"dataset", "fooling-direct"}};
    QVERIFY(refusal(json).contains("trained classifier"));
    QCOMPARE(Specification::fromJson(exposed(), bench.registries, bench.catalogue)
                 .toJson()
                 .at("data")
                 .at("open")
                 .at("label"),
             Json("letters"));
    const auto spec = Specification::fromJson(exposed(), bench.registries, bench.catalogue);
    QCOMPARE(Specification::fromJson(spec.toJson(), bench.registries, bench.catalogue).hash(),
             spec.hash());
    json = exposed();
    json["data"]["open"]["train_limit"] = 300;
    QVERIFY(Specification::fromJson(json, bench.registries, bench.catalogue).hash() != spec.hash());
  }

  /// What the names do not tell, the images do.
  void copiesAreNoOutliers() {
    const Bench bench;
    const datafiles::Folder folder;
    // Images `first` and following of a sequence of which none of 251 is another's copy.
    const auto put = [&](const std::string& name, int first, int count) {
      return folder
          .put(name,
               datafiles::npy("|u1", std::to_string(count) + ", 28, 28",
                              datafiles::ramp(std::size_t(count) * 784, std::size_t(first) * 784)))
          .string();
    };
    std::string warned;
    const auto load = [&](const Json& json) {
      const auto spec = Specification::fromJson(json, bench.registries, bench.catalogue);
      warned.clear();
      Task task(nullptr, {}, [&](LogLevel level, const std::string& text) {
        if (level == LogLevel::Warning) warned += text;
      });
      return loadExperimentData(spec, bench.catalogue, Seed(1), task);
    };
    Json json = exposed();
    json["data"]["out"] = {{{"path", put("out.npy", 0, 120)}, {"label", "ramps"}}};
    json["data"]["open"] = {{"path", put("open.npy", 120, 110)}};
    const auto apart = load(json);
    QCOMPARE(apart.open.set->size(), std::int64_t{110});
    QCOMPARE(warned, std::string());
    QVERIFY((apart.open.set->shape() == ImageShape{1, 28, 28}));
    // One in a hundred is left out and told, more are refused.
    json["data"]["open"] = {{"path", put("one.npy", 119, 110)}};
    const auto one = load(json);
    QCOMPARE(one.open.set->size(), std::int64_t{109});
    QCOMPARE(one.outs[0].set->size(), std::int64_t{120});
    QVERIFY2(warned.find("1 of the 110 images of the open set 'one.npy' are also test images of "
                         "'ramps'") != std::string::npos,
             warned.c_str());
    json["data"]["open"] = {{"path", put("some.npy", 110, 110)}};
    auto text = datafiles::refusal([&] { load(json); });
    QVERIFY2(text.contains("data.open") && text.contains("shares 10 images"), qPrintable(text));
    json["data"]["open"] = {{"path", put("same.npy", 0, 120)}};
    text = datafiles::refusal([&] { load(json); });
    QVERIFY2(text.contains("every image of the open set 'same.npy'"), qPrintable(text));
    // In images are left out however many they are.
    const std::string labels(60, '\0');
    folder.put("in/train_labels.npy", datafiles::npy("|u1", "60,", labels));
    folder.put("in/test_labels.npy", datafiles::npy("|u1", "20,", labels.substr(0, 20)));
    put("in/train.npy", 0, 60);
    put("in/test.npy", 60, 20);
    json["data"]["in"] = {{"path", (folder.path() / "in").string()}, {"format", "npy"}};
    json["data"]["out"] = {{{"dataset", "noise-uniform"}, {"test_limit", 20}}};
    json["data"]["open"] = {{"path", put("both.npy", 50, 60)}};
    QCOMPARE(load(json).open.set->size(), std::int64_t{30});
    QVERIFY2(warned.find("30 of the 60 images of the open set 'both.npy' are also in images") !=
                 std::string::npos,
             warned.c_str());
  }

  /// Each pass over the images with outliers costs as many passes as there are images in a batch.
  void theEstimateCountsOutliers() {
    const Bench bench;
    Json json = exposed();
    json["data"]["validation_share"] = 0;
    const auto cost = [&](const Json& recipe) {
      json["classifier"]["recipe"] = recipe;
      return estimateCost(Specification::fromJson(json, bench.registries, bench.catalogue),
                          bench.registries, bench.catalogue)
          .trainingImages;
    };
    QCOMPARE(cost({{"type", "outlier_exposure"}, {"epochs", 5}, {"open_per_image", 1.5}}),
             400 * (5 + 10 * 2.5));
    QCOMPARE(cost({{"type", "outlier_exposure"}, {"epochs", 5}, {"exposure", "scratch"}}),
             400 * 5 * 3.0);
  }
};

QTEST_GUILESS_MAIN(TestOutlierExposure)
#include "tst_outlier_exposure.moc"
