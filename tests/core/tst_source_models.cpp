// Attacks that craft on other models: of another run, of a file of weights, of another detector.
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "small_runs.h"

using namespace bulwark;
using smallruns::Bench;
using smallruns::byCell;
using smallruns::check;
using smallruns::smallSpecification;

namespace {

/// Inverts one bit in the middle of a file; twice: the file is what it was.
void flipAByte(const std::filesystem::path& path) {
  QFile file(QString::fromStdString(path.string()));
  if (!file.open(QIODevice::ReadWrite)) qFatal("cannot open %s", path.c_str());
  file.seek(file.size() / 2);
  char byte = 0;
  file.getChar(&byte);
  file.seek(file.size() / 2);
  file.putChar(static_cast<char>(byte ^ 1));
}

}  // namespace

class TestSourceModels : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  /// Transfer from another detector, from another run and from a file of weights; a joint attack's
  /// rate stands beside the tables.
  void attacksReachOtherModels() {
    Bench bench;
    Json json = smallSpecification();
    json["detectors"] = Json::parse(R"([{"type": "msp"}, {"type": "knn", "k": 5}])");
    json["data"]["out"].erase(1);
    json["attacks"] = Json::parse(R"([{"type": "pgd", "steps": 6}])");
    const auto first = bench.create(json);
    bench.execute(first);
    const auto weights = bench.store->artefactFolder(first) / "classifier.safetensors";
    json["seed"] = 5;
    json["attacks"] = Json::parse(R"([
      {"type": "pgd", "steps": 6},
      {"type": "transfer", "steps": 6, "label": "plain"},
      {"type": "transfer", "steps": 6, "source_detector": "knn", "label": "from knn"},
      {"type": "transfer", "attack": "fgsm", "label": "other run", "source_detector": "msp"},
      {"type": "transfer", "attack": "fgsm", "label": "other weights", "source_detector": "msp"},
      {"type": "joint", "steps": 6}])");
    json["attacks"][3]["run"] = first;
    json["attacks"][4]["weights"] = weights.string();
    const auto run = bench.create(json);
    bench.execute(run);
    auto cells = byCell(bench.store->results(run));
    for (const char* detector : {"msp", "knn"}) {
      const double clean = cells[{detector, "", "noise-uniform"}]["clean"];
      for (const char* attack : {"plain", "from knn", "other run", "other weights"}) {
        auto& cell = cells[{detector, attack, "noise-uniform"}];
        QVERIFY(cell.count("in_out") == 1);
        QVERIFY(cell["in_out"] <= clean);
      }
      QCOMPARE(cells.count({detector, "joint", "noise-uniform"}), std::size_t{0});
    }
    // The same source by two ways; an MSP detector has no state of its own.
    QCOMPARE((cells[{"knn", "other run", "noise-uniform"}]["in"]),
             (cells[{"knn", "other weights", "noise-uniform"}]["in"]));
    const Json summary = bench.store->run(run).summary;
    QCOMPARE(summary.at("accuracy_attacked").size(), std::size_t{5});
    QCOMPARE(summary.at("joint_evasion").size(), std::size_t{2});
    for (const auto& evasion : summary.at("joint_evasion")) {
      QVERIFY(evasion.at("attacked").get<double>() >= evasion.at("clean").get<double>());
      QVERIFY(evasion.at("backwards").get<std::int64_t>() > 0);
      // H36 judges that very share, and only where a joint attack is in the run.
      const Json judged = check(summary, "H36", evasion.at("detector"));
      QCOMPARE(judged.at("value").get<double>(), evasion.at("attacked").get<double>());
      QVERIFY(judged.at("verdict") == (judged.at("value") <= 0.1 ? "green" : "amber"));
      QVERIFY(judged.at("detail").get<std::string>().starts_with("joint; "));
    }
    // The trained network is the one that is evaluated, loaded anew or not.
    for (const auto& id : {"H37", "H38"}) {
      QVERIFY2(check(summary, id).at("verdict") == "green", check(summary, id).dump().c_str());
    }
    const Json without = check(bench.store->run(first).summary, "H36");
    QVERIFY(without.at("verdict") == "not applicable");
    QVERIFY(without.at("detail") == "the run has no joint attack");
    // What was crafted on is told with the run, and must be what its run has stored.
    const Json sources = bench.store->run(run).environment.at("sources");
    QCOMPARE(sources.size(), std::size_t{3});
    for (const auto& source : sources) {
      const std::string file = source.at("file");
      QCOMPARE(source.contains("run"), file != weights.string());
      QVERIFY(!source.contains("run") || source.at("run") == first);
      QCOMPARE(source.at("sha256").get<std::string>(),
               sha256File(bench.store->artefactFolder(first) / file));  // a full path stays
    }
    QVERIFY(!bench.store->run(first).environment.contains("sources"));
    flipAByte(weights);
    const auto changed = bench.create(json);
    try {
      bench.execute(changed);
      QFAIL("weights that were changed since were taken");
    } catch (const Error& error) {
      QVERIFY(error.kind() == Error::Kind::BadInput);
      QCOMPARE(error.where(), weights.string());
      const QString said = error.what();
      QVERIFY2(said.contains(QString("not what run %1 has stored").arg(first)) &&
                   said.contains("put the file back"),
               error.what());
    }
    flipAByte(weights);
    json["attacks"] = Json::parse(R"([{"type": "transfer", "run": 999}])");
    const auto missing = bench.create(json);
    QVERIFY_EXCEPTION_THROWN(bench.execute(missing), Error);
  }

  /// What was crafted on one model is not mixed with what is crafted on another.
  void aResumedRunKeepsItsSources() {
    Bench bench;
    Json json = smallSpecification();
    json["detectors"] = Json::parse(R"([{"type": "msp"}, {"type": "energy"}])");
    json["data"]["out"].erase(1);
    json["attacks"] = Json::parse(R"([{"type": "pgd", "steps": 2}])");
    const auto first = bench.create(json);
    bench.execute(first);
    const auto copy =
        std::filesystem::path(bench.folder.filePath("other.safetensors").toStdString());
    std::filesystem::copy_file(bench.store->artefactFolder(first) / "classifier.safetensors", copy);
    json["attacks"] = Json::parse(R"([{"type": "transfer", "attack": "fgsm"}])");
    json["attacks"][0]["weights"] = copy.string();
    const auto run = bench.create(json);
    QVERIFY_EXCEPTION_THROWN(bench.execute(run, "scores", 4), Error);  // cancelled in the middle
    flipAByte(copy);
    try {
      bench.execute(run);
      QFAIL("other weights were taken for those of the first execution");
    } catch (const Error& error) {
      QVERIFY(error.kind() == Error::Kind::BadInput);
      QCOMPARE(error.where(), copy.string());
      QVERIFY2(QString(error.what()).contains("began with"), error.what());
    }
    flipAByte(copy);
    bench.execute(run);
    QVERIFY(!bench.store->results(run).empty());
  }
};

QTEST_GUILESS_MAIN(TestSourceModels)
#include "tst_source_models.moc"
