// The runner end to end on small generated data: what a result must obey, and that a cut-short
// execution ends with the same numbers.
#include <map>

#include "core/attacks/attack.h"
#include "core/base/error.h"
#include "core/detectors/detector.h"
#include "core/experiment/runner.h"
#include "core/experiment/store_journal.h"
#include "core/nn/network.h"
#include "core/store/run_store.h"
#include "core/training/recipe.h"

using namespace bulwark;

namespace {

Json smallSpecification() {
  return Json::parse(R"({
    "name": "small",
    "threads": 1,
    "data": {"in": {"dataset": "glyphs", "train_limit": 400, "test_limit": 60},
             "out": [{"dataset": "noise-uniform", "test_limit": 60},
                     {"dataset": "noise-gaussian", "test_limit": 40}]},
    "classifier": {"network": "lenet5", "recipe": {"type": "standard", "epochs": 2}},
    "detectors": [{"type": "msp"}, {"type": "energy"}, {"type": "mahalanobis"},
                  {"type": "knn", "k": 5}],
    "attacks": [{"type": "pgd", "eps": "8/255", "steps": 6}],
    "evaluation": {"bootstrap": 100, "image_pairs": 4, "batch_size": 32}
  })");
}

class Bench {
 public:
  Bench() : registries(builtinRegistries()), catalogue(DatasetCatalogue::defaultFolders()) {
    store.emplace(RunStore::open(folder.filePath("runs.db").toStdString()));
  }

  std::int64_t create(const Json& json) {
    const auto spec = Specification::fromJson(json, registries, catalogue);
    return store->createRun(spec.name, spec.toJson(), spec.seed, spec.device);
  }

  /// Executes (or resumes) the run; `stopAfter` > 0 cancels after so many events of that kind.
  void execute(std::int64_t run, const std::string& stopAt = {}, int stopAfter = 0) {
    Control control;
    int seen = 0;
    StoreJournal journal(*store, run, [&](const Json& event) {
      if (event.at("event") == stopAt && ++seen == stopAfter) control.cancel();
    });
    Task task(&control);
    const auto spec = Specification::fromJson(store->run(run).specification, registries, catalogue);
    Runner(registries, catalogue).execute(spec, journal, task);
  }

  std::string results(std::int64_t run) const {
    Json json = Json::array();
    for (const auto& row : store->results(run)) json.push_back(row.toJson());
    return json.dump();
  }

  QTemporaryDir folder;
  Registries registries;
  DatasetCatalogue catalogue;
  std::optional<RunStore> store;
};

using Key = std::tuple<std::string, std::string, std::string>;

std::map<Key, std::map<std::string, double>> byCell(const std::vector<ResultRow>& rows) {
  std::map<Key, std::map<std::string, double>> cells;
  for (const auto& row : rows) {
    cells[{row.detector, row.attack, row.out}][row.setting] = row.auroc;
  }
  return cells;
}

}  // namespace

class TestRunner : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void resultsAreCompleteAndConsistent() {
    Bench bench;
    const auto run = bench.create(smallSpecification());
    bench.execute(run);
    const auto rows = bench.store->results(run);
    QCOMPARE(rows.size(), std::size_t{4 * 2 * 4});
    auto cells = byCell(rows);
    for (const auto& row : rows) {
      QVERIFY(row.ciLow <= row.auroc + 1e-12 && row.auroc <= row.ciHigh + 1e-12);
      if (row.attack.empty()) continue;
      const double clean = cells[{row.detector, "", row.out}]["clean"];
      auto& cell = cells[{row.detector, row.attack, row.out}];
      QVERIFY(cell["in"] <= clean);
      QVERIFY(cell["out"] <= clean);
      QVERIFY(cell["in_out"] <= std::min(cell["in"], cell["out"]));
      QVERIFY(cell["in_out"] < clean);  // the attack does something
    }
    // Per sample, too; and the in set was attacked once for both out sets.
    int attackedIn = 0;
    for (const auto& set : bench.store->scoreSets(run)) {
      if (set.attack.empty()) continue;
      if (!set.out) ++attackedIn;
      const auto clean = bench.store->scores(run, set.detector, "", set.dataset, set.out);
      QVERIFY(clean.has_value());
      for (std::size_t i = 0; i < set.scores.size(); ++i) {
        const double change = (set.scores[i] - clean->scores[i]) * (set.out ? -1 : 1);
        QVERIFY2(change >= 0, qPrintable(QString::number(change)));
      }
    }
    QCOMPARE(attackedIn, 4);
    const Json summary = bench.store->run(run).summary;
    QVERIFY(summary.at("accuracy_clean").get<double>() >
            summary.at("accuracy_attacked").at("pgd").get<double>());
    QVERIFY2(summary.at("health").get<std::string>().find("red") == std::string::npos,
             summary.at("health").get<std::string>().c_str());
    QCOMPARE(bench.store->imagePairs(run, true).size(), std::size_t{4 * 3 * 4});
    QCOMPARE(bench.store->datasets(run).size(), std::size_t{5});
  }

  void rankSaturationChangesNoRankMetric() {
    Bench bench;
    Json json = smallSpecification();
    const auto with = bench.create(json);
    json["evaluation"]["rank_saturation"] = false;
    const auto without = bench.create(json);
    bench.execute(with);
    bench.execute(without);
    QCOMPARE(bench.results(with), bench.results(without));
    std::int64_t saved = 0;
    for (const auto& set : bench.store->scoreSets(without)) saved += set.forwards;
    for (const auto& set : bench.store->scoreSets(with)) saved -= set.forwards;
    QVERIFY2(saved > 0, "the comparison is empty unless some samples left early");
  }

  void epsilonZeroIsClean() {
    Bench bench;
    Json json = smallSpecification();
    json["attacks"][0]["eps"] = 0;
    const auto run = bench.create(json);
    bench.execute(run);
    auto cells = byCell(bench.store->results(run));
    for (const auto& [key, settings] : cells) {
      const auto& [detector, attack, out] = key;
      if (attack.empty()) continue;
      for (const auto& [setting, auroc] : settings) {
        QCOMPARE(auroc, (cells[{detector, "", out}]["clean"]));
      }
    }
  }

  void aSpecificationGivesTheSameResultsTwice() {
    Bench bench;
    const auto first = bench.create(smallSpecification());
    const auto second = bench.create(smallSpecification());
    bench.execute(first);
    bench.execute(second);
    QCOMPARE(bench.results(first), bench.results(second));
    Json json = smallSpecification();
    json["seed"] = 1;
    const auto third = bench.create(json);
    bench.execute(third);
    QVERIFY(bench.results(third) != bench.results(first));
  }

  void aCutShortExecutionEndsTheSame() {
    Bench bench;
    const auto whole = bench.create(smallSpecification());
    bench.execute(whole);
    const auto cut = bench.create(smallSpecification());
    QVERIFY_EXCEPTION_THROWN(bench.execute(cut, "metric", 1), Error);  // in training
    QVERIFY_EXCEPTION_THROWN(bench.execute(cut, "scores", 2), Error);  // in clean scoring
    QVERIFY_EXCEPTION_THROWN(bench.execute(cut, "scores", 3), Error);  // in the attacks
    bench.execute(cut);
    QCOMPARE(bench.results(cut), bench.results(whole));
  }

  void openSplitKnowsSomeClasses() {
    Bench bench;
    Json json = smallSpecification();
    json["data"]["protocol"] = {{"type", "open-split"}, {"known", {0, 2, 4, 6}}};
    json["data"]["out"] = Json::array();
    json["detectors"] = {{{"type", "msp"}}};
    const auto run = bench.create(json);
    bench.execute(run);
    const auto rows = bench.store->results(run);
    QCOMPARE(rows.size(), std::size_t{4});
    QCOMPARE(rows[0].out, std::string("unknown-classes"));
    QVERIFY(rows[0].nIn < 60 && rows[0].nIn + rows[0].nOut == 60);
  }

  void sharedImagesAreRefused() {
    // The same pictures as in and as out under two paths.
    Bench bench;
    const auto pixels = torch::randint(0, 256, {40, 8, 8}, torch::kUInt8);
    const auto write = [&](const QString& name) {
      QFile file(bench.folder.filePath(name));
      QVERIFY(file.open(QIODevice::WriteOnly));
      std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (40, 8, 8), }";
      header.resize(118 - 1, ' ');
      header += '\n';
      file.write("\x93NUMPY\x01\x00", 8);
      const char length[2] = {118, 0};
      file.write(length, 2);
      file.write(header.data(), 118);
      file.write(reinterpret_cast<const char*>(pixels.data_ptr<std::uint8_t>()), 40 * 64);
    };
    write("a.npy");
    Json json = smallSpecification();
    json["data"]["in"] = {
        {"dataset", "glyphs"}, {"train_limit", 50}, {"test_limit", 20}, {"size", 8}};
    json["data"]["out"] = {
        {{"path", bench.folder.filePath("a.npy").toStdString()}, {"format", "npy"}}};
    json["detectors"] = {{{"type", "msp"}}};
    json["classifier"]["network"] = "mlp";
    bench.execute(bench.create(json));  // disjoint sets are fine
    json["data"]["in"] = {{"path", bench.folder.filePath("a.npy").toStdString()},
                          {"format", "npy"}};
    QVERIFY_EXCEPTION_THROWN(Specification::fromJson(json, bench.registries, bench.catalogue),
                             Error);
  }

  void costIsAnUpperBound() {
    Bench bench;
    const auto spec =
        Specification::fromJson(smallSpecification(), bench.registries, bench.catalogue);
    const auto cost = estimateCost(spec, bench.registries, bench.catalogue);
    const auto run = bench.create(smallSpecification());
    bench.execute(run);
    double spent = 0;
    for (const auto& set : bench.store->scoreSets(run)) {
      if (!set.attack.empty()) spent += static_cast<double>(set.forwards + set.backwards);
    }
    QVERIFY(spent > 0 && spent <= cost.attackPropagations);
    QVERIFY(!cost.text.empty());
  }
};

QTEST_GUILESS_MAIN(TestRunner)
#include "tst_runner.moc"
