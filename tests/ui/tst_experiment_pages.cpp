// The pages that set an experiment up, in the whole window: layers of detectors, stages of a
// training.
#include <QApplication>
#include <QComboBox>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "sample_runs.h"
#include "ui/bridge/database_service.h"
#include "ui/bridge/draft_checker.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/params/param_form.h"
#include "ui/plots/line_plot.h"
#include "ui/shell/main_window.h"
#include "ui/shell/workbench.h"
#include "ui/widgets/form_scroll.h"
#include "ui_support.h"

using namespace bulwark;

namespace {
constexpr int patience = 15000;
}

class TestExperimentPages : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    folder_ = std::make_unique<QTemporaryDir>();
    qputenv("XDG_DATA_HOME", folder_->path().toLocal8Bit());
  }
  void cleanup() { bench_.reset(); }

  void aDetectorIsOfferedTheLayersOfItsNetwork() {
    open({});
    useSmallSets();
    window()->showPage(PageId::Attack);
    choose(QStringLiteral("svdd"), true);
    auto* layer = page()->findChild<QComboBox*>(QStringLiteral("layer"));
    QVERIFY(layer);
    QStringList words;
    for (int i = 0; i < layer->count(); ++i) words << layer->itemText(i);
    QCOMPARE(words, (QStringList{"auto", "relu1", "conv1", "relu2", "conv2", "fc1", "features",
                                 "logits"}));
    auto* start = page()->findChild<QPushButton*>(QStringLiteral("startButton"));
    QTRY_VERIFY_WITH_TIMEOUT(start->isEnabled(), patience);
    grabPage(QStringLiteral("attack-svdd"));
    layer->setCurrentText(QStringLiteral("conv9"));
    QVERIFY(!start->isEnabled());
    auto* error = page()->findChild<QLabel*>(QStringLiteral("layer.error"));
    QTRY_VERIFY_WITH_TIMEOUT(error->isVisible(), patience);
    QVERIFY(error->text().contains(QLatin1String("no layer 'conv9'")));
    QVERIFY(!start->isEnabled());
    const auto* message = page()->findChild<QLabel*>(QStringLiteral("startMessage"));
    QVERIFY(message->text().contains(QLatin1String("did you mean")));
    grabPage(QStringLiteral("attack-layer"));
    layer->setCurrentText(QStringLiteral("conv2"));
    QTRY_VERIFY_WITH_TIMEOUT(start->isEnabled(), patience);
    // Another network has other layers, and what is chosen is checked against them.
    draft()->setPart("/classifier/network", {{"type", "mlp"}, {"hidden", {30, 20}}});
    QCOMPARE(layer->count(), 4);
    QTRY_VERIFY_WITH_TIMEOUT(error->isVisible(), patience);
    layer->setCurrentText(QStringLiteral("fc1"));
    QTRY_VERIFY_WITH_TIMEOUT(start->isEnabled(), patience);
  }

  /// Every word of the form is there to be read.
  void theOptionsOfADetectorHaveRoom_data() {
    QTest::addColumn<QSize>("size");
    QTest::newRow("small") << QSize(1280, 800);
    QTest::newRow("large") << QSize(1600, 1000);
  }
  void theOptionsOfADetectorHaveRoom() {
    QFETCH(QSize, size);
    open({});
    useSmallSets();
    window()->resize(size);
    window()->resetLayout();
    window()->showPage(PageId::Attack);
    for (const char* detail : {"detail1", "detail2"}) {
      QTest::mouseClick(page()->findChild<QAbstractButton*>(QString::fromLatin1(detail)),
                        Qt::LeftButton);
      for (const char* detector : {"svdd", "mahalanobis", "lid"}) {
        choose(QString::fromLatin1(detector), false);
        QTest::qWait(50);
        grabPage(QStringLiteral("attack-%1-%2-%3")
                     .arg(QLatin1String(QTest::currentDataTag()), QLatin1String(detector),
                          QLatin1String(detail)));
        auto* form = page()->findChild<ParamForm*>(QStringLiteral("detectorForm"));
        readable(*form);
      }
    }
  }

  void theRecipeHasRoom_data() { theOptionsOfADetectorHaveRoom_data(); }
  void theRecipeHasRoom() {
    QFETCH(QSize, size);
    open({});
    useSmallSets();
    draft()->setPart("/data/open", {{"dataset", "glyphs"}});
    draft()->setPart("/classifier/recipe", {{"type", "outlier_exposure"}});
    window()->resize(size);
    window()->resetLayout();
    window()->showPage(PageId::Train);
    QTRY_VERIFY_WITH_TIMEOUT(
        page()->findChild<QLabel*>(QStringLiteral("openSet.error"))->isVisible(), patience);
    QTest::qWait(50);
    auto* area = page()->findChild<FormScroll*>();
    for (const char* part : {"top", "bottom"}) {
      if (*part == 'b') area->verticalScrollBar()->setValue(area->verticalScrollBar()->maximum());
      grabPage(QStringLiteral("train-%1-%2")
                   .arg(QLatin1String(QTest::currentDataTag()), QLatin1String(part)));
    }
    readable(*area->widget());
  }

  void stagesOfATrainingAreMarked_data() {
    QTest::addColumn<QString>("recipe");
    QTest::addColumn<QStringList>("names");
    QTest::newRow("exposure") << "outlier_exposure" << QStringList{"tuning with outliers"};
    QTest::newRow("attractor") << "attractor" << QStringList{"stage 2", "stage 3"};
    QTest::newRow("plain") << "standard" << QStringList{};
  }
  void stagesOfATrainingAreMarked() {
    QFETCH(QString, recipe);
    QFETCH(QStringList, names);
    open(recipe, static_cast<int>(names.size()) + 1);
    window()->showPage(PageId::Train);
    auto* loss = window()->findChild<LinePlot*>(QStringLiteral("lossPlot"));
    QTRY_VERIFY_WITH_TIMEOUT(!loss->isEmpty(), patience);
    QCOMPARE(loss->stages().size(), names.size());
    for (qsizetype i = 0; i < names.size(); ++i) {
      QCOMPARE(loss->stages()[i].name, names[i]);
      QCOMPARE(loss->stages()[i].x, 4.5 + 4.0 * static_cast<double>(i));
      QVERIFY(loss->summary().contains(names[i]));
    }
    grabPage(QStringLiteral("train-") + QLatin1String(QTest::currentDataTag()));
  }

 private:
  /// With a run of this recipe, four epochs a stage, unless it is empty.
  void open(const QString& recipe, int stages = 1) {
    const QString file = folder_->filePath(QStringLiteral("runs.db"));
    if (!recipe.isEmpty()) {
      RunStore store = RunStore::open(file.toStdString());
      Json spec = samples::specification("staged", 1);
      spec["classifier"]["recipe"] = {{"type", recipe.toStdString()}};
      const auto run = store.createRun("staged", spec, 1, "cpu");
      std::vector<EpochMetric> metrics;
      for (int epoch = 1; epoch <= 4 * stages; ++epoch) {
        const int stage = (epoch - 1) / 4;
        // As the loop reports them: a plain training knows no stages.
        if (stages > 1) metrics.push_back({"train", epoch, "stage", stage + 1.0});
        metrics.push_back({"train", epoch, "loss", 1.0 / epoch + 0.9 * stage});
        metrics.push_back({"train", epoch, "accuracy", 1 - 0.3 / epoch});
      }
      store.putEpochMetrics(run, metrics);
      store.setRunState(run, RunState::Running);
      store.setRunState(run, RunState::Done);
    }
    Workbench::Options options;
    options.database = file;
    options.settingsFile = folder_->filePath(QStringLiteral("bulwark.ini"));
    options.dialogs = std::make_unique<ScriptedDialogs>();
    bench_ = std::make_unique<Workbench>(std::move(options));
    QSignalSpy opened(bench_->context().database, &DatabaseService::opened);
    bench_->start();
    window()->show();
    window()->resize(1280, 800);
    QTRY_VERIFY_WITH_TIMEOUT(opened.size() == 1, patience);
  }

  void useSmallSets() {
    draft()->setIn({{"dataset", "glyphs"}, {"train_limit", 100}, {"test_limit", 50}});
    draft()->addOut({{"dataset", "noise-uniform"}, {"test_limit", 50}});
    draft()->setPart("/detectors", Json::array({"msp"}));
  }

  /// Selects the detector in the list; ticks it when it shall be used.
  void choose(const QString& type, bool use) {
    auto* list = page()->findChild<QListWidget*>(QStringLiteral("detectorList"));
    for (int row = 0; row < list->count(); ++row) {
      if (list->item(row)->data(Qt::UserRole).toString() != type) continue;
      list->setCurrentRow(row);
      if (use) list->item(row)->setCheckState(Qt::Checked);
      return;
    }
    qFatal("no detector %s", qPrintable(type));
  }

  /// No label that is shown is cut off.
  static void readable(const QWidget& form) {
    int seen = 0;
    for (const auto* label : form.findChildren<QLabel*>()) {
      if (!label->isVisible() || label->text().isEmpty()) continue;
      ++seen;
      const QSize wanted = label->sizeHint();
      const int height =
          label->wordWrap() ? label->heightForWidth(label->width()) : wanted.height();
      QVERIFY2(label->height() >= height && (label->wordWrap() || label->width() >= wanted.width()),
               qPrintable(QStringLiteral("'%1' has %2 x %3 of %4 x %5")
                              .arg(label->text())
                              .arg(label->width())
                              .arg(label->height())
                              .arg(wanted.width())
                              .arg(height)));
    }
    QVERIFY(seen >= 3);
  }

  void grabPage(const QString& name) { testing::grabBoth(*window(), name); }

  MainWindow* window() const { return bench_->window(); }
  QWidget* page() const { return window()->page(window()->currentPage()); }
  ExperimentDraft* draft() const { return bench_->context().draft; }

  std::unique_ptr<QTemporaryDir> folder_;
  std::unique_ptr<Workbench> bench_;
};

QTEST_MAIN(TestExperimentPages)
#include "tst_experiment_pages.moc"
