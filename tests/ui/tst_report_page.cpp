#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QFile>
#include <QGuiApplication>
#include <QLabel>
#include <QListView>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QtTest/QtTest>

#include "ui/pages/report_page.h"
#include "ui/widgets/panel.h"
#include "ui_support.h"

using namespace bulwark;
using namespace bulwark::testing;

namespace {

void open(Workbench& bench, ReportPage& page) {
  page.resize(1180, 640);
  QSignalSpy previewed(&page, &ReportPage::previewed);
  page.show();
  bench.focus.setRun(bench.ids[0]);
  QTRY_VERIFY(!page.content().empty());
}

void choose(ReportPage& page, const char* box, const char* value) {
  auto* combo = page.findChild<QComboBox*>(QLatin1String(box));
  const int index = combo->findData(QLatin1String(value));
  QVERIFY2(index >= 0, value);
  if (index == combo->currentIndex()) return;
  QSignalSpy previewed(&page, &ReportPage::previewed);
  combo->setCurrentIndex(index);
  QVERIFY(previewed.wait(5000));
}

QString previewText(ReportPage& page) {
  return page.findChild<QPlainTextEdit*>(QStringLiteral("reportSource"))->toPlainText();
}

// What the writers of core/report give for the same runs.
std::string expected(Workbench& bench, const ReportRequest& request) {
  std::vector<RunReport> reports;
  RunStore store = bench.store();
  for (const std::int64_t id : request.runs) {
    RunReport report;
    report.run = store.run(id);
    report.datasets = store.datasets(id);
    report.epochs = store.epochMetrics(id);
    report.results = store.results(id);
    report.curves = store.curves(id);
    report.scores = store.scoreSets(id);
    report.pairs = store.imagePairs(id);
    reports.push_back(std::move(report));
  }
  return exportRuns(reports, request.what, request.format, request.options);
}

}  // namespace

class TestReportPage : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void saysWhatBelongsHereWithoutRuns() {
    Workbench bench(0);
    ReportPage page(bench.context);
    page.show();
    QVERIFY(page.findChild<EmptyState*>()->isVisible());
  }

  void thePreviewIsWhatTheWritersWrite() {
    Workbench bench;
    ReportPage page(bench.context);
    open(bench, page);
    for (const char* format : {"tex", "md", "csv", "html", "json", "txt"}) {
      choose(page, "reportFormat", format);
      QCOMPARE(page.request().format, std::string(format));
      QCOMPARE(previewText(page), QString::fromStdString(page.content()));
      QCOMPARE(QString::fromStdString(page.content()),
               QString::fromStdString(expected(bench, page.request())));
    }
    choose(page, "reportFormat", "tex");
    QVERIFY(previewText(page).contains(QLatin1String("\\toprule")));
    grabBoth(page, QStringLiteral("report"));
    page.resize(916, 560);
    grab(page, QStringLiteral("report-narrow"));
    choose(page, "reportFormat", "html");
    page.findChild<QCheckBox*>(QStringLiteral("reportAsPage"))->setChecked(true);
    grab(page, QStringLiteral("report-html"));
  }

  void everyKindCanBePreviewed() {
    Workbench bench;
    ReportPage page(bench.context);
    open(bench, page);
    for (const ExportKind& kind : exportKinds()) {
      choose(page, "reportWhat", kind.name.c_str());
      for (const std::string& format : kind.formats) {
        choose(page, "reportFormat", format.c_str());
        if (kind.name == "pr" || kind.name == "curves" || kind.name == "weights") {
          // The sample runs keep none of these curves: the page says so, and offers no export.
          QVERIFY(page.findChild<QLabel*>(QStringLiteral("reportMessage"))->isVisible());
          QVERIFY(!page.findChild<QPushButton*>(QStringLiteral("reportExport"))->isEnabled());
        } else {
          QVERIFY2(!page.content().empty(), (kind.name + " " + format).c_str());
        }
      }
    }
    choose(page, "reportWhat", "images");
    choose(page, "reportFormat", "png");
    grab(page, QStringLiteral("report-images"));
  }

  void aFullReportIsShownAsAPage() {
    Workbench bench;
    ReportPage page(bench.context);
    open(bench, page);
    choose(page, "reportWhat", "report");
    QTRY_VERIFY(page.findChild<QWidget*>(QStringLiteral("reportRendered"))->isVisible());
    QVERIFY(page.findChild<QCheckBox*>(QStringLiteral("reportAsPage"))->isChecked());
  }

  void optionsReachTheWriter() {
    Workbench bench;
    ReportPage page(bench.context);
    open(bench, page);
    choose(page, "reportFormat", "md");
    choose(page, "reportMetric", "fpr95_id");
    QSignalSpy previewed(&page, &ReportPage::previewed);
    page.findChild<QSpinBox*>(QStringLiteral("reportDecimals"))->setValue(2);
    QVERIFY(previewed.wait(5000));
    const ResultRow row = bench.store().results(bench.ids[0])[0];
    QVERIFY(previewText(page).contains(QString::number(row.fpr95Id, 'f', 2)));
    QVERIFY(!previewText(page).contains(QString::number(row.fpr95Id, 'f', 3)));
    choose(page, "reportFormat", "csv");
    const qsizetype all = previewText(page).count(u'\n');
    page.findChild<QCheckBox*>(QStringLiteral("reportSetting_in"))->setChecked(false);
    QVERIFY(previewed.wait(5000));
    QCOMPARE(previewText(page).count(u'\n'), all - 8);
  }

  void severalRunsShareATable() {
    Workbench bench(2);
    ReportPage page(bench.context);
    open(bench, page);
    choose(page, "reportFormat", "csv");
    auto* list = page.findChild<QListView*>(QStringLiteral("reportRuns"));
    QSignalSpy previewed(&page, &ReportPage::previewed);
    for (int row = 0; row < list->model()->rowCount(); ++row) {
      list->model()->setData(list->model()->index(row, 0), Qt::Checked, Qt::CheckStateRole);
    }
    QVERIFY(previewed.wait(5000));
    QCOMPARE(page.request().runs.size(), std::size_t(2));
    QCOMPARE(previewText(page).trimmed().count(u'\n'), 64);
    for (int row = 0; row < list->model()->rowCount(); ++row) {
      list->model()->setData(list->model()->index(row, 0), Qt::Unchecked, Qt::CheckStateRole);
    }
    QVERIFY(previewed.wait(5000));
    QVERIFY(page.findChild<QLabel*>(QStringLiteral("reportMessage"))->isVisible());
  }

  void exportsAndCopies() {
    Workbench bench;
    ReportPage page(bench.context);
    open(bench, page);
    choose(page, "reportFormat", "tex");
    const QString path = bench.folder.filePath(QStringLiteral("table.tex"));
    bench.dialogs.paths = {path};
    QSignalSpy exported(&page, &ReportPage::exported);
    QTest::mouseClick(page.findChild<QPushButton*>(QStringLiteral("reportExport")), Qt::LeftButton);
    QVERIFY(exported.wait(5000));
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll(), QByteArray::fromStdString(page.content()));
    QTest::mouseClick(page.findChild<QPushButton*>(QStringLiteral("reportCopy")), Qt::LeftButton);
    QCOMPARE(QGuiApplication::clipboard()->text(), QString::fromStdString(page.content()));
    QTest::mouseClick(page.findChild<QPushButton*>(QStringLiteral("reportCommand")),
                      Qt::LeftButton);
    QVERIFY(QGuiApplication::clipboard()->text().startsWith(
        QStringLiteral("bulwark-cli export %1 --what table --format tex").arg(bench.ids[0])));
    // A place that cannot be written is told, and nothing is claimed to be saved.
    bench.dialogs.paths = {bench.folder.filePath(QStringLiteral("none/table.tex"))};
    QTest::mouseClick(page.findChild<QPushButton*>(QStringLiteral("reportExport")), Qt::LeftButton);
    QTRY_COMPARE(bench.dialogs.shown.size(), 1);
    QCOMPARE(exported.count(), 1);
  }

  void scoresAreAnNpzArchive() {
    Workbench bench;
    ReportPage page(bench.context);
    open(bench, page);
    choose(page, "reportWhat", "scores");
    choose(page, "reportFormat", "npz");
    QVERIFY(page.content().starts_with("PK"));
    QVERIFY(!page.findChild<QPushButton*>(QStringLiteral("reportCopy"))->isEnabled());
  }
};

QTEST_MAIN(TestReportPage)
#include "tst_report_page.moc"
