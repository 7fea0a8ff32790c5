#include <set>

#include "core/experiment/bench.h"

using namespace bulwark;

class TestBench : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void attacksReportWhatWasPromised() {
    Task task;
    const AttackBenchSize tiny{.images = 8,
                               .steps = 3,
                               .longImages = 4,
                               .trainingImages = 120,
                               .repetitions = 1,
                               .residual = false};
    const auto results = benchAttacks(builtinRegistries(), 1, task, tiny);
    std::set<std::string> cases;
    int saturations = 0;
    for (const auto& result : results) {
      const Json json = result.toJson();
      for (const char* key : {"bench", "case", "unit", "baseline"}) {
        QVERIFY2(json.at(key).is_string() && !json.at(key).get<std::string>().empty(), key);
      }
      for (const char* key : {"value", "ratio", "baseline_value"}) {
        QVERIFY2(json.at(key).get<double>() > 0, key);
      }
      QCOMPARE(json.at("threads").get<int>(), 1);
      QCOMPARE(json.at("bench").get<std::string>(), std::string("attacks"));
      QVERIFY(cases.insert(result.caseName + " / " + result.baseline).second);
      if (result.caseName.find("rank saturation") == std::string::npos) continue;
      ++saturations;
      // The check whether rows are alike costs a few passes at most.
      QVERIFY2(result.ratio > 0.9, result.caseName.c_str());
      QVERIFY(std::abs(result.ratio - result.baselineValue / result.value) < 1e-9);
    }
    QCOMPARE(saturations, 4);
    for (const char* name : {"lenet5", "convnet"}) {
      for (const char* baseline : {"plain loop", "forward + input gradient", "100 times"}) {
        QVERIFY2(std::any_of(cases.begin(), cases.end(),
                             [&](const std::string& text) {
                               return text.rfind(name, 0) == 0 &&
                                      text.find(baseline) != std::string::npos;
                             }),
                 baseline);
      }
    }
    bool listed = false;
    for (const auto& info : benches()) listed = listed || info.name == "attacks";
    QVERIFY(listed);
  }
};

QTEST_GUILESS_MAIN(TestBench)
#include "tst_bench.moc"
