// A researcher's first minutes, with real clicks and the real worker: from the welcome page over
// data, training and attack to an exported ROC figure and a LaTeX table.
#include <QAbstractItemView>
#include <QApplication>
#include <QComboBox>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QToolButton>

#include "core/store/run_store.h"
#include "ui/bridge/dialogs.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/bridge/job_controller.h"
#include "ui/bridge/run_focus.h"
#include "ui/models/dataset_model.h"
#include "ui/shell/main_window.h"
#include "ui/shell/workbench.h"

using namespace bulwark;

namespace {
constexpr int patience = 15000;
constexpr int runPatience = 120000;
}  // namespace

class TestFirstMinutes : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void fromTheWelcomePageToAFigureAndATable() {
    QTemporaryDir folder;
    qputenv("XDG_DATA_HOME", folder.path().toLocal8Bit());
    Workbench::Options options;
    options.database = folder.filePath(QStringLiteral("runs.db"));
    options.settingsFile = folder.filePath(QStringLiteral("bulwark.ini"));
    options.worker = QStringLiteral(BULWARK_CLI);
    auto dialogs = std::make_unique<ScriptedDialogs>();
    ScriptedDialogs* answers = dialogs.get();
    options.dialogs = std::move(dialogs);
    Workbench bench(std::move(options));
    window_ = bench.window();
    const AppContext& context = bench.context();
    bench.start();
    window_->resize(1440, 900);
    window_->show();
    QTRY_VERIFY_WITH_TIMEOUT(window_->isWelcomeShown(), patience);

    // Data: glyphs as the normal set, noise as the anomalous one.
    click(window_, "newExperiment");
    QCOMPARE(static_cast<int>(window_->currentPage()), static_cast<int>(PageId::Data));
    QVERIFY(chooseSet(QStringLiteral("glyphs")));
    click(page(PageId::Data), "useAsIn");
    QVERIFY(chooseSet(QStringLiteral("noise-uniform")));
    click(page(PageId::Data), "useAsOut");
    setNumber(page(PageId::Data), "inSet.train_limit", 200);
    setNumber(page(PageId::Data), "inSet.test_limit", 40);
    setNumber(page(PageId::Data), "outSet0.test_limit", 40);

    // Train: one short epoch on the processor with one thread.
    click(window_, "rail_train");
    type(page(PageId::Train), "runName", QStringLiteral("First minutes"));
    setNumber(page(PageId::Train), "epochs", 1);
    setNumber(page(PageId::Train), "threads", 1);

    // Attack: two detectors, five steps.
    click(window_, "rail_attack");
    auto* detectors = child<QListWidget>(page(PageId::Attack), "detectorList");
    for (int row = 0; row < detectors->count(); ++row) {
      if (detectors->item(row)->data(Qt::UserRole).toString() != QLatin1String("energy")) continue;
      detectors->setCurrentRow(row);
      detectors->setFocus();
      QTest::keyClick(detectors, Qt::Key_Space);
      QVERIFY(detectors->item(row)->checkState() == Qt::Checked);
    }
    type(page(PageId::Attack), "eps", QStringLiteral("16/255"));
    setNumber(page(PageId::Attack), "steps", 5);
    QCOMPARE(context.draft->part("/detectors").size(), std::size_t{2});

    // Run. The window stays where it is and offers the results.
    auto* start = child<QPushButton>(page(PageId::Attack), "startButton");
    QTRY_VERIFY_WITH_TIMEOUT(start->isEnabled(), patience);
    QVERIFY(child<QLabel>(page(PageId::Attack), "startMessage")->text().contains(u"attack"));
    QSignalSpy finished(context.jobs, &JobController::finished);
    QTest::mouseClick(start, Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, runPatience);
    const RunStore store = RunStore::open(folder.filePath(QStringLiteral("runs.db")).toStdString());
    const qint64 run = finished.first().at(1).toLongLong();
    QVERIFY2(store.run(run).state == RunState::Done, store.run(run).error.c_str());
    QCOMPARE(static_cast<int>(window_->currentPage()), static_cast<int>(PageId::Attack));
    auto* notice = child<QPushButton>(window_, "statusOpen");
    QTRY_VERIFY_WITH_TIMEOUT(notice->isVisible(), patience);
    QTest::mouseClick(notice, Qt::LeftButton);
    QVERIFY(!notice->isVisible());
    QCOMPARE(static_cast<int>(window_->currentPage()), static_cast<int>(PageId::Results));
    QCOMPARE(context.focus->run(), run);
    QVERIFY(store.results(run).size() >= 8);  // two detectors, four settings

    // The ROC curve as a figure, through its Export button.
    const QString figure = folder.filePath(QStringLiteral("roc.pdf"));
    answers->paths << figure;
    QWidget* roc = child<QWidget>(page(PageId::Results), "resultsRoc");
    auto* exportButton = child<QToolButton>(roc, "plotExport");
    QTRY_VERIFY_WITH_TIMEOUT(exportButton->isEnabled() && exportButton->isVisible(), patience);
    auto* pdf = child<QAction>(roc, "exportPdf");
    QTimer::singleShot(200, this, [exportButton, pdf] {
      QMenu* menu = exportButton->menu();
      QTest::mouseClick(menu, Qt::LeftButton, {}, menu->actionGeometry(pdf).center());
    });
    QTest::mouseClick(exportButton, Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(figure), patience);
    QVERIFY(contentOf(figure).startsWith("%PDF"));

    // The table in LaTeX.
    click(window_, "rail_report");
    auto* format = child<QComboBox>(page(PageId::Report), "reportFormat");
    QTRY_VERIFY_WITH_TIMEOUT(format->findData(QStringLiteral("tex")) >= 0, patience);
    format->setCurrentIndex(format->findData(QStringLiteral("tex")));
    auto* exportTable = child<QPushButton>(page(PageId::Report), "reportExport");
    auto* source = child<QWidget>(page(PageId::Report), "reportSource");
    QTRY_VERIFY_WITH_TIMEOUT(
        source->property("plainText").toString().contains(QLatin1String("\\toprule")), patience);
    const QString table = folder.filePath(QStringLiteral("table.tex"));
    answers->paths << table;
    QTRY_VERIFY_WITH_TIMEOUT(exportTable->isEnabled(), patience);
    QTest::mouseClick(exportTable, Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(table), patience);
    const QByteArray tex = contentOf(table);
    QVERIFY(tex.contains("\\begin{tabular}"));
    QVERIFY(tex.contains("energy"));
    QVERIFY(answers->shown.isEmpty());  // no message was needed
  }

 private:
  QWidget* page(PageId id) const { return window_->page(id); }

  template <class Object>
  Object* child(QObject* parent, const char* name) const {
    auto* found = parent->findChild<Object*>(QString::fromLatin1(name));
    if (!found) qFatal("nothing is called %s", name);
    return found;
  }

  void click(QWidget* parent, const char* name) {
    auto* button = child<QAbstractButton>(parent, name);
    QVERIFY2(button->isVisible() && button->isEnabled(), name);
    QTest::mouseClick(button, Qt::LeftButton);
  }

  void type(QWidget* parent, const char* name, const QString& text) {
    auto* line = child<QLineEdit>(parent, name);
    QTRY_VERIFY_WITH_TIMEOUT(line->isVisible(), patience);
    line->selectAll();
    QTest::keyClicks(line, text);
  }

  void setNumber(QWidget* parent, const char* name, int value) {
    auto* box = child<QSpinBox>(parent, name);
    QTRY_VERIFY_WITH_TIMEOUT(box->isVisible(), patience);  // shown by its layout, a moment later
    box->setFocus();
    box->selectAll();
    QTest::keyClicks(box, QString::number(value));
    QTest::keyClick(box, Qt::Key_Return);
    QCOMPARE(box->value(), value);
  }

  bool chooseSet(const QString& name) {
    auto* list = child<QAbstractItemView>(page(PageId::Data), "datasetList");
    for (int waited = 0; waited < patience && list->model()->rowCount() == 0; waited += 50) {
      QTest::qWait(50);
    }
    for (int row = 0; row < list->model()->rowCount(); ++row) {
      const auto index = list->model()->index(row, 0);
      const QString facts = index.data(DatasetModel::SubtitleRole).toString();
      if (!facts.startsWith(name + u' ')) continue;
      list->scrollTo(index);
      QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, list->visualRect(index).center());
      return list->currentIndex() == index;
    }
    return false;
  }

  static QByteArray contentOf(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
  }

  MainWindow* window_ = nullptr;
};

QTEST_MAIN(TestFirstMinutes)
#include "tst_first_minutes.moc"
