#include <filesystem>
#include <optional>

#include "core/attacks/attack.h"
#include "core/attacks/fooling.h"
#include "core/base/error.h"
#include "core/data/image_set.h"
#include "core/detectors/detector.h"
#include "core/experiment/runner.h"
#include "core/experiment/store_journal.h"
#include "core/store/run_store.h"
#include "tests/support/tiny_net.h"

using namespace bulwark;

namespace {

FoolingPlan planOf(FoolingPlan::Encoding encoding) {
  FoolingPlan plan;
  plan.encoding = encoding;
  plan.count = 7;
  plan.generations = 60;
  plan.population = 20;
  plan.confidence = 0.9;
  return plan;
}

Json smallSpecification() {
  return Json::parse(R"({
    "name": "fooling", "threads": 1,
    "data": {"in": {"dataset": "glyphs", "classes": ["0", "1", "2"], "train_limit": 600,
                    "test_limit": 250, "size": 12},
             "out": [{"dataset": "fooling-direct", "test_limit": 4},
                     {"dataset": "noise-uniform", "test_limit": 10}]},
    "classifier": {"network": "mlp", "recipe": {"type": "standard", "epochs": 25}},
    "detectors": [{"type": "msp"}],
    "attacks": [],
    "evaluation": {"bootstrap": 100, "image_pairs": 1, "batch_size": 64}
  })");
}

}  // namespace

/// Images evolved against a classifier.
class TestFooling : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  void evolve_data() {
    QTest::addColumn<bool>("direct");
    QTest::addRow("direct") << true;
    QTest::addRow("cppn") << false;
  }
  /// Accepted images have the confidence, lie in the box, and depend on the seed alone.
  void evolve() {
    QFETCH(bool, direct);
    TinyNet net;
    const auto plan = planOf(direct ? FoolingPlan::Encoding::Direct : FoolingPlan::Encoding::Cppn);
    Task task;
    const auto run = [&](std::uint64_t seed, std::int64_t count) {
      auto some = plan;
      some.count = count;
      return evolveFooling(net, some, torch::kCPU, Seed{seed}, task);
    };
    const auto made = run(3, plan.count);
    QVERIFY(made.images.size(0) >= 3);
    QCOMPARE(made.images.size(0) + made.rejected, plan.count);
    QVERIFY(made.images.min().item<double>() >= 0 && made.images.max().item<double>() <= 1);
    const auto p = torch::softmax(net.forward(made.images).to(torch::kFloat64), 1);
    const auto sure = p.gather(1, made.labels.unsqueeze(1)).squeeze(1);
    QVERIFY((sure > plan.confidence - 1e-6).all().item<bool>());
    QVERIFY(torch::allclose(sure, made.confidences, 0, 1e-5));
    // A smaller set is the beginning of a larger one.
    const auto fewer = run(3, 5);
    const std::int64_t kept = fewer.images.size(0);
    QVERIFY(kept > 0 && kept < made.images.size(0));
    QVERIFY(torch::equal(fewer.images, made.images.slice(0, 0, kept)));
    const auto other = run(4, plan.count);
    QVERIFY(other.images.sizes() != made.images.sizes() ||
            !torch::equal(other.images, made.images));
  }

  void cancels() {
    TinyNet net;
    Control control;
    control.cancel();
    Task task(&control);
    QVERIFY_EXCEPTION_THROWN(
        evolveFooling(net, planOf(FoolingPlan::Encoding::Direct), torch::kCPU, Seed{1}, task),
        Error);
  }

  /// A run makes the set after its classifier, keeps it, and finds it again.
  void inARun() {
    QTemporaryDir folder;
    auto store = RunStore::open(folder.filePath("runs.db").toStdString());
    const auto registries = builtinRegistries();
    const DatasetCatalogue catalogue(DatasetCatalogue::defaultFolders());
    const auto spec = Specification::fromJson(smallSpecification(), registries, catalogue);
    const auto run = store.createRun(spec.name, spec.toJson(), spec.seed, spec.device);
    StoreJournal journal(store, run, [](const Json&) {});
    Task task;
    Runner(registries, catalogue).execute(spec, journal, task);
    const auto datasets = store.datasets(run);
    const auto find = [](const std::vector<DatasetRecord>& records) {
      for (const auto& record : records) {
        if (record.name == "fooling-direct") return record;
      }
      return DatasetRecord{};
    };
    const auto first = find(datasets);
    QVERIFY(first.details.value("evolved", false));
    QVERIFY(!first.fingerprint.empty());
    const auto scores = journal.finishedScores("msp", "", "fooling-direct", true);
    QVERIFY(scores.has_value());
    // The maximum softmax probability is what they were selected for.
    for (const double score : scores->scores) QVERIFY(score < -0.9 || score < 0.1);
    QCOMPARE(first.details.at("options").at("generations").get<int>(), 200);
    // A second execution of the run takes them from its folder.
    Runner(registries, catalogue).execute(spec, journal, task);
    QCOMPARE(find(store.datasets(run)).fingerprint, first.fingerprint);
  }

  /// The options of an entry reach the evolution and distinguish runs.
  void options() {
    const auto registries = builtinRegistries();
    const DatasetCatalogue catalogue(DatasetCatalogue::defaultFolders());
    const auto read = [&](const Json& options) {
      Json json = smallSpecification();
      json["data"]["out"][0]["options"] = options;
      return Specification::fromJson(json, registries, catalogue);
    };
    const auto usual = read(Json::object());
    QCOMPARE(usual.out[0].options.size(), std::size_t{5});
    QCOMPARE(usual.out[0].options.at("mutation").get<double>(), 0.015);
    QVERIFY(usual.out[1].options.empty() && !usual.out[1].toJson().contains("options"));
    const Json given = {{"generations", 30}, {"population", 20}, {"confidence", 0.7}};
    const auto spec = read(given);
    QVERIFY(spec.hash() != usual.hash());
    QCOMPARE(Specification::fromJson(spec.toJson(), registries, catalogue).hash(), spec.hash());

    QTemporaryDir folder;
    auto store = RunStore::open(folder.filePath("runs.db").toStdString());
    std::string prints[2];
    for (const int i : {0, 1}) {
      auto changed = given;
      changed["mutation"] = i == 0 ? 0.015 : 0.3;
      const auto asked = read(changed);
      const auto run = store.createRun(asked.name, asked.toJson(), asked.seed, asked.device);
      StoreJournal journal(store, run, [](const Json&) {});
      Task task;
      Runner(registries, catalogue).execute(asked, journal, task);
      for (const auto& record : store.datasets(run)) {
        if (record.name != "fooling-direct") continue;
        QCOMPARE(record.details.at("confidence").get<double>(), 0.7);
        QCOMPARE(record.details.at("population").get<int>(), 20);
        QVERIFY(record.details.at("options") == asked.out[0].options);
        prints[i] = record.fingerprint;
      }
    }
    QVERIFY(!prints[0].empty() && prints[0] != prints[1]);

    const auto refused = [&](std::size_t entry, const Json& options, const char* where) {
      Json json = smallSpecification();
      json["data"]["out"][entry]["options"] = options;
      try {
        Specification::fromJson(json, registries, catalogue);
        QFAIL("accepted");
      } catch (const Error& error) {
        QCOMPARE(error.exitCode(), 2);
        QCOMPARE(QString::fromStdString(error.where()), QString(where));
        QVERIFY(!error.hint().empty());
      }
    };
    refused(0, {{"generation", 30}}, "data.out[0].options.generation");
    refused(0, {{"population", 2}}, "data.out[0].options.population");
    refused(0, {{"confidence", 1.5}}, "data.out[0].options.confidence");
    refused(0, 3, "data.out[0].options");
    refused(1, {{"generations", 30}}, "data.out[1].options");  // plain noise
    Json cppn = smallSpecification();
    cppn["data"]["out"][0]["dataset"] = "fooling-cppn";
    cppn["data"]["out"][0]["options"] = {{"mutation", 0.1}};  // of the direct encoding only
    QVERIFY_EXCEPTION_THROWN(Specification::fromJson(cppn, registries, catalogue), Error);
  }

  void needsAClassifierAndARun() {
    const DatasetCatalogue catalogue(DatasetCatalogue::defaultFolders());
    DatasetRequest request;
    request.dataset = "fooling-cppn";
    Task task;
    QVERIFY_EXCEPTION_THROWN(loadDataset(catalogue, request, "test", Seed{1}, task), Error);
  }
};

QTEST_GUILESS_MAIN(TestFooling)
#include "tst_fooling.moc"
