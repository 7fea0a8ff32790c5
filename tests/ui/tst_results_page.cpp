#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QSignalSpy>
#include <QTableView>
#include <QtTest/QtTest>

#include "core/report/run_report.h"
#include "ui/bridge/health_cost.h"
#include "ui/models/result_table_model.h"
#include "ui/models/threshold_model.h"
#include "ui/pages/results_page.h"
#include "ui/plots/curve_plot.h"
#include "ui/plots/curve_switch.h"
#include "ui/plots/histogram_plot.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/health_label.h"
#include "ui/widgets/health_lights.h"
#include "ui/widgets/health_panel.h"
#include "ui/widgets/panel.h"
#include "ui/widgets/view_grid.h"
#include "ui_support.h"

using namespace bulwark;
using namespace bulwark::testing;

namespace {

void open(Workbench& bench, ResultsPage& page) {
  page.resize(1180, 640);
  page.show();
  QSignalSpy shown(&page, &ResultsPage::shown);
  bench.focus.setRun(bench.ids[0]);
  QVERIFY(shown.wait(5000));
}

void choose(ResultsPage& page, const char* box, const char* value) {
  auto* combo = page.findChild<QComboBox*>(QLatin1String(box));
  QSignalSpy shown(&page, &ResultsPage::shown);
  combo->setCurrentIndex(combo->findData(QLatin1String(value)));
  QVERIFY(shown.wait(5000));
}

}  // namespace

class TestResultsPage : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void saysWhatBelongsHereWithoutARun() {
    Workbench bench(0);
    ResultsPage page(bench.context);
    page.resize(1180, 640);
    page.show();
    QVERIFY(page.findChild<EmptyState*>()->isVisible());
    QVERIFY(page.findChild<EmptyState*>()->button()->isVisible());
    grabBoth(page, QStringLiteral("results-empty"));
  }

  void theTableShowsTheStoredValues() {
    Workbench bench;
    ResultsPage page(bench.context);
    open(bench, page);
    auto* table = page.findChild<QTableView*>(QStringLiteral("resultsTable"));
    auto* model = qobject_cast<ResultTableModel*>(table->model());
    QAbstractItemModelTester tester(model);
    QCOMPARE(model->rowCount(), 8);
    for (const ResultRow& row : bench.store().results(bench.ids[0])) {
      const int line = model->find(QString::fromStdString(row.detector),
                                   QString::fromStdString(row.out), QStringLiteral("pgd"));
      QVERIFY(line >= 0);
      for (int column = ResultTableModel::Clean; column <= ResultTableModel::InOut; ++column) {
        if (ResultTableModel::settingOf(column).toStdString() != row.setting) continue;
        const QModelIndex cell = model->index(line, column);
        QCOMPARE(cell.data().toString(), QLocale().toString(row.auroc, 'f', 3));
        QVERIFY(cell.data(Qt::ToolTipRole)
                    .toString()
                    .contains(QLocale().toString(row.fpr95Ood, 'f', 4)));
      }
    }
    QVERIFY(page.findChild<ElidedLabel*>(QStringLiteral("resultsHealth"))
                ->fullText()
                .contains(QLatin1String("all 8 lines")));
    QVERIFY(page.findChild<ElidedLabel*>(QStringLiteral("resultsAccuracy"))
                ->fullText()
                .contains(QLatin1String("under pgd")));
    grabBoth(page, QStringLiteral("results"));
    page.resize(916, 560);
    grab(page, QStringLiteral("results-narrow"));
    // No row is cut at the lower edge, and no name of a detector.
    QTest::qWait(20);
    const QRect last =
        table->visualRect(model->index(table->rowAt(table->viewport()->height() - 1), 0));
    QVERIFY(last.bottom() <= table->viewport()->height());
    for (int row = 0; row < model->rowCount(); ++row) {
      const QString name = model->index(row, 0).data().toString();
      QVERIFY(table->columnWidth(0) >= table->fontMetrics().horizontalAdvance(name));
    }
  }

  void theCurvesAgreeWithTheTable() {
    Workbench bench;
    ResultsPage page(bench.context);
    open(bench, page);
    choose(page, "resultsDetector", "mahalanobis");
    auto* roc = page.findChild<RocPlot*>();
    QCOMPARE(roc->curves().size(), 4);
    int compared = 0;
    for (const ResultRow& row : bench.store().results(bench.ids[0])) {
      if (row.detector != "mahalanobis" || row.out != "glyphs") continue;
      for (const ThresholdCurve& curve : roc->curves()) {
        if (curve.name.toStdString() != row.setting) continue;
        QCOMPARE(curve.area, row.auroc);
        ++compared;
      }
    }
    QCOMPARE(compared, 4);
    QVERIFY(!page.findChild<PrPlot*>()->isEmpty());
    grabBoth(page, QStringLiteral("results-mahalanobis"));
  }

  void aRowOfTheTableChoosesDetectorAndOutSet() {
    Workbench bench;
    ResultsPage page(bench.context);
    open(bench, page);
    auto* table = page.findChild<QTableView*>(QStringLiteral("resultsTable"));
    auto* model = qobject_cast<ResultTableModel*>(table->model());
    const int line =
        model->find(QStringLiteral("knn"), QStringLiteral("noise-uniform"), QStringLiteral("pgd"));
    QSignalSpy shown(&page, &ResultsPage::shown);
    table->scrollTo(model->index(line, 0));
    QTest::mouseClick(table->viewport(), Qt::LeftButton, {},
                      table->visualRect(model->index(line, 0)).center());
    QVERIFY(shown.wait(5000));
    QCOMPARE(page.findChild<QComboBox*>(QStringLiteral("resultsDetector"))->currentText(),
             QStringLiteral("knn"));
    QCOMPARE(page.findChild<QComboBox*>(QStringLiteral("resultsOut"))->currentText(),
             QStringLiteral("noise-uniform"));
    // Following the selectors back moves the row.
    choose(page, "resultsDetector", "msp");
    QCOMPARE(
        table->currentIndex().row(),
        model->find(QStringLiteral("msp"), QStringLiteral("noise-uniform"), QStringLiteral("pgd")));
  }

  void theFocusedDetectorIsInSightInTheTable() {
    Workbench bench;
    ResultsPage page(bench.context);
    open(bench, page);
    QCOMPARE(bench.focus.detector(), QStringLiteral("msp"));
    auto* table = page.findChild<QTableView*>(QStringLiteral("resultsTable"));
    auto* model = qobject_cast<ResultTableModel*>(table->model());
    table->setMaximumHeight(110);  // two rows
    QTest::qWait(60);
    const auto inSight = [&](int line) {
      const QRect row = table->visualRect(model->index(line, 0));
      return table->selectionModel()->isRowSelected(line, {}) &&
             table->viewport()->rect().contains(row.center());
    };
    const auto lineOf = [&](const char* detector) {
      return model->find(QLatin1String(detector), QStringLiteral("glyphs"), QStringLiteral("pgd"));
    };
    const int first = lineOf("msp");
    QVERIFY(inSight(first));
    // Chosen on another page.
    const QString last = model->lines().back().detector;
    QSignalSpy shown(&page, &ResultsPage::shown);
    bench.focus.setDetector(last);
    QVERIFY(shown.wait(5000));
    QCOMPARE(page.findChild<QComboBox*>(QStringLiteral("resultsDetector"))->currentText(), last);
    QVERIFY(inSight(lineOf(qPrintable(last))));
    QVERIFY(!inSight(first));
    bench.focus.setDetector(QStringLiteral("of another run"));
    QCOMPARE(page.findChild<QComboBox*>(QStringLiteral("resultsDetector"))->currentText(), last);
  }

  void aSelectionLeavesTheHealthLineItsRoom() {
    Workbench bench;
    ResultsPage page(bench.context);
    open(bench, page);
    page.resize(940, 560);
    QTest::qWait(60);
    auto* health = page.findChild<QLabel*>(QStringLiteral("resultsHealth"));
    auto* detector = page.findChild<QComboBox*>(QStringLiteral("resultsDetector"));
    const QRect line = health->geometry(), box = detector->geometry();
    QVERIFY2(line.width() > 400, qPrintable(QString::number(line.width())));
    SampleSet samples;
    for (int i = 0; i < 300; ++i) samples.insert({QStringLiteral("glyphs"), true}, i);
    bench.selection.commit(samples, QStringLiteral("test"));
    QTest::qWait(60);
    QVERIFY(page.findChild<QLabel*>(QStringLiteral("resultsSelection"))->isVisible());
    QCOMPARE(health->geometry(), line);
    QCOMPARE(detector->geometry(), box);
  }

  void countsMatchBruteForceAtManyThresholds() {
    Workbench bench;
    ResultsPage page(bench.context);
    open(bench, page);
    choose(page, "resultsDetector", "energy");
    RunStore store = bench.store();
    const auto in = store.scores(bench.ids[0], "energy", "", "fashion-mnist", false)->scores;
    const auto out = store.scores(bench.ids[0], "energy", "pgd", "glyphs", true)->scores;
    auto* bar = page.findChild<ThresholdBar*>();
    const auto above = [](const std::vector<double>& scores, double threshold) {
      return std::count_if(scores.begin(), scores.end(), [=](double s) { return s > threshold; });
    };
    for (const double threshold : {in[3], in[50], -9.0, out[7], -4.25, -100.0, 100.0}) {
      page.thresholds()->setThreshold(threshold);
      QCOMPARE(bar->countText(ThresholdBar::InFlagged, false),
               QLocale().toString(qint64(above(in, threshold))));
      QCOMPARE(bar->countText(ThresholdBar::InKept, false),
               QLocale().toString(qint64(in.size()) - above(in, threshold)));
      QCOMPARE(bar->countText(ThresholdBar::OutFlagged, true),
               QLocale().toString(qint64(above(out, threshold))));
      const auto point = page.findChild<RocPlot*>()->pointAt(0, threshold);
      QCOMPARE(point->x(), double(above(in, threshold)) / double(in.size()));
    }
    page.thresholds()->keepIn(0.95);
    QVERIFY(above(in, *page.thresholds()->threshold()) <= 10);
    page.findChild<QWidget*>(QStringLiteral("thresholdFlagOut"))->setFocus();
    QTest::keyClick(page.findChild<QWidget*>(QStringLiteral("thresholdFlagOut")), Qt::Key_Space);
    const auto cleanOut = store.scores(bench.ids[0], "energy", "", "glyphs", true)->scores;
    QVERIFY(above(cleanOut, *page.thresholds()->threshold()) >= 190);
    page.thresholds()->bestYouden();
    double best = 0;
    for (const double t : in) {
      best = std::max(best, double(above(cleanOut, t) - above(in, t)) / 200);
    }
    for (const double t : cleanOut) {
      best = std::max(best, double(above(cleanOut, t) - above(in, t)) / 200);
    }
    const double t = *page.thresholds()->threshold();
    QCOMPARE(double(above(cleanOut, t) - above(in, t)) / 200, best);
  }

  void theThresholdIsDraggedInTheHistogram() {
    Workbench bench;
    ResultsPage page(bench.context);
    open(bench, page);
    auto* histogram = page.findChild<HistogramPlot*>();
    auto* canvas = histogram->findChild<QWidget*>(QStringLiteral("canvas"));
    QTest::qWait(50);
    const double before = *page.thresholds()->threshold();
    const QPoint start(int(histogram->thresholdPixel()), canvas->height() / 2);
    QTest::mousePress(canvas, Qt::LeftButton, {}, start);
    QTest::mouseMove(canvas, start - QPoint(60, 0));
    QTest::mouseRelease(canvas, Qt::LeftButton, {}, start - QPoint(60, 0));
    const double after = *page.thresholds()->threshold();
    QVERIFY(after < before);
    QCOMPARE(*histogram->threshold(), after);
    QVERIFY(!histogram->isZoomed());
    // Another detector has its own threshold; coming back finds this one again.
    choose(page, "resultsDetector", "knn");
    QVERIFY(*page.thresholds()->threshold() != after);
    choose(page, "resultsDetector", "msp");
    QCOMPARE(*page.thresholds()->threshold(), after);
    canvas->setFocus();
    QTest::keyClick(canvas, Qt::Key_Right);
    QVERIFY(*page.thresholds()->threshold() > after);
  }

  void aBarSelectsItsSamplesAndUndoReturns() {
    Workbench bench;
    ResultsPage page(bench.context);
    open(bench, page);
    auto* histogram = page.findChild<HistogramPlot*>();
    auto* canvas = histogram->findChild<QWidget*>(QStringLiteral("canvas"));
    QTest::qWait(50);
    const QPoint at(int(histogram->thresholdPixel()) - 80, canvas->height() / 2);
    QTest::mouseClick(canvas, Qt::LeftButton, {}, at);
    const SampleSet first = bench.selection.current();
    QVERIFY(first.size() > 0);
    auto* label = page.findChild<ElidedLabel*>(QStringLiteral("resultsSelection"));
    QCOMPARE(
        label->fullText(),
        QStringLiteral("%1 in, %2 out selected").arg(first.count(false)).arg(first.count(true)));
    QTest::mouseClick(canvas, Qt::LeftButton, Qt::ShiftModifier, at + QPoint(30, 0));
    QVERIFY(bench.selection.current().size() > first.size());
    grab(page, QStringLiteral("results-selected"));
    bench.selection.undoStack()->undo();
    QVERIFY(bench.selection.current() == first);
    // A count of the threshold bar selects exactly as many samples as it says.
    auto* cell = page.findChild<QAbstractButton*>(QStringLiteral("cleanInFlagged"));
    QTest::mouseClick(cell, Qt::LeftButton);
    QCOMPARE(bench.selection.current().size(), cell->text().section(u' ', 1).toLongLong());
    QCOMPARE(bench.selection.current().count(true), 0);
  }

  void doubleClickMaximisesAndEscapeReturns() {
    Workbench bench;
    ResultsPage page(bench.context);
    open(bench, page);
    QVERIFY(QTest::qWaitForWindowActive(&page));
    auto* grid = page.findChild<ViewGrid*>();
    auto* roc = page.findChild<RocPlot*>();
    auto* canvas = roc->findChild<QWidget*>(QStringLiteral("canvas"));
    QTest::mouseDClick(canvas, Qt::LeftButton, {}, canvas->rect().center());
    QCOMPARE(grid->maximized(), 1);
    QVERIFY(!page.findChild<HistogramPlot*>()->isVisible());
    QVERIFY(roc->isVisible());
    grab(page, QStringLiteral("results-maximised"));
    canvas->setFocus();
    QTest::keyClick(canvas, Qt::Key_Escape);
    QCOMPARE(grid->maximized(), -1);
    QVERIFY(page.findChild<HistogramPlot*>()->isVisible());
  }

  void anInconsistentTableIsSaid() {
    Workbench bench;
    RunStore store = bench.store();
    auto rows = store.results(bench.ids[0]);
    for (ResultRow& row : rows) {
      if (row.setting == "in_out") row.auroc = 0.999;
    }
    store.putResults(bench.ids[0], rows, {});
    ResultsPage page(bench.context);
    open(bench, page);
    QVERIFY(page.findChild<ElidedLabel*>(QStringLiteral("resultsHealth"))
                ->fullText()
                .contains(QLatin1String("Not consistent")));
  }

  void attacksThatAimElsewhereNeedNotBeWorse() {
    Workbench bench;
    RunStore store = bench.store();
    auto rows = store.results(bench.ids[0]);
    for (ResultRow& row : rows) {
      if (row.setting == "out") row.auroc = 0.9999;  // better than clean
    }
    store.putResults(bench.ids[0], rows, {});
    ResultTableModel model;
    model.setRows(rows);
    HealthLabel label;
    const auto said = [&](const Json& attack) {
      label.showChecks({}, {{"attacks", Json::array({attack})}}, model);
      return label.fullText();
    };
    // As the report counts: what raises the classifier's loss, or keeps whatever noise comes.
    const Json aimed = {{"type", "fgsm"}, {"label", "pgd"}, {"loss", "objective"}};
    const Json loss = {{"type", "fgsm"}, {"label", "pgd"}, {"loss", "total"}};
    const Json noise = {{"type", "salt_pepper"}, {"label", "pgd"}, {"keep", "last"}};
    for (const Json& attack : {aimed, loss, noise}) {
      RunReport report;
      report.run.specification = {{"attacks", Json::array({attack})}};
      report.results = rows;
      const bool wrong = !checkConsistency({report}).violations.empty();
      QCOMPARE(wrong, attack == aimed);
      QCOMPARE(said(attack).contains(QLatin1String("Not consistent")), wrong);
    }
    QVERIFY2(said(aimed).contains(QLatin1String("under pgd")), qPrintable(said(aimed)));
    QVERIFY(label.property("role").toString() == QLatin1String("error"));
  }

  void manyAttacksDoNotWidenThePage() {
    Workbench bench;
    RunStore store = bench.store();
    auto rows = store.results(bench.ids[0]);
    const auto first = rows;
    Json accuracies = Json::object();
    for (int i = 0; i < 8; ++i) {
      const std::string name =
          "projected gradient descent with a momentum, radius " + std::to_string(i) + "/255";
      accuracies[name] = 0.1 * i;
      for (ResultRow row : first) {
        if (row.attack.empty()) continue;
        row.attack = name;
        rows.push_back(row);
      }
    }
    store.putResults(bench.ids[0], rows, {});
    store.setRunSummary(bench.ids[0], {{"accuracy_clean", 0.9}, {"accuracy_attacked", accuracies}},
                        {});
    ResultsPage page(bench.context);
    open(bench, page);
    auto* attack = page.findChild<QComboBox*>(QStringLiteral("resultsAttack"));
    QVERIFY(attack->count() >= 8);
    auto* accuracy = page.findChild<ElidedLabel*>(QStringLiteral("resultsAccuracy"));
    const QString third = attack->itemData(attack->count() - 6).toString();
    choose(page, "resultsAttack", third.toUtf8().constData());
    QVERIFY(accuracy->fullText().endsWith(QStringLiteral(" under ") + third));
    QCOMPARE(accuracy->fullText().count(QLatin1String(" under ")), 1);
    for (const auto& [name, share] : accuracies.items()) {
      QVERIFY(accuracy->toolTip().contains(QString::fromStdString(name)));
    }
    // What is left of a window of 1280 beside the navigation and the inspector.
    const int width = page.minimumSizeHint().width();
    QVERIFY2(width < 800, qPrintable(QString::number(width)));
    grab(page, QStringLiteral("results-many-attacks"));
  }

  void theHealthLineNamesWhatIsWrong() {
    Workbench bench;
    RunStore store = bench.store();
    const auto show = [&](const char* verdict, const char* line) {
      Json check{{"id", "H14 knn"},    {"title", "few equal <scores>"},
                 {"verdict", verdict}, {"value", 0.25},
                 {"threshold", 0.1},   {"detail", "glyphs"}};
      store.setRunSummary(bench.ids[0],
                          {{"accuracy_clean", 0.9},
                           {"health", std::string("health: ") + line},
                           {"health_checks", Json::array({check})}},
                          {});
      auto page = std::make_unique<ResultsPage>(bench.context);
      open(bench, *page);
      return page;
    };
    auto page = show("green", "1 green");
    const auto label = [&] {
      return page->findChild<ElidedLabel*>(QStringLiteral("resultsHealth"));
    };
    QCOMPARE(label()->fullText(), QStringLiteral("✓ Health: 1 green"));
    for (const char* part : {"H14 knn", "few equal &lt;scores&gt;", "0.25", "0.1", "glyphs"}) {
      QVERIFY2(label()->toolTip().contains(QLatin1String(part)), part);
    }
    page = show("amber", "1 amber (H14 knn)");
    QCOMPARE(label()->fullText(), QStringLiteral("⚠ Health: 1 amber (H14 knn)"));
    QCOMPARE(label()->property("role").toString(), QStringLiteral("warning"));
    page = show("red", "1 red (H14 knn)");
    QCOMPARE(label()->fullText(), QStringLiteral("✗ Health: 1 red (H14 knn)"));
    QCOMPARE(label()->property("role").toString(), QStringLiteral("error"));
    QVERIFY(!page->findChild<ElidedLabel*>(QStringLiteral("resultsAccuracy"))
                 ->fullText()
                 .contains(QLatin1String("under")));
  }

  void aDetectorWithARedCheckIsMarkedAndNeverBest() {
    Workbench bench;
    RunStore store = bench.store();
    const auto check = [](const char* id, const char* subject, const char* verdict) {
      return Json{{"id", id},           {"subject", subject}, {"title", "a title"},
                  {"verdict", verdict}, {"value", 1.0},       {"threshold", 0.0}};
    };
    ResultTableModel model;
    model.setRows(store.results(bench.ids[0]));
    const auto text = [&](int row) {
      return model.index(row, ResultTableModel::Detector).data().toString();
    };
    const auto bests = [&] {
      QStringList found;
      for (int row = 0; row < model.rowCount(); ++row) {
        const QModelIndex index = model.index(row, ResultTableModel::InOut);
        if (index.data(ResultTableModel::BestRole).toBool()) found += text(row);
      }
      return found;
    };
    QVERIFY(!bests().isEmpty());
    const QString best = bests().first();
    for (int row = 0; row < model.rowCount(); ++row) QVERIFY(!text(row).contains(u'†'));
    const auto judge = [&](const Json& checks) {
      model.setHealth(readHealth({{"health_checks", checks}}));
    };
    const std::string subject = "pgd on " + best.toStdString();
    judge(Json::array({check("H27", subject.c_str(), "red"), check("H14", "", "amber")}));
    QVERIFY(!bests().contains(best));
    QVERIFY(!bests().contains(best + u'†'));
    for (int row = 0; row < model.rowCount(); ++row) {
      const bool mine = model.lines()[std::size_t(row)].detector == best;
      QCOMPARE(text(row).endsWith(u'†'), mine);
      const QModelIndex value = model.index(row, ResultTableModel::InOut);
      QCOMPARE(value.data(Qt::ToolTipRole).toString().contains(QLatin1String("H27 pgd on")), mine);
    }
    judge(Json::array({check("H1", "", "red")}));  // of the whole run
    QVERIFY(bests().isEmpty());
    judge(Json::array());
    QCOMPARE(bests().first(), best);
  }

  void curvesOfARunHaveAChoiceBesideThePrPlot() {
    Workbench bench;
    ResultsPage page(bench.context);
    open(bench, page);
    auto* curves = page.findChild<CurveSwitch*>();
    const auto box = [&] {
      return curves->currentWidget()->findChild<QComboBox*>(QStringLiteral("curveKind"));
    };
    QVERIFY(!box()->isVisible());  // without such curves there is nothing to choose
    RunStore store = bench.store();
    std::vector<CurveRecord> records;
    for (const char* detector : {"msp", "knn"}) {
      for (const char* setting : {"in", "in_out"}) {
        records.push_back({detector,
                           "pgd",
                           setting,
                           "glyphs",
                           "auroc-epsilon",
                           {0, 0.01, 0.02},
                           {0.9, 0.6, setting[2] ? 0.2 : 0.4}});
      }
    }
    records.push_back({"msp", "pgd", "in_out", "noise-uniform", "auroc-steps", {1, 2}, {0.5, 0.4}});
    const auto rows = store.results(bench.ids[0]);
    store.putResults(bench.ids[0], rows, records);
    QTRY_VERIFY_WITH_TIMEOUT(box()->isVisible(), 5000);
    QCOMPARE(box()->count(), 2);  // only what belongs to the out set chosen
    box()->setCurrentIndex(1);
    Q_EMIT box()->activated(1);
    QCOMPARE(curves->chosen(), QStringLiteral("auroc-epsilon"));
    TrendPlot* plot = curves->trend();
    QVERIFY(plot->isVisible());
    QCOMPARE(plot->series().size(), 2);  // one line per detector, in the hardest setting
    QCOMPARE(plot->series()[1].name, QStringLiteral("knn"));
    QCOMPARE(plot->series()[1].y, (QVector<double>{0.9, 0.6, 0.2}));
    QVERIFY(plot->csv().contains(QLatin1String("AUROC (in_out)")));
    for (const char* suffix : {"png", "pdf", "svg", "csv"}) {
      const QString path = bench.folder.filePath(QStringLiteral("trend.") + QLatin1String(suffix));
      QVERIFY(plot->exportTo(path));
      QVERIFY(QFileInfo(path).size() > 50);
    }
    grabBoth(page, QStringLiteral("results-trend"));
    choose(page, "resultsOut", "noise-uniform");
    QCOMPARE(curves->chosen(), QStringLiteral("pr"));
    QVERIFY(curves->choose(QStringLiteral("auroc-steps")));
    QVERIFY(!curves->choose(QStringLiteral("auroc-epsilon")));
  }

  void theHealthPanelIsOneClickAway() {
    Workbench bench;
    RunStore store = bench.store();
    store.setRunSummary(bench.ids[0],
                        {{"health", "health: 1 red (H14 knn)"},
                         {"health_checks", Json::array({{{"id", "H14 knn"},
                                                         {"title", "few equal scores"},
                                                         {"verdict", "red"},
                                                         {"value", 0.25},
                                                         {"threshold", 0.1}}})}},
                        {});
    ResultsPage page(bench.context);
    open(bench, page);
    auto* panel = page.findChild<HealthPanel*>();
    QVERIFY(!panel->isVisible());
    QTest::mouseClick(page.findChild<QWidget*>(QStringLiteral("resultsHealth")), Qt::LeftButton);
    QVERIFY(panel->isVisible());
    QCOMPARE(panel->lights()->card(1)->verdict(), HealthVerdict::Red);
    // What the run has stored of its attack is shown although it kept no series.
    QVERIFY(!panel->plots()->plot(HealthPlots::BestScore)->isEmpty());
    const QString cost = healthCost(store, store.run(bench.ids[0]));
    QVERIFY(cost.startsWith(QLatin1String("About ")));
    QVERIFY(panel->findChild<QLabel*>(QStringLiteral("healthCostlyText"))->text().contains(cost));
    grabBoth(page, QStringLiteral("results-health"));
    page.findChild<QAbstractButton*>(QStringLiteral("showFigures"))->click();
    QVERIFY(!panel->isVisible());
    QVERIFY(page.findChild<RocPlot*>()->isVisible());
  }

  void draggingKeepsUpWithTenThousandScores() {
    Workbench bench(0);
    Random random(Seed(5));
    HistogramPlot histogram;
    histogram.resize(640, 320);
    histogram.show();
    ThresholdModel model;
    ThresholdBar bar(&model);
    bar.show();
    RocPlot roc;
    roc.resize(640, 320);
    roc.show();
    QVector<HistogramSeries> series;
    std::vector<double> in, out;
    for (int i = 0; i < 10000; ++i) {
      in.push_back(random.normal());
      out.push_back(random.normal() + 1.5);
    }
    series.append({QStringLiteral("in"), {QStringLiteral("a"), false}, false, in, {}});
    series.append({QStringLiteral("out"), {QStringLiteral("b"), true}, false, out, {}});
    histogram.setSeries(series);
    const RocCurve curve = rocCurve(in, out);
    roc.setCurves({{QStringLiteral("clean"), curve.fpr, curve.tpr, curve.thresholds, 0.9}});
    connect(&model, &ThresholdModel::thresholdChanged, &histogram,
            [&](double t) { histogram.setThreshold(t); });
    connect(&model, &ThresholdModel::thresholdChanged, &roc,
            [&](double t) { roc.setThreshold(t); });
    model.setScores(1, QStringLiteral("d"),
                    {SortedScores(in), SortedScores(out), SortedScores(in), SortedScores(out)});
    QTest::qWait(50);
    QElapsedTimer clock;
    clock.start();
    constexpr int updates = 60;
    for (int i = 0; i < updates; ++i) {
      model.setThreshold(-2 + 4.0 * i / updates);
      QCoreApplication::processEvents();
    }
    const double perSecond = updates * 1000.0 / double(std::max<qint64>(1, clock.elapsed()));
    qInfo("threshold updates per second: %.0f", perSecond);
    QVERIFY(perSecond > 30);
  }
};

QTEST_MAIN(TestResultsPage)
#include "tst_results_page.moc"
