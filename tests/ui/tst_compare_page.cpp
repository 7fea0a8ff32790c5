#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QComboBox>
#include <QElapsedTimer>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QtTest/QtTest>

#include "core/experiment/specification.h"
#include "ui/models/config_diff_model.h"
#include "ui/models/run_table_model.h"
#include "ui/pages/compare_page.h"
#include "ui/plots/curve_plot.h"
#include "ui/widgets/panel.h"
#include "ui_support.h"

using namespace bulwark;
using namespace bulwark::testing;

namespace {

void open(ComparePage& page) {
  page.resize(1180, 640);
  QSignalSpy listed(&page, &ComparePage::listed);
  page.show();
  QVERIFY(listed.wait(5000));
}

void select(ComparePage& page, const std::vector<qint64>& runs) {
  QSignalSpy compared(&page, &ComparePage::compared);
  page.selectRuns(runs);
  QVERIFY(compared.wait(5000));
}

QTableView* table(ComparePage& page) {
  return page.findChild<QTableView*>(QStringLiteral("compareTable"));
}

QString cell(ComparePage& page, int row, int column) {
  return table(page)->model()->index(row, column).data().toString();
}

std::vector<RunRow> manyRows(int count) {
  std::vector<RunRow> rows;
  for (int i = 0; i < count; ++i) {
    RunRow row;
    row.id = i + 1;
    row.name = QStringLiteral("run %1 %2").arg(i).arg(i % 3 ? "pgd" : "fgsm");
    row.device = QStringLiteral("cpu");
    row.state = i % 7 ? RunState::Done : RunState::Failed;
    row.created = QDateTime::fromSecsSinceEpoch(1700000000 + i * 60);
    row.seconds = i % 100;
    row.pinned = i == 400;
    row.stamp = QString::number(i);
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

class TestComparePage : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void saysWhatBelongsHereWithoutRuns() {
    Workbench bench(0);
    ComparePage page(bench.context);
    open(page);
    QVERIFY(page.findChild<EmptyState*>()->isVisible());
  }

  void listsTheRunsWithTheirBestValues() {
    Workbench bench(3);
    ComparePage page(bench.context);
    open(page);
    QAbstractItemModelTester tester(table(page)->model());
    QCOMPARE(table(page)->model()->rowCount(), 3);
    // By hand: mean over the out sets, best detector.
    std::map<std::string, double> sums;
    for (const ResultRow& row : bench.store().results(bench.ids[2])) {
      if (row.setting == "in_out") sums[row.detector] += row.auroc / 2;
    }
    double best = 0;
    for (const auto& [name, mean] : sums) best = std::max(best, mean);
    int at = -1;
    for (int row = 0; row < 3; ++row) {
      if (cell(page, row, RunTableModel::Name) == QLatin1String("sample 3")) at = row;
    }
    QVERIFY(at >= 0);
    QTRY_COMPARE(cell(page, at, RunTableModel::InOut), QLocale().toString(best, 'f', 3));
    QVERIFY(!cell(page, at, RunTableModel::Duration).isEmpty());
  }

  void theDifferencesAreExactlyThoseOfTheConfigurations() {
    Json first = {{"name", "a"}, {"seed", 1}, {"attack", {{"eps", "8/255"}, {"steps", 10}}}};
    Json second = first, third = first;
    second["name"] = "b";
    second["seed"] = 2;
    third["attack"]["steps"] = 20;
    third["attack"]["restarts"] = 5;
    const ConfigurationDiff diff = diffConfigurations({{QStringLiteral("a"), first},
                                                       {QStringLiteral("b"), second},
                                                       {QStringLiteral("c"), third}});
    ConfigDiffModel model;
    QAbstractItemModelTester tester(&model);
    model.setDiff(diff);
    QCOMPARE(model.rowCount(), 3);
    QCOMPARE(model.columnCount(), 4);
    const auto row = [&](int at) {
      QStringList values;
      for (int column = 0; column < 4; ++column)
        values += model.index(at, column).data().toString();
      return values;
    };
    QCOMPARE(row(0), (QStringList{"seed", "1", "2", "1"}));
    QCOMPARE(row(1), (QStringList{"attack.steps", "10", "10", "20"}));
    QCOMPARE(row(2), (QStringList{"attack.restarts", "–", "–", "5"}));
  }

  void selectedRunsAreCompared() {
    Workbench bench(3);
    ComparePage page(bench.context);
    open(page);
    select(page, {bench.ids[0], bench.ids[2]});
    auto* diff = page.findChild<QTableView*>(QStringLiteral("compareDiff"));
    QVERIFY(diff->isVisible());
    QCOMPARE(diff->model()->rowCount(), 1);
    QCOMPARE(diff->model()->index(0, 0).data().toString(), QStringLiteral("seed"));
    QCOMPARE(diff->model()->headerData(1, Qt::Horizontal).toString(),
             QStringLiteral("#%1 sample 3").arg(bench.ids[2]));  // the newest stands on top
    // Both runs are in sight.
    QTRY_VERIFY(diff->columnViewportPosition(2) + diff->columnWidth(2) <=
                diff->viewport()->width() + 1);
    auto* roc = page.findChild<RocPlot*>();
    QCOMPARE(roc->curves().size(), 2);
    QCOMPARE(roc->curves()[1].name, QStringLiteral("#%1 sample 1").arg(bench.ids[0]));
    auto* setting = page.findChild<QComboBox*>(QStringLiteral("compareSetting"));
    QSignalSpy compared(&page, &ComparePage::compared);
    setting->setCurrentIndex(setting->findData(QStringLiteral("in_out")));
    QVERIFY(compared.wait(5000));
    for (const ThresholdCurve& curve : roc->curves()) {
      const qint64 run = curve.name == QStringLiteral("#%1 sample 1").arg(bench.ids[0])
                             ? bench.ids[0]
                             : bench.ids[2];
      for (const ResultRow& row : bench.store().results(run)) {
        if (row.detector == "msp" && row.setting == "in_out" && row.out == "glyphs") {
          QCOMPARE(curve.area, row.auroc);
        }
      }
    }
    QTest::qWait(100);
    grabBoth(page, QStringLiteral("compare"));
    page.resize(916, 560);
    page.findChild<QCheckBox*>(QStringLiteral("compareHideConstant"))->setChecked(false);
    QTRY_VERIFY(table(page)->columnWidth(RunTableModel::Name) >= 120);  // however many there are
    grab(page, QStringLiteral("compare-narrow"));
    select(page, {bench.ids[0]});
    QVERIFY(page.findChild<QLabel*>(QStringLiteral("compareDiffText"))->isVisible());
  }

  void filtersSortsAndPins() {
    Workbench bench(3);
    ComparePage page(bench.context);
    open(page);
    auto* query = page.findChild<QLineEdit*>(QStringLiteral("compareFilter"));
    QTest::keyClicks(query, QStringLiteral("sample 2"));
    QCOMPARE(table(page)->model()->rowCount(), 1);
    query->setText(QStringLiteral("seed>=2 state=done"));
    QCOMPARE(table(page)->model()->rowCount(), 2);
    query->setText(QStringLiteral("state=failed"));
    QCOMPARE(table(page)->model()->rowCount(), 0);
    query->clear();
    table(page)->sortByColumn(RunTableModel::Name, Qt::AscendingOrder);
    QCOMPARE(cell(page, 0, RunTableModel::Name), QStringLiteral("sample 1"));
    // A click into the first column of the last row pins it: it goes to the top and stays there.
    const QRect pin = table(page)->visualRect(table(page)->model()->index(2, RunTableModel::Pin));
    QTest::mouseClick(table(page)->viewport(), Qt::LeftButton, {}, pin.center());
    QTRY_COMPARE(cell(page, 0, RunTableModel::Name), QStringLiteral("sample 3"));
    table(page)->sortByColumn(RunTableModel::Name, Qt::DescendingOrder);
    QCOMPARE(cell(page, 0, RunTableModel::Name), QStringLiteral("sample 3"));
    QCOMPARE(cell(page, 1, RunTableModel::Name), QStringLiteral("sample 2"));
    QVERIFY(bench.store().run(bench.ids[2]).pinned);
  }

  void hidesConstantColumns() {
    Workbench bench(2);
    ComparePage page(bench.context);
    open(page);
    QVERIFY(table(page)->isColumnHidden(RunTableModel::Device));
    QVERIFY(!table(page)->isColumnHidden(RunTableModel::Seed));
    page.findChild<QCheckBox*>(QStringLiteral("compareHideConstant"))->setChecked(false);
    QVERIFY(!table(page)->isColumnHidden(RunTableModel::Device));
  }

  void runsOfOneNameAreToldApartByTheirNumbers() {
    QCOMPARE(runTitles({12, 13}, {"same", "same"}), (QStringList{"#12", "#13"}));
    QCOMPARE(runTitles({12, 13}, {"Demo: robust net", "Demo: standard net"}),
             (QStringList{"#12 robust", "#13 standard"}));
    Workbench bench(2);
    bench.store().setRunName(bench.ids[1], "sample 1");
    ComparePage page(bench.context);
    open(page);
    QStringList numbers;
    for (int row = 0; row < 2; ++row) numbers += cell(page, row, RunTableModel::Number);
    numbers.sort();
    QCOMPARE(numbers, (QStringList{QStringLiteral("#%1").arg(bench.ids[0]),
                                   QStringLiteral("#%1").arg(bench.ids[1])}));
    page.findChild<QLineEdit*>(QStringLiteral("compareFilter"))
        ->setText(QStringLiteral("#%1").arg(bench.ids[1]));
    QCOMPARE(table(page)->model()->rowCount(), 1);
    QCOMPARE(cell(page, 0, RunTableModel::Number), QStringLiteral("#%1").arg(bench.ids[1]));
  }

  void whatIsEmptyOnBothSidesDiffersInNothing() {
    const Json plain = {{"evaluation", {{"seed", 1}}}};
    Json empty = plain;
    empty["evaluation"]["health_thresholds"] = Json::object();
    empty["evaluation"]["curves"] = Json::array();
    QVERIFY(diffConfigurations({{"a", plain}, {"b", empty}}).lines.empty());
    empty["evaluation"]["health_thresholds"]["H22"] = Json::array({0.1, 0.2});
    QCOMPARE(diffConfigurations({{"a", plain}, {"b", empty}}).lines.size(), std::size_t{1});
  }

  void aDefaultWrittenDownDiffersInNothing() {
    const Registries registries = builtinRegistries();
    const DatasetCatalogue catalogue({});
    const Json compact = preset("demo").specification;
    Json full = Specification::fromJson(compact, registries, catalogue).toJson();
    QVERIFY(!diffConfigurations({{"a", compact}, {"b", full}}).lines.empty());
    const auto lines = [&](const Json& a, const Json& b) {
      return diffConfigurations(completed({{"a", a}, {"b", b}}, registries, catalogue)).lines;
    };
    QVERIFY(lines(compact, full).empty());
    setByPath(full, "attacks[0].eps", "1/255");
    const auto changed = lines(compact, full);
    QCOMPARE(changed.size(), std::size_t{1});
    QCOMPARE(changed[0].path, QStringLiteral("attacks[0].eps"));
    QCOMPARE(changed[0].values[1], QStringLiteral("1/255"));
    // What this version cannot read is compared as it was written.
    const Json other = {{"seed", 3}};
    QCOMPARE(lines(Json{{"seed", 2}}, other).size(), std::size_t{1});
  }

  void aPageComparesRunsWithTheirDefaults() {
    Workbench bench(2);
    const Registries registries = builtinRegistries();
    const DatasetCatalogue catalogue({});
    bench.context.registries = &registries;
    bench.context.catalogue = &catalogue;
    const Json compact = preset("demo").specification;
    Json full = Specification::fromJson(compact, registries, catalogue).toJson();
    full["seed"] = 77;
    const qint64 window = bench.store().createRun("compact", compact, 0, "cpu");
    const qint64 other = bench.store().createRun("full", full, 77, "cpu");
    ComparePage page(bench.context);
    open(page);
    select(page, {window, other});
    auto* diff = page.findChild<QTableView*>(QStringLiteral("compareDiff"));
    QCOMPARE(diff->model()->rowCount(), 1);
    QCOMPARE(diff->model()->index(0, 0).data().toString(), QStringLiteral("seed"));
  }

  void theLegendFollowsANewName() {
    Workbench bench(2);
    ComparePage page(bench.context);
    open(page);
    select(page, {bench.ids[0], bench.ids[1]});
    auto* roc = page.findChild<RocPlot*>();
    QCOMPARE(roc->curves().size(), 2);
    auto* view = table(page);
    view->setFocus();
    view->setCurrentIndex(view->model()->index(0, RunTableModel::Name));
    select(page, {bench.ids[0], bench.ids[1]});
    QTest::keyClick(view, Qt::Key_F2);
    auto* editor = view->findChild<QLineEdit*>();
    QVERIFY(editor);
    editor->setText(QStringLiteral("another name"));
    QTest::keyClick(editor, Qt::Key_Return);
    const auto named = [&] {
      QStringList names;
      for (const ThresholdCurve& curve : roc->curves()) names += curve.name;
      return names.join(u'|').contains(QLatin1String("another name"));
    };
    QTRY_VERIFY(named());
    auto* diff = page.findChild<QTableView*>(QStringLiteral("compareDiff"));
    const auto title = [&](int column) {
      return diff->model()->headerData(column, Qt::Horizontal).toString();
    };
    QTRY_VERIFY((title(1) + title(2)).contains(QLatin1String("another name")));
  }

  void aDetectorWithARedCheckIsNotTheBestOfARun() {
    Workbench bench(1);
    const auto rows = bench.store().results(bench.ids[0]);
    const BestAuroc free = bestAuroc(rows);
    QVERIFY(!free.red);
    const auto judged = [&](const std::string& subject) {
      return bestAuroc(
          rows, {{"health_checks",
                  Json::array({{{"id", "H27"}, {"subject", subject}, {"verdict", "red"}}})}});
    };
    const BestAuroc without = judged("pgd on " + free.inOutDetector.toStdString());
    QVERIFY(without.inOutDetector != free.inOutDetector);
    QVERIFY(*without.inOut <= *free.inOut);
    QVERIFY(!without.red);
    QVERIFY(judged("").red);  // of the whole run: nothing is left to quote
    QCOMPARE(judged("").inOutDetector, free.inOutDetector);
  }

  void namesShowWhatTellsThemApart() {
    QCOMPARE(distinctNames({"Demo: robust net on A", "Demo: standard net on A"}),
             (QStringList{"robust", "standard"}));
    QCOMPARE(distinctNames({"run one", "run two", "run two more"}),
             (QStringList{"one", "two", "two more"}));
    // Where too little would be left, the names stay.
    QCOMPARE(distinctNames({"run 1", "run 2"}), (QStringList{"run 1", "run 2"}));
    QCOMPARE(distinctNames({"same", "same"}), (QStringList{"same", "same"}));
    QCOMPARE(distinctNames({"a b", "a b c d"}), (QStringList{"a b", "a b c d"}));
    QCOMPARE(distinctNames({"alone here"}), QStringList{"alone here"});
    const auto diff = diffConfigurations(
        {{"one", Json{{"type", "standard"}, {"step", 0.0}}}, {"two", Json{{"type", "robust"}}}});
    QCOMPARE(diff.lines.size(), std::size_t{2});
    QCOMPARE(diff.lines[0].values, (QStringList{"standard", "robust"}));
    QCOMPARE(diff.lines[1].values, (QStringList{"0", ""}));
  }

  void renamesAndNotes() {
    Workbench bench(1);
    ComparePage page(bench.context);
    open(page);
    page.findChild<QCheckBox*>(QStringLiteral("compareHideConstant"))->setChecked(false);
    auto* view = table(page);
    view->setFocus();
    view->setCurrentIndex(view->model()->index(0, RunTableModel::Name));
    QTest::keyClick(view, Qt::Key_F2);
    auto* editor = view->findChild<QLineEdit*>();
    QVERIFY(editor);
    editor->setText(QStringLiteral("renamed"));
    QTest::keyClick(editor, Qt::Key_Return);
    QTRY_COMPARE(bench.store().run(bench.ids[0]).name, std::string("renamed"));
    view->model()->setData(view->model()->index(0, RunTableModel::Note), QStringLiteral("good"));
    QTRY_COMPARE(bench.store().run(bench.ids[0]).note, std::string("good"));
    // An empty name is refused.
    QVERIFY(!view->model()->setData(view->model()->index(0, RunTableModel::Name), QString()));
  }

  void deletesOnlyWhenConfirmed() {
    Workbench bench(2);
    ComparePage page(bench.context);
    open(page);
    bench.focus.setRun(bench.ids[0]);
    select(page, {bench.ids[0]});
    bench.dialogs.choices = {1, 0};
    auto* button = page.findChild<QPushButton*>(QStringLiteral("compareDelete"));
    QTest::mouseClick(button, Qt::LeftButton);
    QTest::qWait(100);
    QCOMPARE(bench.store().runs(true).size(), std::size_t(2));
    table(page)->setFocus();
    QTest::keyClick(table(page), Qt::Key_Delete);
    QTRY_COMPARE(bench.store().runs(true).size(), std::size_t(1));
    QTRY_COMPARE(table(page)->model()->rowCount(), 1);
    QCOMPARE(bench.focus.run(), 0);
    QVERIFY(bench.dialogs.shown[0].contains(QLatin1String("sample 1")));
  }

  void handsOutAConfiguration() {
    Workbench bench(2);
    ComparePage page(bench.context);
    open(page);
    select(page, {bench.ids[1]});
    Json given;
    connect(&page, &ComparePage::configurationChosen, &page,
            [&](const Json& json) { given = json; });
    QTest::mouseClick(page.findChild<QPushButton*>(QStringLiteral("compareUse")), Qt::LeftButton);
    QTRY_VERIFY(!given.is_null());
    QCOMPARE(given, bench.store().run(bench.ids[1]).specification);
  }

  void aDoubleClickOpensTheRun() {
    Workbench bench(2);
    ComparePage page(bench.context);
    open(page);
    const QModelIndex index = table(page)->model()->index(1, RunTableModel::Name);
    const QPoint at = table(page)->visualRect(index).center();
    QTest::mouseClick(table(page)->viewport(), Qt::LeftButton, {}, at);
    QTest::mouseDClick(table(page)->viewport(), Qt::LeftButton, {}, at);
    QCOMPARE(bench.focus.run(), index.data(RunTableModel::IdRole).toLongLong());
  }

  void tenThousandRunsStayFluid() {
    RunTableModel model;
    RunFilter filter;
    filter.setSourceModel(&model);
    QElapsedTimer clock;
    clock.start();
    model.setRuns(manyRows(10000));
    filter.sort(RunTableModel::Created, Qt::DescendingOrder);
    const qint64 filled = clock.restart();
    filter.setQuery(QStringLiteral("pgd state=done"));
    const qint64 filtered = clock.restart();
    qInfo("10,000 runs: filled and sorted in %lld ms, filtered in %lld ms", filled, filtered);
    QVERIFY(filtered < 100);
    QCOMPARE(filter.rowCount(), 5714);
    filter.setQuery({});
    QCOMPARE(filter.run(filter.index(0, 0)).id, 401);  // the pinned one
  }
};

QTEST_MAIN(TestComparePage)
#include "tst_compare_page.moc"
