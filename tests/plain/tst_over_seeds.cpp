// Runs that differ only by their seed: groups, means, deviations, published figures, pages.
#include <QTest>
#include <cmath>

#include "core/base/error.h"
#include "core/report/claims.h"
#include "core/report/export.h"
#include "core/report/over_seeds.h"
#include "core/report/run_report.h"

using namespace bulwark;

namespace {

/// One run of a method: the accuracy falls by `drop` under the attack.
RunReport run(std::int64_t id, const std::string& name, std::uint64_t seed, double accuracy,
              double drop, double jacobian) {
  RunReport report;
  report.run.id = id;
  report.run.name = name;
  report.run.seed = seed;
  report.run.state = RunState::Done;
  report.run.specification = {
      {"name", name},
      {"seed", seed},
      {"threads", id},
      {"classifier",
       {{"network", {{"type", "autoencoder"}}},
        {"recipe", {{"type", "attractor"}, {"jacobian_weight", jacobian}}}}},
      {"published",
       {{{"metric", "accuracy"}, {"attack", "fgsm"}, {"value", 0.8713}, {"source", "paper"}},
        {{"metric", "own_recall_in"},
         {"detector", "attractor"},
         {"setting", "clean"},
         {"out", "far"},
         {"value", 0.9901},
         {"source", "table 2"}},
        {{"detector", "attractor"},
         {"attack", ""},
         {"setting", "clean"},
         {"out", "far"},
         {"auroc", 0.5},
         {"source", "elsewhere"}}}}};
  report.run.summary = {
      {"accuracy_clean", accuracy},
      {"accuracy_attacked", {{"fgsm", accuracy - drop}}},
      {"own_classes",
       {{"n = 2", {{"accuracy_clean", accuracy / 2}, {"accuracy_attacked", {{"fgsm", 0.25}}}}}}},
      {"own_decisions",
       {{{"detector", "attractor"},
         {"attack", ""},
         {"setting", "clean"},
         {"out", "far"},
         {"accuracy", 0.9},
         {"precision_in", nullptr},
         {"recall_in", accuracy}}}},
      {"fit_facts",
       {{"attractor", {{"share_below_1", drop}, {"convergence", {{"1", {0.5, drop}}}}}}}},
      {"health", "health: 3 green"}};
  report.run.timings = {{"training", 10.0 * static_cast<double>(id)}};
  ResultRow row;
  row.detector = "attractor";
  row.setting = "clean";
  row.out = "far";
  row.auroc = accuracy;
  report.results.push_back(row);
  return report;
}

std::vector<RunReport> runs() {
  return {run(1, "with", 0, 0.80, 0.02, 0.002), run(2, "without", 0, 0.90, 0.50, 0.0),
          run(3, "with", 1, 0.82, 0.03, 0.002), run(4, "without", 1, 0.92, 0.53, 0.0),
          run(5, "with", 2, 0.87, 0.01, 0.002), run(6, "without", 2, 0.91, 0.50, 0.0)};
}

const SeedRow& row(const std::vector<SeedRow>& rows, const Quantity& quantity) {
  for (const auto& candidate : rows) {
    if (candidate.quantity == quantity) return candidate;
  }
  throw std::logic_error("no such row: " + quantity.metric);
}

TableOptions titled(const std::string& title) {
  TableOptions options;
  options.caption = title;
  return options;
}

/// The fall of the accuracy under FGSM.
Json fall(const std::string& experiment) {
  return {{"of", {{"experiment", experiment}, {"metric", "accuracy"}}},
          {"less", {{"metric", "accuracy"}, {"attack", "fgsm"}}}};
}

bool near(double a, double b) {
  return std::abs(a - b) < 1e-12;
}

}  // namespace

class TestOverSeeds : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void meansAndDeviations() {
    const auto spread = spreadOf({0.80, 0.82, 0.87});
    QVERIFY(near(spread.mean, 0.83));
    QVERIFY(near(spread.deviation, std::sqrt((0.03 * 0.03 + 0.01 * 0.01 + 0.04 * 0.04) / 2)));
    QVERIFY(std::isnan(spreadOf({0.5}).deviation));
    QVERIFY(near(spreadOf({0.5}).mean, 0.5));
  }

  void groupsDifferInNothingButTheSeed() {
    auto all = runs();
    auto groups = groupBySeed(all);
    QCOMPARE(groups.size(), std::size_t{2});
    QCOMPARE(groups[0].name, std::string("with"));
    QCOMPARE(groups[0].runs.size(), std::size_t{3});
    QCOMPARE(groups[0].runs[1]->run.id, std::int64_t{3});
    QCOMPARE(groups[1].runs.size(), std::size_t{3});
    // An option more makes another group, another name or device does not.
    all[2].run.specification["classifier"]["recipe"]["epochs"] = 5;
    all[4].run.specification["name"] = "renamed";
    all[4].run.specification["device"] = "cuda:0";
    groups = groupBySeed(all);
    QCOMPARE(groups.size(), std::size_t{3});
    QCOMPARE(groups[0].runs.size(), std::size_t{2});
  }

  void everyQuantityHasItsSpread() {
    const auto all = runs();
    const auto groups = groupBySeed(all);
    const auto rows = overSeeds(groups[0]);
    const auto& clean = row(rows, {"accuracy", "", "", "", ""});
    QVERIFY(near(clean.spread.mean, 0.83));
    QVERIFY(!clean.published);
    const auto& attacked = row(rows, {"accuracy", "", "fgsm", "", ""});
    QVERIFY(near(attacked.spread.mean, 0.81));
    QVERIFY(attacked.published && near(*attacked.published, 0.8713));
    QCOMPARE(attacked.source, std::string("paper"));
    QVERIFY(near(row(rows, {"accuracy", "n = 2", "", "", ""}).spread.mean, 0.415));
    QVERIFY(near(row(rows, {"accuracy", "n = 2", "fgsm", "", ""}).spread.deviation, 0.0));
    const auto& recall = row(rows, {"own_recall_in", "attractor", "", "clean", "far"});
    QVERIFY(recall.published && near(*recall.published, 0.9901));
    const auto& auroc = row(rows, {"auroc", "attractor", "", "clean", "far"});
    QVERIFY(auroc.published && near(*auroc.published, 0.5));
    QVERIFY(near(row(rows, {"fit:share_below_1", "attractor", "", "", ""}).spread.mean, 0.02));
    QVERIFY(near(row(rows, {"fit:convergence.1[1]", "attractor", "", "", ""}).spread.mean, 0.02));
    QVERIFY(near(row(rows, {"seconds:training", "", "", "", ""}).spread.mean, 30.0));
    // A share without a denominator is no number, so no run has it.
    QVERIFY(std::none_of(rows.begin(), rows.end(), [](const SeedRow& one) {
      return one.quantity.metric == "own_precision_in";
    }));
    // A run that lacks a quantity leaves the others theirs.
    auto fewer = runs();
    fewer[2].run.summary.erase("accuracy_clean");
    const auto left = overSeeds(groupBySeed(fewer)[0]);
    QCOMPARE(row(left, {"accuracy", "", "", "", ""}).spread.values.size(), std::size_t{2});
    QCOMPARE(row(left, {"accuracy", "", "fgsm", "", ""}).spread.values.size(), std::size_t{3});
  }

  void thePageTellsMeasuredBesidePublished() {
    const auto text =
        QString::fromStdString(writeOverSeeds(runs(), "md", titled("Attractor network")));
    QVERIFY(text.startsWith("# Attractor network\n"));
    QVERIFY(text.contains("| A | with | 3 | 0, 1, 2 |"));
    // 0.80, 0.82, 0.87 less 0.02, 0.03, 0.01: the drop is measured seed by seed.
    QVERIFY(text.contains(
        QStringLiteral("| A |  | fgsm | 81.00 \u00b1 4.36 | 87.13 | 2.00 \u00b1 1.00 |")));
    QVERIFY(text.contains(QStringLiteral("| A |  | clean | 83.00 \u00b1 3.61 | - | - |")));
    QVERIFY(
        text.contains(QStringLiteral("90.00 \u00b1 0.00 | - | - | - | 83.00 \u00b1 3.61 | "
                                     "99.01 |")));
    QVERIFY(text.contains(QStringLiteral("0.830 \u00b1 0.036 (published 0.500)")));
    // without less with: 10, 10 and 4 points; under the attack -38, -40 and -45.
    QVERIFY(
        text.contains(QStringLiteral("| B | A | accuracy | clean | 8.00 \u00b1 3.46 | 3 | yes |")));
    QVERIFY(text.contains(QStringLiteral("| accuracy | fgsm | -41.00 \u00b1 3.61 | 3 | yes |")));
    QVERIFY(text.contains("health: 3 green"));
    QVERIFY(text.contains(QStringLiteral("0.500 \u00b1 0.000; 0.020 \u00b1 0.010")));
    QVERIFY(!text.contains("nan"));
    QVERIFY(text.endsWith("\n") && !text.endsWith("\n\n"));
    // One run: a mean without a deviation.
    const auto one = QString::fromStdString(writeOverSeeds({runs()[0]}, "md"));
    QVERIFY(one.startsWith("# Results over seeds\n"));
    QVERIFY(one.contains("| A |  | clean | 80.00 | - | - |"));
    QVERIFY(!one.contains(QChar(0x00b1)) && !one.contains("nan"));
  }

  void recordsForOtherPrograms() {
    const Json list = Json::parse(exportRuns(runs(), "seeds", "json"));
    QVERIFY(list.size() > 10);
    QCOMPARE(list[0].at("experiment").get<std::string>(), std::string("with"));
    QCOMPARE(list[0].at("values").size(), std::size_t{3});
    const auto csv = QString::fromStdString(exportRuns(runs(), "seeds", "csv"));
    QCOMPARE(csv.count("\r\n"), static_cast<int>(list.size()) + 1);
    QVERIFY(csv.contains("with,accuracy,,fgsm,,,3,0.8"));
    QVERIFY_EXCEPTION_THROWN(writeOverSeeds({RunReport()}, "md"), Error);
  }

  void claimsAreTestedSeedBySeed() {
    const auto all = runs();
    const auto groups = groupBySeed(all);
    const auto check = [&](Json claim, const char* key, const Json& bound) {
      claim["claim"] = "said";
      claim[key] = bound;
      return checkClaims(Json::array({claim}), groups).at(0);
    };
    // 0.02, 0.03, 0.01 with the term; 0.50, 0.53, 0.50 without.
    const auto few = check(fall("with"), "at_most", 0.05);
    QVERIFY(near(few.value.mean, 0.02) && few.share && !few.least);
    QCOMPARE(verdict(few), std::string("holds"));
    QCOMPARE(verdict(check(fall("with"), "at_most", 0.025)), std::string("holds for 2 of 3 seeds"));
    QCOMPARE(verdict(check(fall("without"), "at_most", 0.05)), std::string("does not hold"));
    const auto larger = check(fall("without"), "at_least", fall("with"));
    QCOMPARE(verdict(larger), std::string("holds"));
    QVERIFY(near(larger.bound.mean, 0.02));
    QVERIFY(near(larger.value.mean, (0.50 + 0.53 + 0.50) / 3));
    const auto none = check(fall("elsewhere"), "at_most", 0.05);
    QCOMPARE(verdict(none),
             std::string("not measured: no experiment 'elsewhere'; known: 'with', 'without'"));
    // Which of two experiments of one name is meant, nobody can tell.
    auto twice = runs();
    twice[2].run.specification["classifier"]["recipe"]["epochs"] = 5;
    QVERIFY_EXCEPTION_THROWN(
        checkClaims(
            Json::array({Json{{"claim", "c"}, {"of", fall("with").at("of")}, {"at_least", 0.1}}}),
            groupBySeed(twice)),
        Error);
    // Only seeds that both have count.
    auto fewer = runs();
    fewer[3].run.seed = 7;
    const auto left =
        checkClaims(Json::array({Json{{"claim", "c"},
                                      {"of", fall("without").at("of")},
                                      {"at_least", {{"of", fall("with").at("of")}}}}}),
                    groupBySeed(fewer));
    QCOMPARE(left[0].value.values.size(), std::size_t{2});
    QCOMPARE(left[0].held, std::size_t{2});
  }

  void claimsThatNothingMatchesSayWhy_data() {
    QTest::addColumn<QString>("quantity");
    QTest::addColumn<QString>("says");
    const QString cell = R"("detector": "attractor", "setting": "clean", "out": "far")";
    QTest::newRow("experiment") << R"("experiment": "witout", "metric": "accuracy")"
                                << "no experiment 'witout'; did you mean 'without'?";
    QTest::newRow("metric") << R"("metric": "auroc_", )" + cell
                            << "no metric 'auroc_'; did you mean 'auroc'?";
    QTest::newRow("detector") << R"("metric": "auroc", "detector": "atractor", "out": "far")"
                              << "no detector 'atractor'; did you mean 'attractor'?";
    QTest::newRow("nothing near") << R"("metric": "auroc", "detector": "energy", "out": "far")"
                                  << "no detector 'energy'; known: 'attractor'";
    QTest::newRow("no detector") << R"("metric": "auroc", "out": "far", "setting": "clean")"
                                 << "no detector is named; known: 'attractor'";
    QTest::newRow("out set") << R"("metric": "auroc", "detector": "attractor", "out": "fra")"
                             << "no out set 'fra'; did you mean 'far'?";
    QTest::newRow("attack") << R"("metric": "accuracy", "attack": "fgms")"
                            << "no attack 'fgms'; did you mean 'fgsm'?";
    QTest::newRow("attack elsewhere")
        << R"("metric": "auroc", "attack": "fgsm", )" + cell
        << "no attack 'fgsm' with metric 'auroc', detector 'attractor', out set 'far'; leave the "
           "attack out";
    QTest::newRow("setting") << R"("metric": "auroc", "detector": "attractor", "out": "far")"
                             << "no setting is named; known: 'clean'";
    QTest::newRow("too much") << R"("metric": "accuracy", "setting": "clean")"
                              << "no setting 'clean' with metric 'accuracy'; leave the setting out";
    // The detector has other figures, so its name is right.
    QTest::newRow("not this one's")
        << R"("metric": "accuracy", "detector": "attractor")"
        << "no detector 'attractor' with metric 'accuracy'; known: 'n = 2'";
    QTest::newRow("attacked alone") << R"("metric": "accuracy", "detector": "late")"
                                    << "nothing without an attack; known: 'fgsm'";
  }

  void claimsThatNothingMatchesSayWhy() {
    QFETCH(QString, quantity);
    QFETCH(QString, says);
    auto all = runs();
    if (quantity.contains("late")) {
      for (auto& report : all) {
        report.run.summary["own_classes"]["late"] = {{"accuracy_attacked", {{"fgsm", 0.25}}}};
      }
    }
    Json of = Json::parse("{" + quantity.toStdString() + "}");
    if (!of.contains("experiment")) of["experiment"] = "with";
    const Json right = {{"experiment", "with"}, {"metric", "accuracy"}};
    // Whichever of the quantities of a claim it is.
    const std::vector<std::pair<Json, std::string>> claims = {
        {{{"claim", "c"}, {"of", of}, {"at_least", 0.5}}, "page.claims[0].of"},
        {{{"claim", "c"}, {"of", right}, {"less", of}, {"at_least", 0.5}}, "page.claims[0].less"},
        {{{"claim", "c"}, {"of", right}, {"at_most", {{"of", of}}}}, "page.claims[0].at_most.of"},
        {{{"claim", "c"}, {"of", right}, {"at_most", {{"of", right}, {"less", of}}}},
         "page.claims[0].at_most.less"}};
    for (const auto& [claim, place] : claims) {
      const auto check = checkClaims(Json::array({claim}), groupBySeed(all)).at(0);
      QCOMPARE(QString::fromStdString(verdict(check)), "not measured: " + says);
      QCOMPARE(check.place, place);
    }
    TableOptions options;
    options.page = {{"claims", {claims[0].first}}};
    const auto text = QString::fromStdString(writeOverSeeds(all, "md", options));
    QVERIFY2(text.contains("| - | at least "), qPrintable(text.left(800)));
    QVERIFY2(text.contains("| 0 | not measured: no"), qPrintable(text.left(800)));
  }

  void oneLinePerReason() {
    Json typo = fall("with"), other = fall("with"), fine = fall("with"), apart = fall("with");
    typo["of"]["metric"] = "acuracy";
    other["less"]["attack"] = "pgd";
    apart["less"]["experiment"] = "without";
    Json claims = Json::array();
    for (const Json& one : {fine, typo, other, typo, apart}) {
      claims.push_back(one);
      claims.back().update({{"claim", "c"}, {"at_most", 1}});
    }
    auto all = runs();
    for (std::size_t i = 1; i < all.size(); i += 2) all[i].run.seed += 10;
    const auto checks = checkClaims(claims, groupBySeed(all));
    QVERIFY(checks[0].missing.empty() && checks[0].held == 3);
    RunReport failed;
    failed.run.name = "with";
    QCOMPARE(
        unmeasured(checkClaims(Json::array({claims[0]}), groupBySeed({failed}))),
        std::vector<std::string>{"page.claims[0].of: nothing was recorded of experiment 'with'"});
    QCOMPARE(unmeasured(checks),
             (std::vector<std::string>{
                 "page.claims[1].of and 1 more: no metric 'acuracy'; did you mean 'accuracy'?",
                 "page.claims[2].less: no attack 'pgd'; known: 'fgsm'",
                 "page.claims[4]: no seed has all that is asked for"}));
  }

  void thePageTellsWhichClaimsHold() {
    Json first = fall("with"), second = fall("without"), third = fall("with");
    first.update({{"claim", "a few points"}, {"source", "section 3"}, {"at_most", 0.05}});
    second.update({{"claim", "as little without"}, {"at_most", fall("with")}});
    third = {{"claim", "detects"},
             {"of",
              {{"experiment", "with"},
               {"metric", "auroc"},
               {"detector", "attractor"},
               {"setting", "clean"},
               {"out", "far"}}},
             {"at_least", 0.85}};
    TableOptions options;
    options.page = {{"title", "What holds"},
                    {"notes", {"The images are small."}},
                    {"claims", {first, second, third}}};
    const auto text = QString::fromStdString(writeOverSeeds(runs(), "md", options));
    QVERIFY(text.startsWith("# What holds\n"));
    QVERIFY(text.contains("\n\nThe images are small.\n\n"));
    QVERIFY(
        text.contains(QStringLiteral("| a few points | section 3 | 2.00 \u00b1 1.00 | at most "
                                     "5.00 | 3 | holds |")));
    QVERIFY(
        text.contains(QStringLiteral("| as little without |  | 51.00 \u00b1 1.73 | at most "
                                     "2.00 \u00b1 1.00 | 3 | does not hold |")));
    QVERIFY(
        text.contains(QStringLiteral("| detects |  | 0.830 \u00b1 0.036 | at least 0.850 | "
                                     "3 | holds for 1 of 3 seeds |")));
    const auto refusal = [&](const Json& page) {
      try {
        PageText::fromJson(page);
      } catch (const Error& error) {
        return QString(error.what());
      }
      return QString("accepted");
    };
    first.erase("at_most");
    QVERIFY(refusal({{"claims", {second, first}}}).contains("page.claims[1]"));
    QVERIFY(refusal({{"claim", Json::array()}}).contains("'claim' is not known"));
    QVERIFY(refusal({{"notes", {1}}}).contains("page.notes[0]"));
    second["of"].erase("experiment");
    QVERIFY(refusal({{"claims", {second}}}).contains("page.claims[0].of"));
    third["of"]["sett"] = "x";
    QVERIFY(refusal({{"claims", {third}}}).contains("'sett'"));
  }

  /// Figures and claims may call a detector by its type where its label was made of its options.
  void namesOfDetectors() {
    const auto specification = [](const std::vector<std::pair<const char*, const char*>>& all) {
      Json json = {{"detectors", Json::array()}};
      for (const auto& [type, label] : all) {
        json["detectors"].push_back({{"type", type}, {"label", label}});
      }
      return json;
    };
    const auto one = specification({{"msp", "msp"}, {"svdd", "svdd (nu=0.2)"}, {"svdd", "mine"}});
    QCOMPARE(detectorLabel(one, "svdd"), std::string("svdd (nu=0.2)"));
    QCOMPARE(detectorLabel(one, "mine"), std::string("mine"));
    QCOMPARE(detectorLabel(one, "elo"), std::string("elo"));
    const auto two = specification({{"svdd", "svdd (nu=0.2)"}, {"svdd", "svdd (nu=0.3)"}});
    QCOMPARE(detectorLabel(two, "svdd"), std::string("svdd"));
    const auto named = specification({{"svdd", "svdd (nu=0.2)"}, {"svdd", "svdd"}});
    QCOMPARE(detectorLabel(named, "svdd"), std::string("svdd"));
    QCOMPARE(detectorLabel(Json(), "svdd"), std::string("svdd"));
    auto all = runs();
    for (auto& report : all) {
      report.run.specification["detectors"] = {
          {{"type", "attractor"}, {"label", "attractor (n=2)"}}};
      report.results[0].detector = "attractor (n=2)";
    }
    const auto& found =
        row(overSeeds(groupBySeed(all)[0]), {"auroc", "attractor (n=2)", "", "clean", "far"});
    QCOMPARE(found.published, std::optional<double>(0.5));
    const auto checks = checkClaims(Json::array({Json{{"claim", "detects"},
                                                      {"of",
                                                       {{"experiment", "with"},
                                                        {"metric", "auroc"},
                                                        {"detector", "attractor"},
                                                        {"setting", "clean"},
                                                        {"out", "far"}}},
                                                      {"at_least", 0.5}}}),
                                    groupBySeed(all));
    QCOMPARE(checks[0].held, std::size_t{3});
  }

  /// Figures per predicted class stand beside the plain ones and what is published for each, and
  /// such runs, where nothing is attacked, are not in the list of AUROCs once more.
  void thresholdsPerClassAndLayers() {
    auto all = runs();
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto& report = all[i];
      report.results[0].tnr95 = 0.5;
      if (report.run.name == "without") continue;
      const double shift = 0.01 * static_cast<double>(i) / 2;  // 0, 0.01, 0.02
      report.results[0].extra = {{"tnr95_per_class", 0.6 + shift},
                                 {"auroc_per_class", 0.7 + shift},
                                 {"tnr95_per_class_transductive", 0.8 + shift},
                                 {"auroc_per_class_transductive", nullptr}};
      report.run.summary["fit_facts"]["attractor"]["layers"] = {
          {{"layer", "early"}, {"features", 6}, {"detection_error", 0.2 + shift}, {"auroc", 0.8}},
          {{"layer", "dead"}, {"features", 4}, {"detection_error", nullptr}, {"auroc", nullptr}}};
      report.run.summary["fit_facts"]["attractor"]["layer"] = i == 0 ? "dead" : "early";
      report.run.summary["fit_facts"]["attractor"]["class_images"] = {51, 52};
      report.run.specification["published"].push_back({{"metric", "tnr95_per_class"},
                                                       {"detector", "attractor"},
                                                       {"attack", ""},
                                                       {"setting", "clean"},
                                                       {"out", "far"},
                                                       {"value", 0.9972},
                                                       {"source", "table 2"}});
    }
    const auto rows = overSeeds(groupBySeed(all)[0]);
    const auto& found = row(rows, {"tnr95_per_class", "attractor", "", "clean", "far"});
    QVERIFY(near(found.spread.mean, 0.61));
    QCOMPARE(found.published, std::optional<double>(0.9972));
    QVERIFY(near(row(rows, {"tnr95", "attractor", "", "clean", "far"}).spread.mean, 0.5));
    const auto text = QString::fromStdString(writeOverSeeds(all, "md"));
    QVERIFY(
        text.contains(QStringLiteral("| A | attractor | one | 50.00 \u00b1 0.00 | - | "
                                     "83.00 \u00b1 3.61 | 50.00 |")));
    QVERIFY(
        text.contains(QStringLiteral("| A | attractor | per class | 61.00 \u00b1 1.00 | 99.72 "
                                     "| 71.00 \u00b1 1.00 | - |")));
    QVERIFY(!text.contains("| A | attractor | per class, transductive"));  // without its AUROC
    QVERIFY(
        text.contains(QStringLiteral("| A | attractor | early | 6 | 21.00 \u00b1 1.00 | "
                                     "80.00 \u00b1 0.00 | 2 |")));
    QVERIFY(text.contains("| A | attractor | dead | 4 | - | - | 1 |"));
    QVERIFY(!text.contains("class images"));
    // Decisions of such runs are in one table, of others in one per out set.
    QVERIFY(text.contains(QStringLiteral("| A | attractor | far | 90.00 \u00b1 0.00 | - | ")));
    QVERIFY(text.contains("| B | attractor | clean | Clean | 90.00"));
    QVERIFY(!text.contains("| A | attractor | clean | Clean | 90.00"));
    const auto aurocs = text.mid(text.indexOf("## AUROC"));
    QVERIFY(aurocs.contains("| B | attractor | clean |"));
    QVERIFY(!aurocs.contains("| A | attractor | clean |"));
    // Where something is attacked, the clean AUROC is wanted beside the attacked ones, too, and
    // figures per class are those of the clean images.
    for (auto& report : all) {
      ResultRow attacked = report.results[0];
      attacked.attack = "pgd";
      attacked.setting = "in";
      attacked.tnr95 = 0.125;
      if (!attacked.extra.is_null()) attacked.extra["tnr95_per_class"] = 0.0625;
      report.results.push_back(attacked);
    }
    const auto other = QString::fromStdString(writeOverSeeds(all, "md"));
    const auto section = [&](const char* title) {
      const auto from = other.indexOf(QLatin1String(title));
      return from < 0 ? QString() : other.mid(from, other.indexOf("\n## ", from + 1) - from);
    };
    const auto before = text.indexOf("## Detection");
    QCOMPARE(section("## Detection"), text.mid(before, text.indexOf("\n## ", before + 1) - before));
    QVERIFY(section("## AUROC").contains("| A | attractor | pgd |"));
    QVERIFY(section("## Decisions").contains("| A | attractor | clean | Clean | 90.00"));
    QVERIFY(!section("## Decisions").contains("### Clean"));
    // Attacked figures alone make no table.
    for (auto& report : all) report.results.erase(report.results.begin());
    QVERIFY(!QString::fromStdString(writeOverSeeds(all, "md")).contains("## Detection"));
  }
};

QTEST_GUILESS_MAIN(TestOverSeeds)
#include "tst_over_seeds.moc"
