// The iteration strip and the basin picture of the Images page.
#include <QComboBox>
#include <QListWidget>
#include <QPushButton>
#include <QSpinBox>
#include <QtTest/QtTest>
#include <cmath>

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "plot_views.h"
#include "ui/models/strip_text.h"
#include "ui/pages/images_page.h"
#include "ui/pages/strip_panel.h"
#include "ui/plots/basin_plot.h"
#include "ui/plots/strip_plot.h"
#include "ui/widgets/panel.h"

using namespace bulwark;
using namespace bulwark::testing;

namespace {

constexpr int kSide = 5;

IterationStrips sample() {
  IterationStrips strips;
  strips.detector = "attractor";
  strips.leastSimilarity = 0.8;
  strips.passes = 1;
  strips.reconstructionWeight = 0.99;
  strips.classWeight = 0.01;
  strips.sets = {{"train", "fashion-mnist"}, {"in", "fashion-mnist"}, {"out", "glyphs"}};
  strips.radii = {"0", "20/255", "255/255"};
  strips.iterations = 3;
  strips.channels = 1;
  strips.height = strips.width = kSide;
  strips.samples = {{0, 4, 1}, {1, 0, 2}, {1, 48, 7}, {2, 16, -1}};
  for (int i = 0; i < 4 * 3 * 4; ++i) {
    for (int pixel = 0; pixel < kSide * kSide; ++pixel) {
      strips.pixels.push_back(static_cast<std::uint8_t>((i * 37 + pixel * 11) % 256));
    }
    strips.classes.push_back(i % 3);
    strips.toInput.push_back(1 - 0.02 * i);
    strips.toClean.push_back(0.6 - 0.01 * i);
  }
  return strips;
}

std::shared_ptr<const IterationStrips> shared() {
  return std::make_shared<const IterationStrips>(sample());
}

void addStrips(RunStore& store, std::int64_t run, const std::string& file,
               const IterationStrips& strips) {
  const auto path = store.artefactFolder(run) / file;
  strips.save(path);
  store.putArtefact(run, {IterationStrips::kind, file, sha256File(path), 1});
}

/// A run on the attractor detector without strips, in that state.
std::int64_t addAttractorRun(RunStore& store, RunState state) {
  Json specification = samples::specification("attractor", 3);
  specification["detectors"] = Json::array({{{"type", "attractor"}}});
  const auto run = store.createRun("attractor", specification, 3, "cpu");
  store.setRunState(run, RunState::Running);
  if (state != RunState::Running) store.setRunState(run, state);
  return run;
}

QString emptyText(ImagesPage& page) {
  return testing::emptyText(*page.findChild<StripPanel*>());
}

QPushButton* button(ImagesPage& page, const char* name) {
  return page.findChild<QPushButton*>(QLatin1String(name));
}

}  // namespace

class TestIterationViews : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void theStripShowsInputAndEveryPass() {
    StripPlot plot;
    const auto strips = shared();
    plot.showSample(strips, 2);
    plot.resize(700, 560);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    QTest::qWait(60);
    QCOMPARE(plot.columns(), 4);  // k + 1
    QCOMPARE(plot.rows(), 3);
    QCOMPARE(plot.title(), QStringLiteral("fashion-mnist (in), image 48, class 7"));
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column < 4; ++column) {
        const auto at = strips->at(2, std::size_t(row), column);
        const QImage picture = plot.picture(row, column);
        QCOMPARE(picture.size(), QSize(kSide, kSide));
        QCOMPARE(qGray(picture.pixel(3, 2)), int(strips->picture(2, std::size_t(row), column)[13]));
        const QStringList caption = plot.caption(row, column);
        QCOMPARE(caption.size(), row == 0 ? 2 : 3);
        QCOMPARE(caption[0], QStringLiteral("class %1, is 7").arg(strips->classes[at]));
        QVERIFY(caption[1].startsWith(QStringLiteral("r ") +
                                      QLocale().toString(strips->toInput[at], 'f', 2)));
        // Only what the detector judges is compared with its threshold.
        QCOMPARE(caption[1].contains(u'≥') || caption[1].contains(u'<'), column == 1);
        if (row > 0) {
          QCOMPARE(caption[2],
                   QStringLiteral("clean ") + QLocale().toString(strips->toClean[at], 'f', 2));
        }
        if (row > 0) QVERIFY(plot.cell(row, column).top() > plot.cell(row - 1, column).top());
        if (column > 0) {
          QVERIFY(plot.cell(row, column).left() > plot.cell(row, column - 1).left());
        }
      }
    }
    // A picture is painted in its cell.
    const QImage image = canvasOf(&plot)->grab().toImage();
    const QRectF cell = plot.cell(1, 2);
    int inked = 0;
    for (int x = int(cell.left()); x < int(cell.right()); ++x) {
      for (int y = int(cell.top()); y < int(cell.bottom()); ++y) {
        inked += image.pixelColor(x, y) != image.pixelColor(2, 2);
      }
    }
    QVERIFY2(inked > 900, qPrintable(QString::number(inked)));
    const PlotTable table = plot.table();
    QCOMPARE(table.labels.size(), 12);
    QCOMPARE(table.labels[4], QStringLiteral("20/255"));
    QCOMPARE(table.columns[2][6], strips->toInput[strips->at(2, 1, 2)]);
    QVERIFY(plot.summary().contains(QLatin1String("3 passes from each of 3 radii")));
  }

  void picturesStayLargeEnoughToBeSeen() {
    StripPlot plot;
    plot.showSample(shared(), 2);
    // As small as an area that scrolls makes it.
    plot.resize(plot.minimumSizeHint());
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    QTest::qWait(60);
    const QRectF cell = plot.cell(0, 0);
    QFont small = plot.font();
    small.setPointSizeF(std::max(7.0, small.pointSizeF() * 0.9));
    const double caption = 3 * QFontMetricsF(small).lineSpacing();
    const double side = std::min(cell.width() - 8, cell.height() - caption - 8);
    QVERIFY2(side >= 44, qPrintable(QString::number(side)));
  }

  void theArrowKeysWalkOverTheStrip() {
    StripPlot plot;
    plot.showSample(shared(), 1);
    plot.resize(700, 560);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    QTest::qWait(60);
    QWidget* canvas = canvasOf(&plot);
    QCOMPARE(plot.current(), QPoint(-1, -1));
    for (const auto key : {Qt::Key_Right, Qt::Key_Right, Qt::Key_Down})
      QTest::keyClick(canvas, key);
    QCOMPARE(plot.current(), QPoint(1, 1));
    QCOMPARE(plot.readout(), stripSentence(sample(), 1, 1, 1));
    QCOMPARE(canvas->accessibleDescription(), plot.readout());
    for (int i = 0; i < 9; ++i) QTest::keyClick(canvas, Qt::Key_Left);
    QCOMPARE(plot.current(), QPoint(0, 1));
    QTest::mouseClick(canvas, Qt::LeftButton, {}, plot.cell(2, 3).center().toPoint());
    QCOMPARE(plot.current(), QPoint(3, 2));
    QTest::mouseMove(canvas, plot.cell(0, 2).center().toPoint());
    QCOMPARE(plot.readout(), stripSentence(sample(), 1, 0, 2));
    QVERIFY(!plot.isZoomed());
  }

  void wordsSayWhatTheNumbersAre() {
    IterationStrips strips = sample();
    QCOMPARE(stripStateName(0), QStringLiteral("input"));
    QCOMPARE(stripStateName(12), QStringLiteral("x₁₂"));
    QCOMPARE(stripSampleName(strips, 0),
             QStringLiteral("fashion-mnist (training), image 4, class 1"));
    QCOMPARE(stripSampleName(strips, 3), QStringLiteral("glyphs (out), image 16"));
    QVERIFY(!stripClassText(strips, 3, 0, 0)
                 .contains(QLatin1String("is")));  // an out image has no class
    QCOMPARE(judgedState(strips), std::int64_t{1});
    strips.toInput[strips.at(0, 0, 1)] = 0.8;
    QVERIFY(stripCaption(strips, 0, 0, 1)[1].endsWith(QStringLiteral("≥ 0.8")));
    strips.toInput[strips.at(0, 0, 1)] = 0.79;
    QVERIFY(stripCaption(strips, 0, 0, 1)[1].endsWith(QStringLiteral("< 0.8")));
    strips.passes = 0;
    QCOMPARE(judgedState(strips), std::int64_t{-1});
    strips.passes = 9;
    QCOMPARE(judgedState(strips), std::int64_t{-1});
    QVERIFY(!isPerturbed(strips, 0) && isPerturbed(strips, 1));
  }

  void theBasinStandsAtTheSimilarities() {
    BasinPlot plot;
    const auto strips = shared();
    plot.showSample(strips, 1, 2);
    plot.resize(600, 480);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    QTest::qWait(60);
    QCOMPARE(plot.radii(), 3);
    const QImage image = canvasOf(&plot)->grab().toImage();
    for (int radius = 0; radius < 3; ++radius) {
      const auto at = strips->at(1, std::size_t(radius), 2);
      QCOMPARE(plot.picture(radius), stripPicture(*strips, 1, std::size_t(radius), 2));
      QCOMPARE(plot.caption(radius), stripClassText(*strips, 1, std::size_t(radius), 2));
      const QPointF input = plot.pixelOf(radius, false), clean = plot.pixelOf(radius, true);
      QCOMPARE(input.y() < clean.y(), strips->toInput[at] > strips->toClean[at]);
      // A marker of each line's own colour is there: blue of clean, orange of input.
      const QColor a = image.pixelColor(clean.toPoint()), b = image.pixelColor(input.toPoint());
      QVERIFY2(a.blue() > a.red() && b.red() > b.blue(), qPrintable(a.name() + b.name()));
      QCOMPARE(plot.table().columns[3][radius], strips->toClean[at]);
    }
    QVERIFY2(plot.title().startsWith(QLatin1String("After 2 passes: fashion-mnist (in)")),
             qPrintable(plot.title()));
    plot.showSample(strips, 1, 99);  // cut to what was recorded
    QCOMPARE(plot.picture(0), stripPicture(*strips, 1, 0, 3));
    QTemporaryDir folder;
    StripPlot strip;
    strip.showSample(strips, 0);
    for (PlotWidget* of : std::initializer_list<PlotWidget*>{&plot, &strip}) {
      for (const char* suffix : {"png", "pdf", "svg", "csv"}) {
        const QString path = folder.filePath(QStringLiteral("f.") + QLatin1String(suffix));
        QVERIFY(of->exportTo(path));
        QVERIFY(QFileInfo(path).size() > 100);
      }
    }
  }

  void theImagesPageShowsThem() {
    Workbench bench;
    RunStore store = bench.store();
    addStrips(store, bench.ids[0], "strips-0.safetensors", sample());
    IterationStrips second = sample();
    second.detector = "n = 3";
    second.passes = 3;
    second.samples.pop_back();
    second.sets.pop_back();
    for (auto* values : {&second.toInput, &second.toClean}) values->resize(3 * 3 * 4);
    second.classes.resize(3 * 3 * 4);
    second.pixels.resize(3 * 3 * 4 * kSide * kSide);
    addStrips(store, bench.ids[0], "strips-1.safetensors", second);
    ImagesPage page(bench.context);
    page.resize(1180, 640);
    page.show();
    bench.focus.setRun(bench.ids[0]);
    QTRY_VERIFY_WITH_TIMEOUT(button(page, "showIterations")->isVisible(), 5000);
    QTRY_VERIFY_WITH_TIMEOUT(page.shownPair() != 0, 5000);
    QCOMPARE(page.part(), ImagesPage::Pairs);
    QTest::mouseClick(button(page, "showIterations"), Qt::LeftButton);
    QCOMPARE(page.part(), ImagesPage::Iterations);
    auto* panel = page.findChild<StripPanel*>();
    QVERIFY(panel->strip()->isVisible());
    QVERIFY(!panel->basin()->isVisible());
    auto* list = page.findChild<QListWidget*>(QStringLiteral("stripList"));
    QCOMPARE(list->count(), 4);
    QCOMPARE(panel->strip()->sample(), 0);
    list->setFocus();
    QTest::keyClick(list, Qt::Key_Down);
    QCOMPARE(panel->strip()->sample(), 1);
    grabBoth(page, QStringLiteral("images-strip"));
    auto* set = page.findChild<QComboBox*>(QStringLiteral("stripSet"));
    set->setCurrentIndex(3);
    QCOMPARE(list->count(), 1);
    QCOMPARE(panel->strip()->sample(), 3);
    // Selecting a point of a plot elsewhere shows its image.
    SampleSet one;
    one.insert({QStringLiteral("fashion-mnist"), false}, 48);
    bench.selection.commit(one, QStringLiteral("a point"));
    QCOMPARE(panel->strip()->sample(), 2);
    QCOMPARE(list->count(), 4);
    QTRY_COMPARE_WITH_TIMEOUT(store.imagePair(page.shownPair()).sample, std::int64_t{48}, 5000);
    auto* note = page.findChild<QLabel*>(QStringLiteral("imagesMissing"));
    QVERIFY(!note->isVisible());
    // Of this one nothing was kept: another image is shown, and that is said.
    SampleSet missing;
    missing.insert({QStringLiteral("fashion-mnist"), false}, 49);
    bench.selection.commit(missing, QStringLiteral("a point"));
    QVERIFY(note->isVisible());
    QVERIFY2(note->toolTip().isEmpty() && note->text().contains(QLatin1String("Sample 49")) &&
                 note->text().contains(QLatin1String("48")),
             qPrintable(note->text()));
    grabBoth(page, QStringLiteral("images-strip-missing"));
    bench.selection.commit(one, QStringLiteral("a point"));
    QVERIFY(!note->isVisible());
    // The other detector.
    auto* detector = page.findChild<QComboBox*>(QStringLiteral("stripDetector"));
    QCOMPARE(detector->currentText(), QStringLiteral("attractor"));
    detector->setCurrentIndex(1);
    QCOMPARE(list->count(), 3);
    QCOMPARE(panel->strip()->sample(), 2);  // the same image
    QTest::mouseClick(button(page, "showBasin"), Qt::LeftButton);
    QVERIFY(panel->basin()->isVisible());
    auto* passes = page.findChild<QSpinBox*>(QStringLiteral("basinPasses"));
    QCOMPARE(passes->value(), 3);
    QCOMPARE(passes->maximum(), 3);
    passes->setValue(1);
    QCOMPARE(panel->basin()->picture(1), stripPicture(second, 2, 1, 1));
    grabBoth(page, QStringLiteral("images-basin"));
    for (QWidget* widget : std::initializer_list<QWidget*>{
             list, set, detector, passes, panel->strip(), panel->basin(), canvasOf(panel->strip()),
             canvasOf(panel->basin())}) {
      QVERIFY2(!widget->accessibleName().isEmpty(), qPrintable(widget->objectName()));
    }
  }

  void runsWithoutThemSayHowToGetThem() {
    Workbench bench;
    RunStore store = bench.store();
    const auto old = addAttractorRun(store, RunState::Done);
    const auto running = addAttractorRun(store, RunState::Running);
    ImagesPage page(bench.context);
    page.resize(1180, 640);
    page.show();
    // A run on other detectors has no such part.
    bench.focus.setRun(bench.ids[0]);
    QTRY_VERIFY_WITH_TIMEOUT(page.shownPair() != 0, 5000);
    QTest::qWait(100);
    QVERIFY(!button(page, "showIterations")->isVisible());
    bench.focus.setRun(old);
    QTRY_VERIFY_WITH_TIMEOUT(emptyText(page).contains(QLatin1String("strip_images")), 5000);
    QVERIFY(!button(page, "showPairs")->isEnabled());
    QVERIFY(button(page, "showIterations")->isChecked());
    grabBoth(page, QStringLiteral("images-no-strips"));
    bench.focus.setRun(running);
    QTRY_VERIFY_WITH_TIMEOUT(emptyText(page).contains(QLatin1String("by themselves")), 5000);
    // They appear while the run goes on.
    addStrips(store, running, "strips-0.safetensors", sample());
    QTRY_VERIFY_WITH_TIMEOUT(page.findChild<StripPlot*>()->isVisible(), 5000);
    bench.focus.setRun(bench.ids[0]);
    QTRY_COMPARE_WITH_TIMEOUT(page.part(), ImagesPage::Pairs, 5000);
    QVERIFY(!button(page, "showIterations")->isVisible());
  }

  void aDamagedFileIsTold() {
    Workbench bench;
    RunStore store = bench.store();
    const auto run = addAttractorRun(store, RunState::Done);
    addStrips(store, run, "strips-0.safetensors", sample());
    const auto path = store.artefactFolder(run) / "strips-0.safetensors";
    const std::string whole = readFile(path);
    writeFileAtomically(path, whole.substr(0, whole.size() / 2));
    ImagesPage page(bench.context);
    page.resize(1180, 640);
    page.show();
    bench.focus.setRun(run);
    QTRY_VERIFY_WITH_TIMEOUT(emptyText(page).contains(QLatin1String("cut short")), 5000);
    QVERIFY(emptyText(page).contains(QLatin1String("strips-0.safetensors")));
  }
};

QTEST_MAIN(TestIterationViews)
#include "tst_iteration_views.moc"
