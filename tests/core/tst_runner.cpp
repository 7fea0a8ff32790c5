// The runner end to end on small generated data: what a result must obey, and that a cut-short
// execution ends with the same numbers.
#include <map>

#include "core/attacks/attack.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/detectors/detector.h"
#include "core/experiment/experiment_data.h"
#include "core/experiment/joint_evasion.h"
#include "core/experiment/runner.h"
#include "core/nn/network.h"
#include "core/nn/safetensors.h"
#include "core/training/recipe.h"
#include "data_files.h"
#include "small_runs.h"

using namespace bulwark;
using smallruns::Bench;
using smallruns::byCell;
using smallruns::check;
using smallruns::smallSpecification;

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
    const auto margins = TensorFile::load(bench.store->artefactFolder(run) / "margins.safetensors")
                             .require("pgd", {-1}, "margins");
    QCOMPARE(margins.le(0.0).to(torch::kFloat64).mean().item<double>(),
             summary.at("accuracy_attacked").at("pgd").get<double>());
    QVERIFY2(summary.at("health").get<std::string>().find("red") == std::string::npos,
             summary.at("health").get<std::string>().c_str());
    // H8 with a known score per attack, and with each detector of the run.
    for (const char* subject : {"pgd", "msp", "knn"}) {
      const auto& checks = summary.at("health_checks");
      QVERIFY2(std::any_of(checks.begin(), checks.end(),
                           [&](const Json& one) {
                             return one.at("id") == "H8" && one.at("subject") == subject &&
                                    one.at("verdict") == "green";
                           }),
               subject);
    }
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

  void crossingStopsAtTheCleanThreshold() {
    Bench bench;
    Json json = smallSpecification();
    const auto worst = bench.create(json);
    json["evaluation"]["mode"] = "cross";
    const auto cross = bench.create(json);
    bench.execute(worst);
    bench.execute(cross);
    std::int64_t passes = 0;
    for (const auto& set : bench.store->scoreSets(worst)) passes += set.forwards;
    for (const auto& set : bench.store->scoreSets(cross)) passes -= set.forwards;
    QVERIFY2(passes > 0, "an image leaves at the threshold, not at its worst score");
    const auto maximised = bench.store->results(worst), crossed = bench.store->results(cross);
    QCOMPARE(maximised.size(), crossed.size());
    int attacked = 0;
    for (std::size_t i = 0; i < crossed.size(); ++i) {
      const auto& row = crossed[i];
      const double kept = row.extra.at("tpr_fixed").get<double>();
      const double missed = row.extra.at("fpr_fixed").get<double>();
      if (row.attack.empty()) {
        QVERIFY(std::abs(kept - 0.95) < 0.02);
        QVERIFY(std::abs((1.0 - missed) - row.tnr95) < 1e-12);
        continue;
      }
      ++attacked;
      QVERIFY(std::isnan(row.auroc));
      // Both modes share starts and steps, so they cross the threshold on the same images.
      QCOMPARE(kept, maximised[i].extra.at("tpr_fixed").get<double>());
      QCOMPARE(missed, maximised[i].extra.at("fpr_fixed").get<double>());
    }
    QVERIFY(attacked > 0);
    json["evaluation"]["metrics"] = {"auroc"};
    QVERIFY_EXCEPTION_THROWN(bench.create(json), Error);
  }

  void theWorstJointAttackIsJudged() {
    const std::vector<JointEvasion> evasions = {{"knn", "weak", 0.0, 0.01, 0.04},
                                                {"knn", "strong", 0.0, 0.01, 0.3},
                                                {"msp", "weak", 0.0, 0.02, 0.05}};
    const auto checks = checkJointEvasion({}, evasions, true);
    QCOMPARE(checks.size(), std::size_t{2});
    QCOMPARE(checks[0].name(), std::string("H36 knn"));
    QCOMPARE(checks[0].value, 0.3);
    QVERIFY(checks[0].verdict == Verdict::Amber);
    QVERIFY(checks[0].detail == "strong; 1.0 % are so without an attack");
    QVERIFY(checks[1].verdict == Verdict::Green);
    QVERIFY(checkJointEvasion({}, {}, true).front().verdict == Verdict::NotApplicable);
    QVERIFY(checkJointEvasion({}, {}, false).front().detail.find("no classifier") !=
            std::string::npos);
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

  /// The checks after an evaluation take any radius that the attacks take.
  void aLargeL2RadiusIsCheckedToo() {
    Bench bench;
    Json json = smallSpecification();
    json["detectors"] = Json::parse(R"([{"type": "msp"}])");
    json["attacks"] = Json::parse(R"([{"type": "pgd", "norm": "l2", "eps": 12, "steps": 2}])");
    const auto run = bench.create(json);
    bench.execute(run);
    const Json summary = bench.store->run(run).summary;
    QVERIFY(smallruns::check(summary, "H32", "pgd").at("verdict") == "not applicable");
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
    // What the earlier executions saw while they attacked is judged, too.
    QCOMPARE(bench.store->run(cut).summary.at("health_checks").dump(),
             bench.store->run(whole).summary.at("health_checks").dump());
    QCOMPARE(check(bench.store->run(whole).summary, "H6").at("detail"), Json(""));

    const auto again = bench.create(smallSpecification());
    QVERIFY_EXCEPTION_THROWN(bench.execute(again, "scores", 6), Error);
    const auto parts = bench.store->artefactFolder(again) / "parts";
    Json audit = Json::parse(readFile(parts / "audit-0.json"));
    audit["rescoring"] = 0.5;
    writeFileAtomically(parts / "audit-0.json", audit.dump());
    std::filesystem::remove(parts / "audit-1.json");
    bench.execute(again);
    const Json h6 = check(bench.store->run(again).summary, "H6");
    QCOMPARE(h6.at("verdict"), Json("red"));
    QCOMPARE(h6.at("value"), Json(0.5));
    // Nothing is claimed of a set whose audit is gone.
    QVERIFY2(h6.at("detail").get<std::string>().starts_with("measured on 11 of 12"),
             h6.dump().c_str());
  }

  /// Attacks on the classifier, joint attacks and health reports are not made again either.
  void whatIsNoScoreIsKeptToo() {
    Bench bench;
    Json json = smallSpecification();
    json["data"]["out"].erase(1);
    json["detectors"] = {"msp", "energy"};
    json["attacks"] = Json::parse(R"([{"type": "pgd", "steps": 6}, {"type": "fgsm"},
                                      {"type": "joint", "steps": 6}])");
    json["evaluation"]["health"] = "full";
    json["evaluation"]["health_images"] = 8;
    json["data"]["in"]["test_limit"] = json["data"]["out"][0]["test_limit"] = 30;
    /// Phases and log lines of an execution; cancelled when a phase of that name begins.
    const auto execute = [&](std::int64_t run, const std::string& stopAt) {
      Control control;
      QStringList seen;
      StoreJournal journal(*bench.store, run, [](const Json&) {});
      const auto enter = [&](const std::string& what) {
        seen.append(QString::fromStdString(what));
        if (what == stopAt) control.cancel();
      };
      Task task(
          &control, [&](const ProgressUpdate& update) { enter(update.phase); },
          [&](LogLevel, const std::string& text) { enter(text.substr(0, text.find(':'))); });
      const auto spec = Specification::fromJson(bench.store->run(run).specification,
                                                bench.registries, bench.catalogue);
      try {
        Runner(bench.registries, bench.catalogue).execute(spec, journal, task);
      } catch (const Error& error) {
        if (error.kind() != Error::Kind::Cancelled) throw;
        seen.append("cancelled");
      }
      return seen;
    };
    const QString pgd = "pgd on the classifier", fgsm = "fgsm on the classifier",
                  joint = "joint on msp and the classifier",
                  second = "joint on energy and the classifier", full = "full health checks of msp",
                  last = "full health checks of energy";
    const auto whole = bench.create(json);
    const auto all = execute(whole, {});
    for (const auto& phase : {pgd, fgsm, joint, second, full, last}) {
      QVERIFY2(all.contains(phase), qPrintable(phase + " is not in " + all.join(", ")));
    }
    const auto cut = bench.create(json);
    auto seen = execute(cut, fgsm.toStdString());
    QVERIFY(seen.contains(pgd) && seen.contains("cancelled"));
    seen = execute(cut, second.toStdString());
    QVERIFY(!seen.contains(pgd));
    QVERIFY(seen.contains(fgsm) && seen.contains(joint) && seen.contains(full));
    QVERIFY(seen.contains("cancelled"));
    seen = execute(cut, {});
    for (const auto& phase : {pgd, fgsm, joint, full}) {
      QVERIFY2(!seen.contains(phase), qPrintable(phase));
    }
    QVERIFY(seen.contains(second) && seen.contains(last) && !seen.contains("cancelled"));
    QCOMPARE(bench.results(cut), bench.results(whole));
    const Json one = bench.store->run(cut).summary, other = bench.store->run(whole).summary;
    for (const char* part : {"accuracy_clean", "accuracy_attacked", "joint_evasion",
                             "health_series", "attack_forwards", "attack_backwards"}) {
      QVERIFY2(one.at(part) == other.at(part), part);
    }
    const auto judged = [](const Json& summary) {
      Json checks = Json::array();
      for (const auto& entry : summary.at("health_checks")) {
        // Those say how much of the run the last execution has measured.
        const std::string id = entry.at("id");
        if (id != "H6" && id != "H7" && id != "H9") checks.push_back(entry);
      }
      return checks.dump();
    };
    QCOMPARE(judged(one), judged(other));
    const auto load = [&](std::int64_t run) {
      return TensorFile::load(bench.store->artefactFolder(run) / "margins.safetensors").tensors;
    };
    for (const auto& [label, values] : load(whole)) {
      QVERIFY(torch::equal(load(cut).at(label), values));
    }
  }

  void whatIsFinishedIsNotMixedWithOtherData() {
    Bench bench;
    const datafiles::Folder folder;
    const auto write = [&](int first) {
      return folder.put("out.npy",
                        datafiles::npy("|u1", "40, 28, 28", datafiles::ramp(40 * 28 * 28, first)));
    };
    Json json = smallSpecification();
    json["data"]["out"] = {{{"path", write(0).string()}}};
    json["detectors"] = {{{"type", "msp"}}, {{"type", "energy"}}};
    const auto run = bench.create(json);
    QVERIFY_EXCEPTION_THROWN(bench.execute(run, "scores", 2), Error);
    write(7);
    const auto before = bench.store->scoreSets(run).size();
    try {
      bench.execute(run);
      QFAIL("the old scores were taken for the new images");
    } catch (const Error& error) {
      QVERIFY(error.kind() == Error::Kind::BadInput);
      QVERIFY2(QString(error.what()).contains("out images of 'out.npy'"), error.what());
      QVERIFY(QString::fromStdString(error.hint()).contains("new run"));
    }
    QCOMPARE(bench.store->scoreSets(run).size(), before);
    write(0);
    bench.execute(run);
    const auto whole = bench.create(json);
    bench.execute(whole);
    QCOMPARE(bench.results(run), bench.results(whole));
  }

  void aLargerRadiusIsNotWeaker() {
    Bench bench;
    Json json = smallSpecification();
    json["detectors"] = {{{"type", "msp"}}, {{"type", "mahalanobis"}}};
    json["attacks"] = Json::array();
    for (const char* eps : {"1/255", "2/255", "4/255", "8/255"}) {
      json["attacks"].push_back({{"type", "pgd"}, {"eps", eps}, {"steps", 10}, {"label", eps}});
    }
    const auto run = bench.create(json);
    bench.execute(run);
    auto cells = byCell(bench.store->results(run));
    for (const char* detector : {"msp", "mahalanobis"}) {
      for (const char* out : {"noise-uniform", "noise-gaussian"}) {
        auto smaller = cells[{detector, "1/255", out}];
        for (const char* eps : {"2/255", "4/255", "8/255"}) {
          auto& larger = cells[{detector, eps, out}];
          for (const char* setting : {"in", "out", "in_out"}) {
            // The starts differ from radius to radius: the bound of the issue's "must show".
            QVERIFY2(larger[setting] <= smaller[setting] + 0.003,
                     qPrintable(QString("%1 %2 %3 %4").arg(detector, out, eps, setting)));
          }
          smaller = larger;
        }
      }
    }
  }

  void oblongImagesAreConvertedOnce() {
    // An in set of 8 x 12: out files are resampled once, generated noise is not resampled at all.
    const Bench bench;
    const datafiles::Folder folder;
    std::string labels;
    for (int i = 0; i < 30; ++i) labels += static_cast<char>(i % 3);
    const auto put = [&](const std::string& stem, int count, int height, int width, int first) {
      const auto size = std::to_string(height) + ", " + std::to_string(width);
      folder.put(stem + "_labels.npy",
                 datafiles::npy("|u1", std::to_string(count) + ",", labels.substr(0, count)));
      return folder
          .put(stem + ".npy",
               datafiles::npy("|u1", std::to_string(count) + ", " + size,
                              datafiles::ramp(std::size_t(count) * height * width, first)))
          .string();
    };
    Json json = smallSpecification();
    put("in/train", 30, 8, 12, 0);
    put("in/test", 15, 8, 12, 100);
    json["data"]["in"] = {{"path", (folder.path() / "in").string()}, {"format", "npy"}};
    json["data"]["out"] = {{{"path", put("other", 20, 16, 24, 50)}, {"format", "npy"}},
                           {{"dataset", "noise-uniform"}, {"test_limit", 50}},
                           {{"dataset", "glyphs"}, {"test_limit", 20}}};
    json["classifier"]["network"] = "mlp";
    const auto spec = Specification::fromJson(json, bench.registries, bench.catalogue);
    Task task;
    const auto data = loadExperimentData(spec, bench.catalogue, Seed(0), task);
    QCOMPARE(data.outs.size(), std::size_t{3});
    for (const auto& out : data.outs) QVERIFY((out.set->shape() == ImageShape{1, 8, 12}));
    const Json steps = data.outs[0].set->details().at("conversions");
    QCOMPARE(steps.size(), std::size_t{1});
    QCOMPARE(steps[0].at("from"), (Json{1, 16, 24}));
    QCOMPARE(steps[0].at("aspect_ratio"), Json("kept"));
    QVERIFY(!data.outs[1].set->details().contains("conversions"));
    // Uniform: variance 1/12; resampling would have averaged it away.
    const double variance = data.outs[1].set->range(0, 50).to(torch::kFloat64).var().item<double>();
    QVERIFY2(std::abs(variance - 1.0 / 12) < 0.01, std::to_string(variance).c_str());
  }

  void trainingOnTheTestImagesIsRefused() {
    // One undivided file serves both roles unless it is to be divided.
    const Bench bench;
    const datafiles::Folder folder;
    std::string labels;
    for (int i = 0; i < 40; ++i) labels += static_cast<char>(i % 2);
    folder.put("a_labels.npy", datafiles::npy("|u1", "40,", labels));
    const auto file =
        folder.put("a.npy", datafiles::npy("|u1", "40, 8, 8", datafiles::ramp(40 * 64)));
    Json json = smallSpecification();
    json["data"]["in"] = {{"path", file.string()}};
    const auto load = [&] {
      const auto spec = Specification::fromJson(json, bench.registries, bench.catalogue);
      Task task;
      return loadExperimentData(spec, bench.catalogue, Seed(0), task);
    };
    const auto text = datafiles::refusal(load);
    QVERIFY2(text.contains("also a test image") && text.contains("auto"), qPrintable(text));
    json["data"]["in"]["split"] = "auto";
    QCOMPARE(load().in.set->size(), std::int64_t{8});
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
