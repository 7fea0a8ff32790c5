#include <QtTest/QtTest>

#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/store/run_store.h"
#include "sample_runs.h"
#include "store_checks.h"

using namespace bulwark;
using samples::contains;
using samples::messageOf;
namespace fs = std::filesystem;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool same(const ImagePair& a, const ImagePair& b) {
  return a.detector == b.detector && a.attack == b.attack && a.dataset == b.dataset &&
         a.out == b.out && a.sample == b.sample && a.label == b.label && a.channels == b.channels &&
         a.height == b.height && a.width == b.width && a.before == b.before && a.after == b.after &&
         a.scoreBefore == b.scoreBefore && a.scoreAfter == b.scoreAfter && a.steps == b.steps &&
         a.stepNumbers == b.stepNumbers && a.stepScores == b.stepScores;
}

bool same(const ScoreSet& a, const ScoreSet& b) {
  return a.detector == b.detector && a.attack == b.attack && a.dataset == b.dataset &&
         a.out == b.out && a.scores == b.scores && a.saturated == b.saturated &&
         a.trajectory == b.trajectory && a.forwards == b.forwards && a.backwards == b.backwards &&
         a.seconds == b.seconds;
}

ScoreSet smallSet(double first) {
  ScoreSet set;
  set.detector = "knn";
  set.attack = "pgd";
  set.dataset = "glyphs";
  set.out = true;
  set.scores = {first, -0.0, 1e-300, 1e300};
  set.saturated = {0, 1, 0, 1};
  set.trajectory = {3, 2, 1};
  set.forwards = 12;
  set.backwards = 8;
  set.seconds = 0.25;
  return set;
}

}  // namespace

/// Everything that is put comes back as it was, in order, and goes when its run goes.
class TestStore : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    folder_ = std::make_unique<QTemporaryDir>();
    QVERIFY(folder_->isValid());
    root_ = folder_->path().toStdString();
    path_ = root_ / "deep" / "runs.db";
  }

  void sampleRunComesBack() {
    auto store = RunStore::open(path_);
    const auto id = addSampleRun(store, "sample", 1);
    const RunRecord run = store.run(id);
    QCOMPARE(run.name, std::string("sample"));
    QVERIFY(run.state == RunState::Done);
    QVERIFY(run.created.size() == 24 && run.created.back() == 'Z' && run.created[10] == 'T');
    QVERIFY(run.started >= run.created && run.finished >= run.started);
    QCOMPARE(run.specification, samples::specification("sample", 1));
    QVERIFY(run.summary.at("accuracy_clean").get<double>() > 0.8);
    QCOMPARE(run.environment.at("threads").get<int>(), 2);
    QCOMPARE(store.results(id).size(), std::size_t{32});
    QCOMPARE(store.curves(id).size(), std::size_t{32});
    QCOMPARE(store.scoreSets(id).size(), std::size_t{24});
    QCOMPARE(store.imagePairs(id, true).size(), std::size_t{144});
    QCOMPARE(store.datasets(id).size(), std::size_t{5});
    QCOMPARE(store.epochMetrics(id).size(), std::size_t{20});
    QCOMPARE(store.log(id).size(), std::size_t{10});
  }

  void sampleRunIsConsistent() {
    auto store = RunStore::open(path_);
    const auto id = addSampleRun(store, "sample", 7);
    const auto inClean = store.scores(id, "msp", "", "fashion-mnist", false);
    const auto inAttacked = store.scores(id, "msp", "pgd", "fashion-mnist", false);
    QVERIFY(inClean && inAttacked);
    for (std::size_t i = 0; i < inClean->scores.size(); ++i) {
      QVERIFY(inAttacked->scores[i] >= inClean->scores[i]);
    }
    std::map<std::string, double> auroc;
    for (const auto& row : store.results(id)) {
      if (row.detector == "msp" && row.out == "glyphs") auroc[row.setting] = row.auroc;
    }
    QCOMPARE(auroc.size(), std::size_t{4});
    QVERIFY(auroc["clean"] > 0.6 && auroc["clean"] < 1.0);
    QVERIFY(auroc["clean"] > auroc["in"] && auroc["clean"] > auroc["out"]);
    QVERIFY(auroc["in_out"] < std::min(auroc["in"], auroc["out"]));
    auto other = RunStore::open(root_ / "other.db");
    const auto twin = addSampleRun(other, "sample", 7);
    QCOMPARE(other.scores(twin, "msp", "", "fashion-mnist", false)->scores, inClean->scores);
  }

  void runFieldsComeBack() {
    auto store = RunStore::open(path_);
    const Json specification = Json::parse(R"({"z": 1, "a": [1.5, null, "8/255"], "m": {}})");
    const std::uint64_t seed = 0xfedcba9876543210ULL;
    const auto id = store.createRun("näme \"x\"; DROP TABLE run", specification, seed, "auto");
    store.setRunNote(id, "line one\nline two");
    store.setRunName(id, "renamed");
    store.setRunEnvironment(id, {{"device", "cuda:0"}}, "cuda:0");
    store.setRunSummary(id, {{"health", "ok"}}, {{"train", 1.25}});
    store.setRunPinned(id, true);
    const RunRecord run = RunStore::open(path_, RunStore::Mode::ReadOnly).run(id);
    QCOMPARE(run.name, std::string("renamed"));
    QCOMPARE(run.note, std::string("line one\nline two"));
    QCOMPARE(run.device, std::string("cuda:0"));
    QCOMPARE(run.seed, seed);
    QCOMPARE(run.specification.dump(), specification.dump());
    QCOMPARE(run.timings.at("train").get<double>(), 1.25);
    QVERIFY(run.pinned && run.state == RunState::Queued && run.started.empty());
    QCOMPARE(run.uuid.size(), std::size_t{36});
    QVERIFY(!store.findRun(id + 1));
    QVERIFY(contains(messageOf([&] { store.run(id + 1); }), "there is no run"));
    QVERIFY(contains(messageOf([&] { store.setRunNote(id + 1, "x"); }), "there is no run"));
  }

  void listingIsNewestFirstAndPinnedBefore() {
    auto store = RunStore::open(path_);
    std::vector<std::int64_t> ids;
    for (int i = 0; i < 4; ++i) ids.push_back(store.createRun("r", Json{{"i", i}}, 0, "cpu"));
    store.setRunPinned(ids[1], true);
    std::vector<std::int64_t> listed;
    for (const auto& run : store.runs(true)) {
      listed.push_back(run.id);
      QVERIFY(run.specification.is_null());
    }
    QCOMPARE(listed, (std::vector<std::int64_t>{ids[1], ids[3], ids[2], ids[0]}));
    QCOMPARE(store.runs().front().specification.at("i").get<int>(), 1);
  }

  void scoresAndPairsComeBackBitForBit() {
    auto store = RunStore::open(path_);
    const auto run = store.createRun("r", {}, 0, "cpu");
    Random random(Seed(3));
    const ScoreSet set = smallSet(0.1);
    std::vector<ImagePair> pairs = {samples::imagePair(set, 0, 1.0, 0.5, random),
                                    samples::imagePair(set, 2, 0.7, -0.5, random)};
    pairs[1].steps.clear();
    pairs[1].stepNumbers.clear();
    pairs[1].stepScores.clear();
    store.putScores(run, set, pairs);
    const auto read = store.scores(run, "knn", "pgd", "glyphs", true);
    QVERIFY(read && same(*read, set));
    QVERIFY(std::signbit(read->scores[1]));
    QVERIFY(!store.scores(run, "knn", "pgd", "glyphs", false));
    const auto back = store.imagePairs(run);
    QCOMPARE(back.size(), std::size_t{2});
    QVERIFY(same(back[0], pairs[0]) && same(back[1], pairs[1]));
    QVERIFY(same(store.imagePair(back[1].id), pairs[1]));
    const auto brief = store.imagePairs(run, true);
    QVERIFY(brief[0].before.empty() && brief[0].steps.empty());
    QCOMPARE(brief[0].stepScores, pairs[0].stepScores);
    QVERIFY(contains(messageOf([&] { store.imagePair(99); }), "no image pair 99"));
  }

  void puttingScoresAgainReplacesThemWithTheirPairs() {
    auto store = RunStore::open(path_);
    const auto run = store.createRun("r", {}, 0, "cpu");
    Random random(Seed(3));
    store.putScores(run, smallSet(1), {samples::imagePair(smallSet(1), 0, 1, 0, random)});
    ScoreSet clean = smallSet(5);
    clean.attack.clear();
    store.putScores(run, clean, {});
    store.putScores(run, smallSet(2), {samples::imagePair(smallSet(2), 3, 1, 0, random)});
    QCOMPARE(store.scoreSets(run).size(), std::size_t{2});
    QCOMPARE(store.scores(run, "knn", "pgd", "glyphs", true)->scores[0], 2.0);
    QCOMPARE(store.scores(run, "knn", "", "glyphs", true)->scores[0], 5.0);
    const auto pairs = store.imagePairs(run, true);
    QCOMPARE(pairs.size(), std::size_t{1});
    QCOMPARE(pairs[0].sample, std::int64_t{3});
  }

  void contradictingSizesAreRefusedWhole() {
    auto store = RunStore::open(path_);
    const auto run = store.createRun("r", {}, 0, "cpu");
    Random random(Seed(3));
    ScoreSet set = smallSet(1);
    set.saturated.pop_back();
    QVERIFY(contains(messageOf([&] { store.putScores(run, set, {}); }), "3 marks"));
    ImagePair pair = samples::imagePair(smallSet(1), 0, 1, 0, random);
    pair.after.pop_back();
    QVERIFY(contains(messageOf([&] { store.putScores(run, smallSet(1), {pair}); }), "sample 0"));
    CurveRecord curve{"knn", "", "clean", "glyphs", "roc", {0, 1}, {0}};
    QVERIFY(contains(messageOf([&] { store.putResults(run, {ResultRow{}}, {curve}); }), "2 x"));
    QVERIFY(contains(messageOf([&] { store.putScores(run + 1, smallSet(1), {}); }), "no run"));
    QVERIFY(store.scoreSets(run).empty() && store.results(run).empty());
  }

  void resultsCurvesAndMetricsKeepNanAndInfinity() {
    auto store = RunStore::open(path_);
    const auto run = store.createRun("r", {}, 0, "cpu");
    ResultRow row;
    row.detector = "msp";
    row.setting = "clean";
    row.out = "glyphs";
    row.auroc = 1.0 / 3;
    row.ciLow = kNan;
    row.nIn = 7;
    row.extra = {{"tie_share", 0.5}};
    const CurveRecord curve{"msp", "", "clean", "glyphs", "pr", {0, 0.5, 1}, {1, kNan, 0.1}};
    ResultRow other = row;
    other.out = "noise";
    store.putResults(run, {row, other}, {});
    // The same cell twice is a mistake of the caller, and costs nothing of what is stored.
    QVERIFY(contains(messageOf([&] { store.putResults(run, {row, row}, {}); }), "UNIQUE"));
    QCOMPARE(store.results(run).size(), std::size_t{2});
    store.putResults(run, {row}, {curve});
    const auto rows = store.results(run);
    QCOMPARE(rows.size(), std::size_t{1});
    QVERIFY(rows[0].auroc == 1.0 / 3 && std::isnan(rows[0].ciLow) && rows[0].nIn == 7);
    QCOMPARE(rows[0].extra, row.extra);
    const auto curves = store.curves(run);
    QCOMPARE(curves.size(), std::size_t{1});
    QCOMPARE(curves[0].kind, std::string("pr"));
    QCOMPARE(curves[0].x, curve.x);
    QVERIFY(std::isnan(curves[0].y[1]));
    const double infinity = std::numeric_limits<double>::infinity();
    store.putEpochMetrics(run, {{"train", 1, "loss", kNan}, {"train", 2, "loss", infinity}});
    store.putEpochMetrics(run, {{"train", 2, "loss", 0.5}, {"train", 3, "loss", 0.25}});
    const auto metrics = store.epochMetrics(run);
    QCOMPARE(metrics.size(), std::size_t{3});
    QVERIFY(std::isnan(metrics[0].value));
    QCOMPARE(metrics[1].value, 0.5);
    QCOMPARE(metrics[2].epoch, std::int64_t{3});
  }

  void logsAndArtefactsComeBack() {
    auto store = RunStore::open(path_);
    const auto run = store.createRun("r", {}, 0, "cpu");
    store.putLog(run, LogLevel::Debug, "one");
    store.putLog(run, LogLevel::Error, "two");
    const auto lines = store.log(run);
    QCOMPARE(lines.size(), std::size_t{2});
    QCOMPARE(lines[0].level, std::string("debug"));
    QCOMPARE(lines[1].level, std::string("error"));
    QCOMPARE(store.log(run, lines[0].id).size(), std::size_t{1});
    store.putArtefact(run, {"weights", "a/w.safetensors", "00", 10});
    store.putArtefact(run, {"weights", "a/w.safetensors", "11", 12});
    const auto artefacts = store.artefacts(run);
    QCOMPARE(artefacts.size(), std::size_t{1});
    QCOMPARE(artefacts[0].sha256, std::string("11"));
    QCOMPARE(artefacts[0].bytes, std::int64_t{12});
  }

  void deletingTakesEverythingOfTheRunAndNothingElse() {
    auto store = RunStore::open(path_);
    const auto first = addSampleRun(store, "first", 1);
    const auto second = addSampleRun(store, "second", 2);
    const fs::path folder = store.artefactFolder(first);
    QCOMPARE(folder, fs::path(path_.string() + ".artefacts") / store.run(first).uuid);
    writeFileAtomically(folder / "weights.bin", "abc");
    writeFileAtomically(store.artefactFolder(second) / "weights.bin", "def");
    const auto pairOfFirst = store.imagePairs(first, true).front().id;
    store.deleteRun(first);
    QVERIFY(!store.findRun(first));
    QVERIFY(!fs::exists(folder));
    QVERIFY(store.scoreSets(first).empty() && store.results(first).empty());
    QVERIFY(store.curves(first).empty() && store.log(first).empty());
    QVERIFY(store.datasets(first).empty() && store.epochMetrics(first).empty());
    QVERIFY(!messageOf([&] { store.imagePair(pairOfFirst); }).empty());
    QCOMPARE(store.imagePairs(second, true).size(), std::size_t{144});
    QVERIFY(fs::exists(store.artefactFolder(second) / "weights.bin"));
    QVERIFY(contains(messageOf([&] { store.deleteRun(first); }), "no run"));
  }

  void dataVersionSeesOwnAndForeignChanges() {
    auto store = RunStore::open(path_);
    auto watcher = RunStore::open(path_, RunStore::Mode::ReadOnly);
    const auto before = watcher.dataVersion();
    QCOMPARE(watcher.dataVersion(), before);
    const auto own = store.dataVersion();
    const auto run = store.createRun("r", {}, 0, "cpu");
    QVERIFY(store.dataVersion() > own);
    const auto after = watcher.dataVersion();
    QVERIFY(after > before);
    (void)watcher.runs();
    QCOMPARE(watcher.dataVersion(), after);
    store.setRunNote(run, "x");
    QVERIFY(watcher.dataVersion() > after);
  }

  void importCopiesFinishedRunsOnce() {
    auto store = RunStore::open(path_);
    const fs::path otherPath = root_ / "cluster.db";
    auto other = RunStore::open(otherPath);
    const auto first = addSampleRun(other, "first", 1);
    const auto waiting = other.createRun("waiting", {}, 0, "cpu");
    const auto second = addSampleRun(other, "second", 2);
    other.setRunNote(second, "noted");
    writeFileAtomically(other.artefactFolder(first) / "sub" / "weights.bin", "abc");
    other.putArtefact(first, {"weights", "weights.bin", "00", 3});
    const auto ids = store.importFrom(otherPath);
    QCOMPARE(ids.size(), std::size_t{2});
    QVERIFY(store.importFrom(otherPath).empty());
    QCOMPARE(store.runs().size(), std::size_t{2});
    const RunRecord original = other.run(first), copy = store.run(ids[0]);
    QCOMPARE(copy.uuid, original.uuid);
    QCOMPARE(copy.finished, original.finished);
    QCOMPARE(copy.specification, original.specification);
    QCOMPARE(store.run(ids[1]).note, std::string("noted"));
    QCOMPARE(readFile(store.artefactFolder(ids[0]) / "sub" / "weights.bin"), std::string("abc"));
    QCOMPARE(store.artefacts(ids[0]).size(), std::size_t{1});
    const auto sets = store.scoreSets(ids[0]), originalSets = other.scoreSets(first);
    QCOMPARE(sets.size(), originalSets.size());
    for (std::size_t i = 0; i < sets.size(); ++i) QVERIFY(same(sets[i], originalSets[i]));
    const auto pairs = store.imagePairs(ids[0]), originalPairs = other.imagePairs(first);
    QCOMPARE(pairs.size(), originalPairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) QVERIFY(same(pairs[i], originalPairs[i]));
    QCOMPARE(store.results(ids[0]).size(), other.results(first).size());
    QCOMPARE(store.results(ids[0])[5].toJson(), other.results(first)[5].toJson());
    QCOMPARE(store.curves(ids[0])[3].y, other.curves(first)[3].y);
    QCOMPARE(store.epochMetrics(ids[0]).size(), other.epochMetrics(first).size());
    QCOMPARE(store.datasets(ids[0])[1].fingerprint, other.datasets(first)[1].fingerprint);
    QCOMPARE(store.log(ids[0])[2].time, other.log(first)[2].time);
    QVERIFY(!store.jobOfRun(ids[0]));
    QVERIFY(other.run(waiting).state == RunState::Queued);
    QVERIFY(contains(messageOf([&] { store.importFrom(path_); }), "into itself"));
    QVERIFY(contains(messageOf([&] { store.importFrom(root_ / "none.db"); }), "no such database"));
  }

  void importOfABadDatabaseChangesNothing() {
    auto store = RunStore::open(path_);
    addSampleRun(store, "mine", 1);
    const fs::path otherPath = root_ / "other.db";
    {
      auto other = RunStore::open(otherPath);
      for (int i = 0; i < 3; ++i) addSampleRun(other, "theirs", 10 + i);
      for (const auto& run : other.runs()) {
        writeFileAtomically(other.artefactFolder(run.id) / "w", "w");
      }
    }
    fs::resize_file(otherPath, fs::file_size(otherPath) / 2);
    const std::string message = messageOf([&] { store.importFrom(otherPath); });
    QVERIFY2(contains(message, "damaged") && contains(message, "other.db"), message.c_str());
    QCOMPARE(store.runs().size(), std::size_t{1});
    QVERIFY(!fs::exists(path_.string() + ".artefacts") ||
            fs::is_empty(path_.string() + ".artefacts"));
    QVERIFY(contains(messageOf([&] {
                       writeFileAtomically(root_ / "text.db", std::string(5000, 'x'));
                       store.importFrom(root_ / "text.db");
                     }),
                     "not a database"));
    addSampleRun(store, "still works", 3);
  }

  void speed() {
    const std::string filler(3000, 'x');
    {
      auto store = RunStore::open(path_);
      for (int i = 0; i < 1000; ++i) {
        const auto id = store.createRun("run " + std::to_string(i), Json{{"filler", filler}},
                                        static_cast<std::uint64_t>(i), "cpu");
        store.setRunSummary(id, {{"accuracy_clean", 0.9}, {"accuracy_attacked", 0.1}}, {});
      }
    }
    QElapsedTimer timer;
    timer.start();
    auto store = RunStore::open(path_);
    QCOMPARE(store.runs(true).size(), std::size_t{1000});
    const double listing = static_cast<double>(timer.nsecsElapsed()) / 1e6;
    ScoreSet set = smallSet(0);
    set.saturated.clear();
    set.scores.assign(60000, 0.25);
    timer.restart();
    store.putScores(1, set, {});
    const double storing = static_cast<double>(timer.nsecsElapsed()) / 1e6;
    qInfo("open and list 1000 runs: %.1f ms; store 60000 scores: %.1f ms", listing, storing);
    QVERIFY(listing < 2000 && storing < 5000);
  }

 private:
  std::unique_ptr<QTemporaryDir> folder_;
  fs::path root_, path_;
};

QTEST_GUILESS_MAIN(TestStore)
#include "tst_store.moc"
