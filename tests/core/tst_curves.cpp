// Curves of the AUROC: what a specification may ask for, exactness where a curve meets the results,
// monotony, and resuming.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <thread>

#include "core/attacks/attack.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/text.h"
#include "core/detectors/detector.h"
#include "core/experiment/cost_rates.h"
#include "core/experiment/runner.h"
#include "core/experiment/store_journal.h"
#include "core/nn/network.h"
#include "core/store/run_store.h"
#include "core/training/recipe.h"

using namespace bulwark;

namespace {

Json smallSpecification(const Json& curves) {
  Json json = Json::parse(R"({
    "name": "curves",
    "threads": 1,
    "data": {"in": {"dataset": "glyphs", "train_limit": 300, "test_limit": 50},
             "out": [{"dataset": "noise-uniform", "test_limit": 40},
                     {"dataset": "noise-gaussian", "test_limit": 30}]},
    "classifier": {"network": "lenet5", "recipe": {"type": "standard", "epochs": 1}},
    "detectors": ["msp", "mahalanobis"],
    "attacks": [{"type": "pgd", "label": "pgd", "eps": "8/255", "steps": 5, "restarts": 2}],
    "evaluation": {"bootstrap": 100, "image_pairs": 0, "batch_size": 32}
  })");
  json["curves"] = curves;
  return json;
}

class Bench {
 public:
  Bench() : registries(builtinRegistries()), catalogue(DatasetCatalogue::defaultFolders()) {
    store.emplace(RunStore::open(folder.filePath("runs.db").toStdString()));
  }

  Specification read(const Json& json) const {
    return Specification::fromJson(json, registries, catalogue);
  }

  std::int64_t create(const Json& json) {
    const auto spec = read(json);
    return store->createRun(spec.name, spec.toJson(), spec.seed, spec.device);
  }

  /// Executes until something of the first attacked set is kept, and cancels then.
  void executeIntoFirstSet(std::int64_t run) {
    class Eager : public StoreJournal {
     public:
      using StoreJournal::StoreJournal;
      double secondsWorthKeeping() const override { return 0.0; }
    };
    Control control;
    Eager journal(*store, run, [](const Json&) {});
    Task task(&control);
    std::atomic<bool> ended = false;
    std::thread watcher([&, kept = firstProgress(run) / "0-1.safetensors"] {
      while (!ended && !std::filesystem::exists(kept)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      control.cancel();
    });
    const auto join = [&] {
      ended = true;
      watcher.join();
    };
    try {
      Runner(registries, catalogue).execute(read(store->run(run).specification), journal, task);
    } catch (...) {
      join();
      throw;
    }
    join();
  }

  std::filesystem::path firstProgress(std::int64_t run) const {
    return store->artefactFolder(run) / "progress" / "0";
  }

  /// Executes (or resumes) the run; `stopAt` > 0 cancels when so many attacks of curves begin.
  void execute(std::int64_t run, int stopAt = 0) {
    Control control;
    int begun = 0;
    StoreJournal journal(*store, run, [](const Json&) {});
    std::string phase;
    Task task(&control, [&](const ProgressUpdate& update) {
      if (update.phase == phase) return;
      phase = update.phase;
      if (phase.starts_with("curve over") && ++begun == stopAt) control.cancel();
    });
    Runner(registries, catalogue).execute(read(store->run(run).specification), journal, task);
  }

  std::vector<CurveRecord> curves(std::int64_t run, const std::string& kind) const {
    std::vector<CurveRecord> found;
    for (auto& curve : store->curves(run)) {
      if (curve.kind == kind) found.push_back(std::move(curve));
    }
    return found;
  }

  double auroc(std::int64_t run, const CurveRecord& curve, bool clean) const {
    for (const auto& row : store->results(run)) {
      if (row.detector == curve.detector && row.out == curve.out &&
          row.attack == (clean ? "" : curve.attack) &&
          row.setting == (clean ? "clean" : curve.setting)) {
        return row.auroc;
      }
    }
    return -1.0;
  }

  QTemporaryDir folder;
  Registries registries;
  DatasetCatalogue catalogue;
  std::optional<RunStore> store;
};

Json all() {
  return {{{"over", "epsilon"}, {"values", {"0", "2/255", "8/255", 0.5}}},
          {{"over", "steps"}, {"values", {1, 5}}},
          {{"over", "restarts"}, {"values", {1, 2}}},
          {{"over", "propagations"}}};
}

bool falls(const std::vector<double>& values) {
  return std::is_sorted(values.rbegin(), values.rend());
}

}  // namespace

class TestCurves : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void specificationsAreChecked_data() {
    QTest::addColumn<QString>("curves");
    QTest::addColumn<QString>("where");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* name, const char* curves, const char* where, const char* says) {
      QTest::newRow(name) << curves << where << says;
    };
    row("unknown key", R"([{"over": "steps", "vaules": [1]}])", "curves[0].vaules", "values");
    row("unknown quantity", R"([{"over": "stpes"}])", "curves[0].over", "steps");
    row("unknown attack", R"([{"attack": "pdg"}])", "curves[0].attack", "pgd");
    row("not a list", R"({"over": "steps"})", "curves", "list");
    row("descending", R"([{"values": ["8/255", "4/255"]}])", "curves[0].values[1]", "exceed");
    row("no number", R"([{"values": ["some"]}])", "curves[0].values[0]", "some");
    row("too large", R"([{"values": [0.5, 2]}])", "curves[0].values[1]", "radius 2 of pgd");
    row("half a step", R"([{"over": "steps", "values": [0.5]}])", "curves[0].values[0]", "whole");
    row("chosen passes", R"([{"over": "propagations", "values": [1]}])", "curves[0].values",
        "chosen");
    row("until of steps", R"([{"over": "steps", "until": 0.5}])", "curves[0].until", "epsilon");
    row("twice", R"([{"over": "steps"}, {"over": "steps", "values": [3]}])", "curves[1]", "twice");
  }

  void specificationsAreChecked() {
    QFETCH(QString, curves);
    QFETCH(QString, where);
    QFETCH(QString, says);
    const Bench bench;
    try {
      bench.read(smallSpecification(Json::parse(curves.toStdString())));
      QFAIL("accepted");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), Error::Kind::BadInput);
      QCOMPARE(QString::fromStdString(error.where()), where);
      const QString text = QString(error.what()) + QString::fromStdString(error.hint());
      QVERIFY2(text.contains(says), qPrintable(text));
    }
  }

  void aCurveUnderL2MayPassOne() {
    const Bench bench;
    Json json = smallSpecification(Json::parse(R"([{"values": [0.5, 2]}])"));
    json["attacks"][0]["norm"] = "l2";
    QCOMPARE(bench.read(json).curves[0].values[1], std::string("2"));
  }

  void attacksWithoutTheOptionAreRefused() {
    const Bench bench;
    Json json = smallSpecification({{{"over", "restarts"}}});
    json["attacks"] = {"fgsm"};
    QVERIFY_EXCEPTION_THROWN(bench.read(json), Error);
    json["attacks"] = {"fgsm", "pgd"};
    QVERIFY_EXCEPTION_THROWN(bench.read(json), Error);  // which of the two?
    json["curves"][0]["attack"] = "pgd";
    QCOMPARE(bench.read(json).curves[0].values, (std::vector<std::string>{"1", "2", "5", "10"}));
    json["attacks"] = {"joint"};
    json["curves"][0]["attack"] = "joint";
    QVERIFY_EXCEPTION_THROWN(bench.read(json), Error);  // it has no AUROC
    json["attacks"] = {"pgd"};
    json["curves"][0]["attack"] = "pgd";
    json["evaluation"]["settings"] = {"clean"};
    QVERIFY_EXCEPTION_THROWN(bench.read(json), Error);
    json["evaluation"] = {{"mode", "cross"}};
    QVERIFY_EXCEPTION_THROWN(bench.read(json), Error);
  }

  void attacksWithoutARecordHaveNoCurveOverPropagations_data() {
    QTest::addColumn<QString>("attack");
    QTest::addColumn<bool>("accepted");
    for (const char* type : {"pgd", "apgd", "fgsm", "bim_a", "bim_b", "least_likely", "a3", "caa",
                             "square", "simba", "random_search", "noise_uniform"}) {
      QTest::newRow(type) << QString(R"({"type": "%1"})").arg(type) << true;
    }
    for (const char* type :
         {"cw_l2", "deepfool", "fab", "fab_t", "jsma", "transfer", "autoattack"}) {
      QTest::newRow(type) << QString(R"({"type": "%1"})").arg(type) << false;
    }
    QTest::newRow("last point") << R"({"type": "bim_b", "keep": "last"})" << false;
    QTest::newRow("autoattack without fab")
        << R"({"type": "autoattack", "members": ["apgd_ce", "square"]})" << true;
  }

  void attacksWithoutARecordHaveNoCurveOverPropagations() {
    QFETCH(QString, attack);
    QFETCH(bool, accepted);
    const Bench bench;
    Json json = smallSpecification({{{"over", "propagations"}}});
    json["attacks"] = {Json::parse(attack.toStdString())};
    try {
      bench.read(json);
      QVERIFY(accepted);
    } catch (const Error& error) {
      QVERIFY2(!accepted, error.what());
      QCOMPARE(error.where(), std::string("curves[0].attack"));
      QVERIFY(QString(error.what()).contains("does not record"));
    }
  }

  void anUnexpectedLackOfARecordCostsOneCurve() {
    /// Finds what PGD does, and forgets how it got there.
    class Mute : public Attack {
     public:
      explicit Mute(std::unique_ptr<Attack> pgd) : pgd_(std::move(pgd)) {}
      ThreatModel threat() const override { return pgd_->threat(); }
      std::int64_t forwardsPerImage() const override { return pgd_->forwardsPerImage(); }
      std::int64_t backwardsPerImage() const override { return pgd_->backwardsPerImage(); }
      AttackResult perturb(Objective& objective, const torch::Tensor& images,
                           const AttackContext& context) const override {
        auto result = pgd_->perturb(objective, images, context);
        result.improvements.clear();
        return result;
      }

     private:
      std::unique_ptr<Attack> pgd_;
    };
    Bench bench;
    ComponentInfo info = bench.registries.attacks.info("a3");
    info.name = "mute";
    bench.registries.attacks.add(info, [&bench](const Params& params) {
      const Json options = {{"eps", params.getNumber("eps")}, {"steps", 2}};
      params.getText("norm");
      params.getInt("eot");
      return std::make_unique<Mute>(bench.registries.attacks.make("pgd", options, ""));
    });
    Json json = smallSpecification({{{"over", "propagations"}, {"attack", "mute"}},
                                    {{"over", "restarts"}, {"attack", "pgd"}, {"values", {1, 2}}}});
    json["attacks"].push_back("mute");
    json["detectors"] = {"msp"};
    const auto run = bench.create(json);
    bench.execute(run);
    QVERIFY(bench.curves(run, "auroc-propagations").empty());
    QCOMPARE(bench.curves(run, "auroc-restarts").size(), std::size_t{6});
    QVERIFY(!bench.store->results(run).empty());
    bench.execute(run);  // and nothing stands in the way of a resumption
    QCOMPARE(bench.curves(run, "auroc-restarts").size(), std::size_t{6});
  }

  void specificationsAreKept() {
    const Bench bench;
    const auto spec = bench.read(smallSpecification(all()));
    QCOMPARE(spec.curves.size(), std::size_t{4});
    QCOMPARE(spec.curves[0].values, (std::vector<std::string>{"0", "2/255", "8/255", "0.5"}));
    QCOMPARE(bench.read(spec.toJson()).toJson(), spec.toJson());
    QVERIFY(spec.hash() != bench.read(smallSpecification(Json::array())).hash());
    QVERIFY(!bench.read(smallSpecification(Json::array())).toJson().contains("curves"));
  }

  void curvesMeetTheResults() {
    Bench bench;
    const auto run = bench.create(smallSpecification(all()));
    bench.execute(run);
    const std::size_t expected = 2 * 3 * 2;  // detectors, settings, out sets
    int descents = 0;
    const auto epsilon = bench.curves(run, "auroc-epsilon");
    QCOMPARE(epsilon.size(), expected);
    std::map<std::string, double> least;
    for (const auto& curve : epsilon) {
      QCOMPARE(curve.x.front(), 0.0);
      QCOMPARE(curve.y.front(), bench.auroc(run, curve, true));
      QVERIFY(falls(curve.y));
      descents += curve.y.back() < curve.y.front() ? 1 : 0;
      QVERIFY(curve.x.size() == 4 || curve.setting != "in_out" || curve.y.back() == 0.0);
    }
    QVERIFY(descents > 0);
    for (std::size_t i = 0; i + 2 < epsilon.size(); i += 3) {
      for (std::size_t k = 0; k < epsilon[i].y.size(); ++k) {
        QCOMPARE(epsilon[i + 2].setting, std::string("in_out"));
        QVERIFY(epsilon[i + 2].y[k] <= std::min(epsilon[i].y[k], epsilon[i + 1].y[k]));
      }
    }
    for (const char* kind : {"auroc-steps", "auroc-restarts", "auroc-propagations"}) {
      const auto curves = bench.curves(run, kind);
      QCOMPARE(curves.size(), expected);
      for (const auto& curve : curves) {
        QCOMPARE(curve.y.back(), bench.auroc(run, curve, false));
        if (curve.kind != "auroc-steps") QVERIFY(falls(curve.y));
      }
    }
    for (const auto& curve : bench.curves(run, "auroc-propagations")) {
      QCOMPARE(curve.x.size(), std::size_t{1 + 2 * 5 + 1});
      QCOMPARE(curve.x.front(), 0.0);
      QCOMPARE(curve.y.front(), bench.auroc(run, curve, true));
      QCOMPARE(curve.x.back(), 2.0 * (5 + 1) + 2 * 5);
    }
    // One run with two restarts tells what one with a single restart would have found.
    Json single = smallSpecification(Json::array());
    single["attacks"][0]["restarts"] = 1;
    const auto alone = bench.create(single);
    bench.execute(alone);
    for (const auto& curve : bench.curves(run, "auroc-restarts")) {
      QCOMPARE(curve.y.front(), bench.auroc(alone, curve, false));
    }
  }

  void aFixedStepNeedsOneRun() {
    Bench bench;
    Json json = smallSpecification({{{"over", "steps"}, {"values", {2, 5}}}});
    json["attacks"][0] = {
        {"type", "pgd"}, {"label", "pgd"}, {"eps", "8/255"}, {"step_size", 0.005}, {"steps", 2}};
    json["evaluation"]["rank_saturation"] = false;
    const auto run = bench.create(json);
    bench.execute(run);
    for (const auto& curve : bench.curves(run, "auroc-steps")) {
      QVERIFY(falls(curve.y));
      QCOMPARE(curve.y.front(), bench.auroc(run, curve, false));
    }
    // The run of five steps, and nothing else, was propagated, for both detectors.
    const auto summary = bench.store->run(run).summary;
    QCOMPARE(summary.at("curve_forwards").get<double>(), 2.0 * (50 + 40 + 30) * 6);
    QCOMPARE(summary.at("curve_backwards").get<double>(), 2.0 * (50 + 40 + 30) * 5);
  }

  void theCostCountsCurvesAndKnowsTheRates() {
    Bench bench;
    Json json = smallSpecification(all());
    json["evaluation"]["rank_saturation"] = false;
    const auto estimate = [&](const Json& of, const CostRates& rates) {
      return estimateCost(bench.read(of), bench.registries, bench.catalogue, rates);
    };
    QCOMPARE(earlierRates(*bench.store, bench.read(json), bench.registries, bench.catalogue)
                 .attackPropagations,
             0.0);
    QCOMPARE(estimate(json, {}).seconds, 0.0);
    const auto run = bench.create(json);
    bench.execute(run);
    bench.store->setRunState(run, RunState::Running);
    bench.store->setRunState(run, RunState::Done);
    const Json summary = bench.store->run(run).summary;
    double spent = 0;
    for (const char* key :
         {"attack_forwards", "attack_backwards", "curve_forwards", "curve_backwards"}) {
      spent += summary.at(key).get<double>();
    }
    const double bound = estimate(json, {}).attackPropagations;
    QVERIFY2(spent <= bound && spent > 0.5 * bound, qPrintable(QString::number(spent / bound)));
    const Json plain = smallSpecification(Json::array());
    QVERIFY(estimate(plain, {}).attackPropagations < 0.5 * bound);

    const auto rates =
        earlierRates(*bench.store, bench.read(json), bench.registries, bench.catalogue);
    const double seconds = bench.store->run(run).timings.at("attack").get<double>();
    const double attack =
        summary.at("attack_forwards").get<double>() + summary.at("attack_backwards").get<double>();
    QCOMPARE(rates.attackPropagations, attack / seconds);
    const CostRates known = {.trainingImages = 1000, .attackPropagations = 500};
    const auto cost = estimate(json, known);
    QCOMPARE(cost.seconds, cost.trainingImages / 1000 + cost.attackPropagations / 500);
    QVERIFY(cost.text.find("earlier runs") != std::string::npos);
    json["classifier"]["network"] = "mlp";
    QCOMPARE(earlierRates(*bench.store, bench.read(json), bench.registries, bench.catalogue)
                 .attackPropagations,
             0.0);
  }

  void theSweepEndsAtTheFloor() {
    Bench bench;
    Json json = smallSpecification({{{"over", "epsilon"}, {"until", 0.5}}});
    json["evaluation"]["settings"] = {"clean", "in_out"};
    const auto run = bench.create(json);
    bench.execute(run);
    const auto curves = bench.curves(run, "auroc-epsilon");
    QCOMPARE(curves.size(), std::size_t{2 * 2});
    for (const auto& curve : curves) {
      QCOMPARE(curve.setting, std::string("in_out"));
      QVERIFY(curve.y.back() <= 0.5 && curve.x.size() < 10);
      for (std::size_t k = 0; k + 1 < curve.y.size(); ++k) QVERIFY(curve.y[k] > 0.5);
    }
  }

  void anAttackedSetIsResumedWithin() {
    Bench bench;
    Json json = smallSpecification(Json::array());
    json["detectors"] = {"msp"};
    json["attacks"][0]["steps"] = 20;
    // Many short batches: the first is kept long before the last, however late the watcher looks.
    json["data"]["in"]["test_limit"] = 320;
    json["evaluation"]["batch_size"] = 8;
    json["evaluation"]["image_pairs"] = 6;
    const auto whole = bench.create(json), cut = bench.create(json);
    bench.execute(whole);
    QVERIFY_EXCEPTION_THROWN(bench.executeIntoFirstSet(cut), Error);
    QVERIFY(std::filesystem::exists(bench.firstProgress(cut)));
    QVERIFY(!bench.store->scores(cut, "msp", "pgd", "glyphs", false));
    const auto spent = bench.firstProgress(cut) / "seconds";
    QVERIFY(parseFraction(readFile(spent)).value_or(0.0) > 0.0);
    writeFileAtomically(spent, std::string("1000.5"));
    bench.execute(cut);
    QVERIFY(!std::filesystem::exists(bench.firstProgress(cut)));
    // All that an execution cut short has counted of the propagations, it has counted of the time.
    const double resumed = bench.store->scores(cut, "msp", "pgd", "glyphs", false)->seconds;
    QVERIFY2(resumed > 1000.5 && resumed < 1500.0, qPrintable(QString::number(resumed)));
    QVERIFY(bench.store->scores(cut, "msp", "pgd", "noise-uniform", true)->seconds < 500.0);
    const auto expected = bench.store->scoreSets(whole), found = bench.store->scoreSets(cut);
    QCOMPARE(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      QCOMPARE(found[i].attack, expected[i].attack);
      QVERIFY(found[i].scores == expected[i].scores);
      QVERIFY(found[i].saturated == expected[i].saturated);
      QVERIFY(found[i].trajectory == expected[i].trajectory);
      QCOMPARE(found[i].forwards, expected[i].forwards);
      QCOMPARE(found[i].backwards, expected[i].backwards);
    }
    const auto pairs = bench.store->imagePairs(cut), others = bench.store->imagePairs(whole);
    QCOMPARE(pairs.size(), others.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      QVERIFY(pairs[i].after == others[i].after && pairs[i].steps == others[i].steps);
      QVERIFY(pairs[i].stepScores == others[i].stepScores);
    }
  }

  void theAuditsAreNoPartOfAnAttacksTime() {
    using namespace std::chrono_literals;
    Bench bench;
    Json json = smallSpecification(Json::array());
    json["data"]["out"].erase(1);
    json["detectors"] = {"msp"};
    const auto run = bench.create(json);
    const auto spec = bench.read(json);
    StoreJournal journal(*bench.store, run, [](const Json&) {});
    std::string phase;
    int delays = 0;
    Task task(nullptr, [&](const ProgressUpdate& update) {
      if (update.phase == phase) return;
      phase = update.phase;
      if (!phase.starts_with("score again")) return;
      ++delays;
      std::this_thread::sleep_for(1500ms);
    });
    Runner(bench.registries, bench.catalogue).execute(spec, journal, task);
    QCOMPARE(delays, 2);
    for (const auto& [set, out] : {std::pair{"glyphs", false}, std::pair{"noise-uniform", true}}) {
      const double seconds = bench.store->scores(run, "msp", "pgd", set, out)->seconds;
      QVERIFY2(seconds > 0.0 && seconds < 1.5, qPrintable(QString::number(seconds)));
    }
  }

  void aCutShortCurveEndsTheSame() {
    Bench bench;
    const auto whole = bench.create(smallSpecification(all()));
    bench.execute(whole);
    const auto cut = bench.create(smallSpecification(all()));
    for (const int stop : {2, 4, 9}) QVERIFY_EXCEPTION_THROWN(bench.execute(cut, stop), Error);
    bench.execute(cut);
    const auto expected = bench.store->curves(whole), found = bench.store->curves(cut);
    QCOMPARE(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      QCOMPARE(found[i].kind, expected[i].kind);
      QVERIFY(found[i].x == expected[i].x && found[i].y == expected[i].y);
    }
    for (const char* key : {"curve_forwards", "curve_backwards"}) {
      QCOMPARE(bench.store->run(cut).summary.at(key), bench.store->run(whole).summary.at(key));
    }
  }
};

QTEST_GUILESS_MAIN(TestCurves)
#include "tst_curves.moc"
