// The limits of health checks: published, changed by a user, and what is said of changed ones. No
// network is needed here; the checks themselves are tested in tests/core.
#include <QtTest/QtTest>
#include <cmath>

#include "core/base/error.h"
#include "core/health/check.h"
#include "core/health/remedy.h"
#include "core/report/export.h"
#include "report_sample.h"

using namespace bulwark;

class TestHealthLimits : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void thresholdsMove() {
    const HealthThresholds moved(Json{{"H22", 0.02}, {"H15", {0.1, 0.2}}});
    QCOMPARE(moved.amber("H22"), 0.02);
    QCOMPARE(moved.red("H22"), 0.08);
    QCOMPARE(moved.red("H15"), 0.2);
    QVERIFY(judged(moved, "H22", "", 0.015).verdict == Verdict::Green);
    QVERIFY(judged({}, "H22", "", 0.015).verdict == Verdict::Amber);
    QVERIFY(judged({}, "H22", "", 0.03).verdict == Verdict::Red);
    QVERIFY_EXCEPTION_THROWN(HealthThresholds(Json{{"H99", 1}}), Error);
    QVERIFY_EXCEPTION_THROWN(HealthThresholds(Json{{"H22", "low"}}), Error);
    const auto check = judged({}, "H9", "pgd on knn", 0.2, "why");
    const auto again = HealthCheck::fromJson(Json::parse(check.toJson().dump()));
    QCOMPARE(again.toJson().dump(), check.toJson().dump());
    QCOMPARE(healthRules().size(), std::size_t{38});
  }

  void storedNumbersAreJudgedAnew() {
    auto forced = judged({}, "H15", "knn", 0.0, "a gradient is not finite");
    forced.verdict = Verdict::Red;
    forced.forced = true;
    auto old = judged({}, "H14", "knn", 0.05).toJson();  // of a version that did not say so
    old["verdict"] = "amber";
    const Json summary = {{"accuracy_clean", 0.9},
                          {"health_checks",
                           {judged({}, "H22", "knn", 0.015).toJson(), forced.toJson(),
                            notApplicable("H27", "knn", "no").toJson(), old}}};
    const auto verdicts = [](const Json& of) {
      std::string all;
      for (const auto& check : of.at("health_checks")) {
        all += check.at("verdict").get<std::string>() + ";";
      }
      return all;
    };
    const Json edits = {{"H22", {0.02, nullptr}}, {"H15", 0.5}, {"H14", 0.3}};
    Json again = rejudged(summary, edits);
    QCOMPARE(verdicts(again), std::string("green;red;not applicable;amber;"));
    QCOMPARE(again.at("health_checks")[0].at("threshold").get<double>(), 0.02);
    QVERIFY(again.at("health_checks")[0].at("red_above").is_null());  // never
    QCOMPARE(again.at("health_thresholds").dump(), edits.dump());
    QCOMPARE(again.at("health").get<std::string>(),
             std::string("health: 1 red (H15 knn), 1 amber (H14 knn), 1 green; limits not the "
                         "published ones: H14 amber 0.3 instead of 0.1, H15 amber 0.5 instead of 0 "
                         "and red 0.5 instead of 0.05, H22 amber 0.02 instead of 0.005 and red "
                         "never instead of 0.02"));
    // Exports of a run of an earlier version say so too: the line comes from the checks.
    again["health"] = "health: 3 green";
    QVERIFY(healthLineOf(again).starts_with("health: 1 red (H15 knn), 1 amber (H14 knn), 1 green"));
    QVERIFY(healthLineOf(again).ends_with("red never instead of 0.02"));
    QCOMPARE(healthLineOf({{"health", "health: 3 green"}}), std::string("health: 3 green"));
    QVERIFY(healthLineOf(nullptr).empty());
    QCOMPARE(again.at("accuracy_clean").get<double>(), 0.9);
    again = rejudged(again, {{"H22", {0.001, 0.01}}});
    QCOMPARE(verdicts(again), std::string("red;red;not applicable;amber;"));
    again = rejudged(again, Json::object());  // published ones
    QCOMPARE(verdicts(again), std::string("amber;red;not applicable;amber;"));
    QVERIFY(again.at("health_thresholds").empty());
    // A red that earlier versions found in a rounding was never forced.
    HealthCheck rounded = judged({}, "H27", "knn", 0.0020000000000000018);
    QVERIFY(rounded.verdict == Verdict::Green);
    rounded.verdict = Verdict::Red;
    again = rejudged({{"health_checks", Json::array({rounded.toJson()})}}, Json::object());
    QCOMPARE(verdicts(again), std::string("green;"));
    QVERIFY_EXCEPTION_THROWN(rejudged(summary, {{"H99", 1}}), Error);
    QVERIFY(std::isinf(HealthThresholds(Json{{"H9", 0.0}}).red("H9")));
  }

  void remediesChangeTheAttack() {
    const Json made = Json::parse(R"({"attacks": [
      {"type": "pgd", "label": "pgd", "eps": "8/255", "norm": "linf", "steps": 20, "restarts": 1},
      {"type": "pgd", "label": "long", "steps": 100}]})");
    const auto steps = remedyOf("H22", "knn", made);
    QCOMPARE(steps.specification.at("attacks")[0].at("steps").get<int>(), 40);
    QCOMPARE(steps.change, std::string("pgd with 40 steps"));
    const auto named = remedyOf("H32", "long", made);
    QCOMPARE(named.specification.at("attacks")[1].at("steps").get<int>(), 200);
    const auto starts = remedyOf("H23", "knn", made);
    QCOMPARE(starts.specification.at("attacks")[0].at("restarts").get<int>(), 10);
    const auto other = remedyOf("H27", "knn", made).specification.at("attacks");
    QCOMPARE(other.size(), std::size_t{3});
    QCOMPARE(other[2].dump(), std::string(R"({"type":"square","eps":"8/255","norm":"linf"})"));
    // Every check has words; where no other attack helps there is none to run.
    for (const auto& rule : healthRules()) QVERIFY(!remedyOf(rule.id, "", made).text.empty());
    QVERIFY(remedyOf("H7", "", made).specification.is_null());
    QVERIFY(remedyOf("H22", "", Json::object()).specification.is_null());
    QVERIFY(remedyOf("H99", "", made).text.empty());
  }

  void roundingIsNoFailure() {
    const auto at = [](const char* id, double value) { return judged({}, id, "", value).verdict; };
    const double atLimit = 0.5 - 0.498;  // H27 is red above 0.002
    QVERIFY(atLimit > 0.002);
    QVERIFY(at("H27", atLimit) == Verdict::Green);
    QVERIFY(at("H27", 0.002 + 1e-9) == Verdict::Red);
    QVERIFY(at("H22", 0.505 - 0.5) == Verdict::Green);
    QVERIFY(at("H22", 0.005 + 1e-9) == Verdict::Amber);
    QVERIFY(at("H22", 0.52 - 0.5) == Verdict::Amber);
    QVERIFY(at("H22", 0.02 + 1e-9) == Verdict::Red);
    // Where nothing is allowed, nothing is.
    QVERIFY(at("H8", 1e-300) == Verdict::Red);
    QVERIFY(at("H3", 1e-16) == Verdict::Amber);
    QVERIFY(at("H27", std::nan("")) == Verdict::Red);
    QVERIFY(at("H9", 1e300) == Verdict::Amber);  // never red
  }

  void aZeroHasNoSign() {
    QCOMPARE(judged({}, "H1", "", -0.0).toJson().at("value").dump(), std::string("0.0"));
    HealthCheck check;
    check.value = -0.0;
    QCOMPARE(check.toJson().at("value").dump(), std::string("0.0"));
  }

  void fallingLimitsAreRefused() {
    try {
      HealthThresholds(Json{{"H22", {0.02, 0.01}}}, "evaluation.health_thresholds");
      QFAIL("falling limits were taken");
    } catch (const Error& error) {
      QCOMPARE(std::string(error.what()),
               std::string("evaluation.health_thresholds.H22: the red limit 0.01 is below the "
                           "green limit 0.02; the red one must be at least as large as the green "
                           "one"));
    }
  }

  void changedLimitsAreTold() {
    const HealthThresholds loose(Json{{"H27", {0.02, 0.02}}, {"H22", {0.005, nullptr}}});
    const auto told = [&](const char* id, double value) {
      return judged(loose, id, "knn", value).changedLimits();
    };
    // Both limits of H27 are one: no value between them is amber.
    QCOMPARE(told("H27", 0.01), std::string("H27 red 0.02 instead of 0.002"));
    QCOMPARE(told("H22", 0.5), std::string("H22 red never instead of 0.02"));
    QCOMPARE(told("H23", 0.5), std::string());
    QCOMPARE(notApplicable("H27", "knn", "why").changedLimits(), std::string());

    std::vector<HealthCheck> checks;
    for (const char* subject : {"knn", "msp"}) {
      checks.push_back(judged(loose, "H27", subject, 0.01));
      checks.push_back(judged(loose, "H23", subject, 0.01));
    }
    const std::string notice = "limits not the published ones: H27 red 0.02 instead of 0.002";
    // Once, however many detectors it was judged of.
    QCOMPARE(healthLine(checks), "health: 2 amber (H23 knn, H23 msp), 2 green; " + notice);
    const Json json = checks[0].toJson();
    QCOMPARE(json.at("limits").get<std::string>(),
             std::string("not the published ones: H27 red 0.02 instead of 0.002"));
    QCOMPARE(json.at("published_red_above").get<double>(), 0.002);
    QVERIFY(!checks[1].toJson().contains("limits"));
    // A run of a version that did not note it says so as well.
    Json old = json;
    for (const char* key : {"limits", "published_threshold", "published_red_above"}) old.erase(key);
    QCOMPARE(HealthCheck::fromJson(old).toJson().dump(), json.dump());
    // One that stored no red limit was judged by the published one.
    old.erase("red_above");
    QCOMPARE(HealthCheck::fromJson(old).limit, 0.002);

    RunReport report = sample::run();
    report.run.summary["health"] = healthLine(checks);
    const auto says = QString::fromStdString(notice);
    for (const char* format : {"txt", "md", "html", "tex", "csv", "json"}) {
      const auto text = QString::fromStdString(exportRuns({report}, "table", format));
      QVERIFY2(text.contains(says), format);
    }
    const auto page = QString::fromStdString(exportRuns({report}, "report", "html"));
    QVERIFY(page.contains(says));
  }
};

QTEST_GUILESS_MAIN(TestHealthLimits)
#include "tst_health_limits.moc"
