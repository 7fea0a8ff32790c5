// The experiment specification: every wrong entry is refused where it stands, with a remedy.
#include <QDir>
#include <algorithm>
#include <map>

#include "core/attacks/attack.h"
#include "core/base/error.h"
#include "core/detectors/detector.h"
#include "core/experiment/runner.h"
#include "core/experiment/specification.h"
#include "core/health/consistency.h"
#include "core/nn/network.h"
#include "core/report/attack_table.h"
#include "core/report/claims.h"
#include "core/training/recipe.h"

using namespace bulwark;

namespace {

Json minimal() {
  return Json::parse(R"({
    "name": "test",
    "data": {"in": {"dataset": "glyphs", "train_limit": 100, "test_limit": 50},
             "out": [{"dataset": "noise-uniform", "test_limit": 50}]},
    "classifier": {"network": "lenet5", "recipe": {"type": "standard", "epochs": 1}},
    "detectors": [{"type": "msp"}, {"type": "knn", "k": 5}],
    "attacks": [{"type": "pgd", "eps": "8/255", "steps": 5}]
  })");
}

}  // namespace

class TestSpecification : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void roundTrip() {
    const auto first = Specification::fromJson(minimal(), registries_, catalogue_);
    const Json written = first.toJson();
    const auto second = Specification::fromJson(written, registries_, catalogue_);
    QCOMPARE(QString::fromStdString(second.toJson().dump()),
             QString::fromStdString(written.dump()));
    QCOMPARE(first.hash(), second.hash());
    QCOMPARE(first.detectors[1].options.at("k").get<int>(), 5);
    QCOMPARE(first.evaluation.bootstrap, 1000);
  }

  void theHashIgnoresWhereItRuns() {
    Json json = minimal();
    const auto hash = Specification::fromJson(json, registries_, catalogue_).hash();
    json["device"] = "cpu";
    json["name"] = "another name";
    json["threads"] = 1;
    QCOMPARE(Specification::fromJson(json, registries_, catalogue_).hash(), hash);
    json["seed"] = 1;
    QVERIFY(Specification::fromJson(json, registries_, catalogue_).hash() != hash);
  }

  void labelsAreUnique() {
    Json json = minimal();
    json["attacks"].push_back({{"type", "pgd"}, {"eps", "4/255"}, {"steps", 5}});
    const auto spec = Specification::fromJson(json, registries_, catalogue_);
    QVERIFY(spec.attacks[0].label != spec.attacks[1].label);
    QVERIFY(spec.attacks[1].label.find("4/255") != std::string::npos);
    json["attacks"][1]["eps"] = "8/255";
    QVERIFY_EXCEPTION_THROWN(Specification::fromJson(json, registries_, catalogue_), Error);
  }

  void refusals_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("place");
    QTest::addColumn<QString>("remedy");
    const auto row = [](const char* name, const char* path, const char* value, const char* place,
                        const char* remedy) {
      QTest::newRow(name) << path << value << place << remedy;
    };
    row("unknown top key", "sed", "1", "sed", "seed");
    row("unknown data key", "data.inn", "{}", "data.inn", "in");
    row("unknown detector", "detectors[0].type", "mps", "detectors[0]", "msp");
    row("unknown attack option", "attacks[0].stepz", "3", "attacks[0].stepz", "steps");
    row("wrong type", "attacks[0].steps", "\"ten\"", "attacks[0].steps", "whole number");
    row("not a fraction", "attacks[0].eps", "8/256x", "attacks[0].eps", "number or a fraction");
    row("negative epsilon", "attacks[0].eps", "-0.1", "attacks[0].eps", "0 <= eps <= 1");
    row("NaN epsilon", "attacks[0].eps", "nan", "attacks[0].eps", "fraction");
    row("division by zero", "attacks[0].eps", "8/0", "attacks[0].eps", "fraction");
    row("infinite epsilon", "attacks[0].eps", "1e999", "attacks[0].eps", "");
    row("empty in set", "data.in", "null", "data.in", "dataset");
    row("empty in object", "data.in", "{}", "data.in", "dataset");
    row("in as out", "data.out[0].dataset", "glyphs", "data.out[0]", "another set");
    row("unknown data set", "data.out[0].dataset", "mnits", "data.out[0].dataset", "mnist");
    row("no out set", "data.out", "[]", "data.out", "at least one");
    row("no detector", "detectors", "[]", "detectors", "at least one");
    row("unknown network", "classifier.network", "lenet6", "classifier.network", "lenet5");
    row("unknown recipe key", "classifier.recipe.epoch", "1", "classifier.recipe.epoch", "epochs");
    row("negative seed", "seed", "-1", "seed", "0");
    row("fractional seed", "seed", "0.5", "seed", "whole");
    row("unknown setting", "evaluation.settings", "[\"cleam\"]", "evaluation.settings[0]", "clean");
    row("negative batch", "evaluation.batch_size", "-1", "evaluation.batch_size", "0 <=");
    row("zero limit", "data.in.test_limit", "-5", "data.in.test_limit", "0 <=");
    row("known without split", "data.protocol", "{\"known\": [0, 1]}", "data.protocol",
        "open-split");
    row("split without known", "data.protocol", "{\"type\": \"open-split\"}", "data.protocol",
        "known");
    row("name of the split's own set", "data",
        R"({"in": {"dataset": "glyphs"}, "protocol": {"type": "open-split", "known_count": 4},
            "out": [{"dataset": "noise-uniform", "label": "unknown-classes"}]})",
        "data.out[0]", "label");
    row("recipe is a number", "classifier.recipe", "3", "classifier.recipe", "type");
  }

  void refusals() {
    QFETCH(QString, path);
    QFETCH(QString, value);
    QFETCH(QString, place);
    QFETCH(QString, remedy);
    Json json = minimal();
    setByPath(json, path.toStdString(), value.toStdString());
    try {
      Specification::fromJson(json, registries_, catalogue_);
      QFAIL("accepted");
    } catch (const Error& error) {
      QVERIFY(error.kind() == Error::Kind::BadInput);
      const QString text = QString::fromUtf8(error.what());
      QVERIFY2(text.contains(place), qPrintable(text));
      QVERIFY2(text.contains(remedy), qPrintable(text));
    }
  }

  void anEvaluationWithoutResultsIsRefused() {
    Json json = minimal();
    json["attacks"] = Json::array();
    Specification::fromJson(json, registries_, catalogue_);  // clean results are results
    json["evaluation"]["settings"] = {"in", "in_out"};
    try {
      Specification::fromJson(json, registries_, catalogue_);
      QFAIL("accepted");
    } catch (const Error& error) {
      QVERIFY(error.kind() == Error::Kind::BadInput);
      QVERIFY2(QString(error.what()).contains("evaluation.settings"), error.what());
    }
  }

  void attacksOnLogits_data() {
    QTest::addColumn<QString>("loss");
    QTest::addColumn<QStringList>("settings");
    QTest::addColumn<int>("classes");  // of the open split; 0: all 26
    QTest::addColumn<QString>("problem");
    const QStringList clean = {"clean"}, attacked = {"clean", "in"};
    QTest::newRow("score, attacked") << "score" << attacked << 0 << "";
    QTest::newRow("cross-entropy, attacked") << "ce" << attacked << 0 << "";
    QTest::newRow("DLR, attacked") << "dlr" << attacked << 0 << "one number";
    QTest::newRow("targeted, attacked") << "targeted" << attacked << 0 << "one number";
    QTest::newRow("DLR, classifier alone") << "dlr" << clean << 0 << "";
    QTest::newRow("DLR, three classes") << "dlr" << clean << 3 << "";
    QTest::newRow("DLR, two classes") << "dlr" << clean << 2 << "at least 3 classes";
    QTest::newRow("targeted, four classes") << "targeted" << clean << 4 << "";
    QTest::newRow("targeted, three classes") << "targeted" << clean << 3 << "at least 4 classes";
  }

  /// Refused before anything is trained.
  void attacksOnLogits() {
    QFETCH(QString, loss);
    QFETCH(QStringList, settings);
    QFETCH(int, classes);
    QFETCH(QString, problem);
    Json json = minimal();
    json["attacks"] = {{{"type", "apgd"}, {"steps", 5}, {"loss", loss.toStdString()}}};
    json["evaluation"]["settings"] = Json::array();
    for (const auto& name : settings) json["evaluation"]["settings"].push_back(name.toStdString());
    if (classes > 0) {
      json["data"]["protocol"] = {{"type", "open-split"}, {"known_count", classes}};
    }
    const auto refused = [&](const QString& expected) {
      try {
        Specification::fromJson(json, registries_, catalogue_);
        QVERIFY2(expected.isEmpty(), "accepted");
      } catch (const Error& error) {
        QCOMPARE(error.exitCode(), 2);
        QVERIFY2(!expected.isEmpty(), error.what());
        QVERIFY2(QString::fromStdString(error.problem()).contains(expected), error.what());
        QCOMPARE(QString::fromStdString(error.where()), QString("attacks[0].loss"));
        QVERIFY2(error.hint().find("use the loss") != std::string::npos, error.what());
      }
    };
    refused(problem);
  }

  /// Stages before the training proper and passes of an iterated score are in the estimate.
  void theEstimateCountsStagesAndPasses() {
    Json json = minimal();
    json["classifier"] = Json::parse(R"({
      "network": {"type": "autoencoder", "encoder": [40, 20, 10]},
      "recipe": {"type": "attractor", "epochs": 7, "pretraining_epochs": 5}})");
    const auto cost = [&](int iterations) {
      json["detectors"] = Json::array({{{"type", "attractor"}, {"iterations", iterations}}});
      return estimateCost(Specification::fromJson(json, registries_, catalogue_), registries_,
                          catalogue_);
    };
    QCOMPARE(cost(1).trainingImages, 90.0 * (7 + 3 * 5));
    // The attack on the classes is that of one pass for both.
    json["attacks"] = Json::array();
    QCOMPARE(cost(4).attackPropagations, 0.0);
    json["attacks"] = minimal().at("attacks");
    const double once = cost(1).attackPropagations, twice = cost(2).attackPropagations;
    QVERIFY(twice > once);
    QCOMPARE(cost(5).attackPropagations - once, 4 * (twice - once));
  }

  /// The attack of adversarial training: a name or an object, complete after a round trip.
  void attackOfTheRecipe() {
    Json json = minimal();
    const auto read = [&](const Json& attack) {
      json["classifier"]["recipe"] = {{"type", "adversarial"}, {"attack", attack}};
      return Specification::fromJson(json, registries_, catalogue_);
    };
    const auto spec = read({{"type", "pgd"}, {"restarts", 2}});
    QCOMPARE(Specification::fromJson(spec.toJson(), registries_, catalogue_).hash(), spec.hash());
    QVERIFY(read("fgsm").hash() != spec.hash());
    // One step against seven.
    const auto cost = [&](const Json& attack) {
      return estimateCost(read(attack), registries_, catalogue_).trainingImages;
    };
    QVERIFY(cost("fgsm") < 0.5 * cost("pgd"));
    QVERIFY(cost({{"type", "pgd"}, {"restarts", 2}}) > 1.5 * cost("pgd"));
    const auto refused = [&](const Json& attack, const char* where, const char* remedy) {
      try {
        read(attack);
        QFAIL("accepted");
      } catch (const Error& error) {
        QCOMPARE(error.exitCode(), 2);
        QVERIFY2(error.where().find(where) == 0, error.what());
        QVERIFY2(error.hint().find(remedy) != std::string::npos, error.what());
      }
    };
    const char* const place = "classifier.recipe.attack";
    for (const char* attack : {"cw_l2", "autoattack", "a3", "caa", "fab", "fab_t", "deepfool",
                               "jsma", "square", "noise_uniform", "transfer", "joint"}) {
      refused(attack, place, "pgd");
    }
    refused("pdg", place, "pgd");
    refused({{"steps", 3}}, place, "type");
    refused({{"type", "pgd"}, {"restart", 2}}, "classifier.recipe.attack.restart", "restarts");
    refused("{\"type\": \"pgd\"", place, "pgd");
  }

  void syntaxErrorsNameLineAndColumn() {
    QTemporaryDir folder;
    const QString path = folder.filePath("broken.json");
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("{\n  \"name\": \"x\"\n  \"seed\": 1\n}\n");
    file.close();
    try {
      Specification::readJson(path.toStdString());
      QFAIL("accepted");
    } catch (const Error& error) {
      QVERIFY2(QString::fromUtf8(error.what()).contains("broken.json:3:"), error.what());
    }
    QVERIFY_EXCEPTION_THROWN(Specification::readJson("/nowhere/at/all.json"), Error);
  }

  void presetsAreValid() {
    QVERIFY(presets().size() >= 2);
    for (const auto& entry : presets()) {
      const auto spec = Specification::fromJson(entry.specification, registries_, catalogue_);
      QVERIFY(!spec.detectors.empty());
    }
    QVERIFY_EXCEPTION_THROWN(preset("dmeo"), Error);
    QCOMPARE(preset("demo").name, std::string("demo"));
  }

  /// H4 and the report's orderings set the PGD of many steps against that of few.
  void presetsOfAttacksCompareTheirSteps() {
    int compared = 0;
    for (const auto& entry : presets()) {
      if (entry.name.rfind("attacks-", 0) != 0) continue;
      const auto spec = Specification::fromJson(entry.specification, registries_, catalogue_);
      RunReport report;
      report.run.specification = spec.toJson();
      std::vector<AttackFacts> facts;
      for (const auto& attack : spec.attacks) {
        if (attack.label != "pgd-10" && attack.label != "pgd-100") continue;
        const auto made = registries_.attacks.make(attack.type, attack.options, "attacks");
        facts.push_back({attack.label, attack.type, attack.options, made->threat()});
        ResultRow row;
        row.detector = "msp";
        row.attack = attack.label;
        row.setting = "in_out";
        row.out = "glyphs";
        row.auroc = attack.label == "pgd-100" ? 0.4 : 0.3;
        report.results.push_back(row);
      }
      QCOMPARE(facts.size(), std::size_t{2});
      const auto orderings = checkOrderings(report);
      QVERIFY2(std::any_of(orderings.begin(), orderings.end(),
                           [](const Ordering& one) {
                             return one.rule == "pgd-100 <= pgd-10" && one.compared == 1 &&
                                    one.held == 0;
                           }),
               entry.name.c_str());
      const std::vector<ScoreSet> sets;
      const auto checks = checkResults(HealthThresholds(), {sets, report.results, facts});
      QCOMPARE(checks[3].id, std::string("H4"));
      QVERIFY2(checks[3].verdict == Verdict::Red, entry.name.c_str());
      ++compared;
    }
    QVERIFY(compared >= 4);
  }

  /// A figure that names no detector, attack or out set of its preset would never be shown.
  void publishedFiguresBelongToTheirPreset() {
    int figures = 0;
    for (const auto& entry : presets()) {
      const auto spec = Specification::fromJson(entry.specification, registries_, catalogue_);
      const auto named = [](const auto& requests, const std::string& label) {
        return label.empty() ||
               std::any_of(requests.begin(), requests.end(),
                           [&](const auto& request) { return request.label == label; });
      };
      for (const auto& figure : spec.published) {
        ++figures;
        const auto detector = detectorLabel(spec.toJson(), figure.detector);
        QVERIFY2(named(spec.detectors, detector), figure.detector.c_str());
        QVERIFY2(named(spec.attacks, figure.attack), figure.attack.c_str());
        QVERIFY(figure.value >= 0 && figure.value <= 1 && !figure.source.empty());
        const bool classes = figure.metric == "accuracy";
        QCOMPARE(figure.out.empty(), classes);
        QCOMPARE(figure.setting.empty(), classes);
        const auto& outs = spec.out;
        QVERIFY(classes || std::any_of(outs.begin(), outs.end(), [&](const auto& request) {
                  return request.displayName() == figure.out;
                }));
      }
      QCOMPARE(Specification::fromJson(spec.toJson(), registries_, catalogue_).toJson().dump(),
               spec.toJson().dump());
    }
    QVERIFY(figures > 0);
    Json json = minimal();
    json["published"] = {{{"metric", "own_recall"}, {"value", 0.5}}};
    QVERIFY_EXCEPTION_THROWN(Specification::fromJson(json, registries_, catalogue_), Error);
    json["published"] = {{{"metric", "own_recall_in"}, {"auroc", 0.5}}};
    QVERIFY_EXCEPTION_THROWN(Specification::fromJson(json, registries_, catalogue_), Error);
  }

  /// A claim about a misspelt experiment or attack would stand as "not measured" for ever.
  void claimsOfThePagesAreAboutPresets() {
    std::map<std::string, Specification> named;
    for (const auto& entry : presets()) {
      const auto spec = Specification::fromJson(entry.specification, registries_, catalogue_);
      named.emplace(spec.name, spec);
    }
    const auto has = [](const auto& requests, const std::string& label) {
      return label.empty() || std::any_of(requests.begin(), requests.end(),
                                          [&](const auto& one) { return one.label == label; });
    };
    int quantities = 0;
    const auto check = [&](const Json& quantity, const std::string& usual) {
      const auto name = quantity.value("experiment", usual);
      const auto found = named.find(name);
      QVERIFY2(found != named.end(), name.c_str());
      const auto text = quantity.dump();
      const auto detector =
          detectorLabel(found->second.toJson(), quantity.value("detector", std::string()));
      QVERIFY2(has(found->second.detectors, detector), text.c_str());
      QVERIFY2(has(found->second.attacks, quantity.value("attack", std::string())), text.c_str());
      const auto out = quantity.value("out", std::string());
      const auto& outs = found->second.out;
      QVERIFY2(
          out.empty() || std::any_of(outs.begin(), outs.end(),
                                     [&](const auto& one) { return one.displayName() == out; }),
          text.c_str());
      ++quantities;
    };
    for (const auto& file : QDir(BULWARK_SOURCE_DIR "/docs/pages").entryInfoList({"*.json"})) {
      const auto page =
          PageText::fromJson(Specification::readJson(file.absoluteFilePath().toStdString()));
      for (const Json& claim : page.claims) {
        const auto usual = claim.at("of").at("experiment").get<std::string>();
        std::vector<Json> parts = {claim};
        for (const char* bound : {"at_most", "at_least"}) {
          if (claim.contains(bound) && claim.at(bound).is_object())
            parts.push_back(claim.at(bound));
        }
        for (const Json& part : parts) {
          check(part.at("of"), usual);
          const auto first = part.at("of").value("experiment", usual);
          if (part.contains("less")) check(part.at("less"), first);
        }
      }
    }
    QVERIFY(quantities > 30);
  }

  /// What reads reconstructions is refused where there are none, before anything is trained.
  void networksThatReconstruct() {
    const auto place = [&](const Json& network, const char* recipe, const char* detector,
                           const Json& attack) {
      Json json = minimal();
      json["classifier"] = {{"network", network}, {"recipe", recipe}};
      json["detectors"] = {"msp", detector};
      json["attacks"] = Json::array({attack});
      try {
        Specification::fromJson(json, registries_, catalogue_);
      } catch (const Error& error) {
        return QString(error.what());
      }
      return QString("accepted");
    };
    const auto fgsm = [](const char* loss) { return Json{{"type", "fgsm"}, {"loss", loss}}; };
    QCOMPARE(place("autoencoder", "attractor", "attractor", fgsm("total")), QString("accepted"));
    QCOMPARE(place("lenet5", "standard", "knn", fgsm("ce")), QString("accepted"));
    QVERIFY(place("lenet5", "standard", "attractor", "pgd").contains("detectors[1]"));
    QVERIFY(place("lenet5", "standard", "apae", "pgd").contains("detectors[1]"));
    QVERIFY(place("lenet5", "attractor", "knn", "pgd").contains("classifier.recipe"));
    QVERIFY(place("autoencoder", "standard", "knn", "pgd").contains("classifier.recipe"));
    QVERIFY(place("lenet5", "standard", "knn", fgsm("mse")).contains("attacks[0].loss"));
    QVERIFY(place("lenet5", "standard", "knn", fgsm("total")).contains("attacks[0].loss"));
  }

  void everyComponentReadsItsOptions() {
    // `make` throws a logic_error for an option that is declared but never read.
    for (const auto& info : registries_.networks.list()) {
      registries_.networks.make(info.name, Json::object(), "", NetworkShape{1, 32, 32, 10});
    }
    for (const auto& info : registries_.recipes.list()) {
      registries_.recipes.make(info.name, Json::object(), "");
    }
    for (const auto& info : registries_.detectors.list()) {
      registries_.detectors.make(info.name, Json::object(), "");
    }
    for (const auto& info : registries_.attacks.list()) {
      registries_.attacks.make(info.name, Json::object(), "");
    }
    QVERIFY(registries_.networks.list().size() >= 5);
    QVERIFY(registries_.detectors.list().size() >= 6);
  }

 private:
  Registries registries_ = builtinRegistries();
  DatasetCatalogue catalogue_{DatasetCatalogue::defaultFolders()};
};

QTEST_GUILESS_MAIN(TestSpecification)
#include "tst_specification.moc"
