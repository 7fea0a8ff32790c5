// The maps of the classes: where a detector sees the images that are predicted as each.
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QtTest/QtTest>
#include <cmath>

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "plot_views.h"
#include "ui/models/class_map_text.h"
#include "ui/pages/class_map_panel.h"
#include "ui/pages/results_page.h"
#include "ui/plots/class_map_plot.h"
#include "ui/widgets/panel.h"

using namespace bulwark;
using namespace bulwark::testing;

namespace {

constexpr int kSide = 6, kClasses = 10, kPerClass = 12;

/// In images and two out sets, each class in a ring of its own; out images of "glyphs" are spread
/// over the classes, those of "noise-uniform" are all predicted as class 8.
ClassMap sampleMap(const char* detector = "svdd") {
  ClassMap map;
  map.detector = detector;
  map.classNames = {"t-shirt", "trouser", "pullover", "dress", "coat",
                    "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot"};
  map.neighbours = 15;
  map.minDist = 0.8;
  map.sets = {{"in", "fashion-mnist"}, {"out", "glyphs"}, {"out", "noise-uniform"}};
  map.parts = {{"layer", "conv1"}, {"logits", "logits"}};
  map.channels = 1;
  map.height = map.width = kSide;
  for (std::size_t set = 0; set < map.sets.size(); ++set) {
    for (int i = 0; i < kClasses * kPerClass; ++i) {
      ClassMap::Sample sample;
      sample.set = set;
      sample.index = i;
      sample.predicted = set == 2 ? 8 : i % kClasses;
      sample.label = set > 0 ? -1 : i % 7 == 3 ? (i + 1) % kClasses : i % kClasses;
      sample.score = 0.001 * i + (set > 0 ? 0.5 : 0);
      map.samples.push_back(sample);
      map.normality.push_back(set > 0 ? 0.2 : 0.8);
      map.normality.push_back(set > 0 ? 0.3 : 0.9);
      for (int pixel = 0; pixel < kSide * kSide; ++pixel) {
        map.pixels.push_back(std::uint8_t((int(set) * 80 + i * 7 + pixel * 5) % 256));
      }
    }
  }
  for (std::size_t part = 0; part < 2; ++part) {
    for (int predicted = -1; predicted < kClasses; ++predicted) {
      ClassMap::Layout layout;
      layout.part = part;
      layout.predicted = predicted;
      layout.trustworthiness = predicted == 3 ? std::nan("") : 0.9 + 0.005 * predicted;
      for (std::size_t i = 0; i < map.samples.size(); ++i) {
        const ClassMap::Sample& sample = map.samples[i];
        if (predicted >= 0 && sample.predicted != predicted) continue;
        const double turn = 0.37 * double(layout.samples.size());
        const double radius = (sample.set == 0 ? 1.0 : 2.2 + 0.3 * double(part)) +
                              0.1 * double(layout.samples.size() % 4);
        layout.samples.push_back(i);
        layout.x.push_back(float(3 * radius * std::cos(turn)));  // wider than high
        layout.y.push_back(float(radius * std::sin(turn)));
      }
      map.layouts.push_back(layout);
    }
  }
  return map;
}

std::shared_ptr<const ClassMap> sharedMap() {
  return std::make_shared<const ClassMap>(sampleMap());
}

void addMap(RunStore& store, std::int64_t run, const std::string& file, const ClassMap& map) {
  const auto path = store.artefactFolder(run) / file;
  map.save(path);
  store.putArtefact(run, {ClassMap::kind, file, sha256File(path), 1});
}

const SampleSide kIn{QStringLiteral("fashion-mnist"), false};
const SampleSide kGlyphs{QStringLiteral("glyphs"), true};

/// A cell's sample that no other is near to, so that a click means it.
std::size_t alone(const ClassMapPlot& plot, int cell) {
  const auto samples = plot.shown(cell);
  for (const std::size_t one : samples) {
    double nearest = 1e9;
    for (const std::size_t other : samples) {
      if (other == one) continue;
      const QPointF d = plot.pixelOf(cell, one) - plot.pixelOf(cell, other);
      nearest = std::min(nearest, std::hypot(d.x(), d.y()));
    }
    if (nearest > 6) return one;
  }
  return samples.front();
}

/// A run of the samples in which a detector has kept a map.
std::int64_t addUniformRun(RunStore& store) {
  const auto run = addSampleRun(store, "uniform", 5);
  addMap(store, run, "class-map-0.safetensors", sampleMap("knn"));
  return run;
}

}  // namespace

class TestClassMapViews : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void everyClassHasACell() {
    ClassMapPlot plot;
    plot.showMap(sharedMap(), 0, QStringLiteral("glyphs"));
    expose(plot, 900, 420);
    QCOMPARE(plot.cells(), kClasses + 1);
    QCOMPARE(plot.predictedOf(0), ClassMap::pooled);
    QCOMPARE(plot.caption(0), QStringLiteral("all classes"));
    QCOMPARE(plot.caption(8), QStringLiteral("sneaker (7)"));
    QCOMPARE(plot.shown(0).size(), std::size_t(2 * kClasses * kPerClass));
    QCOMPARE(plot.shown(9).size(), std::size_t(2 * kPerClass));  // none of the other out set
    const ClassMap map = sampleMap();
    const QRectF frame = canvasOf(&plot)->rect();
    for (int cell = 0; cell < plot.cells(); ++cell) {
      const QRectF box = plot.cell(cell);
      QVERIFY(frame.contains(box));
      QVERIFY(std::abs(box.width() - plot.cell(0).width()) < 1);
      QVERIFY(std::abs(box.height() - plot.cell(0).height()) < 1);
      for (int other = 0; other < cell; ++other) {
        const QRectF common = box.adjusted(1, 1, -1, -1) & plot.cell(other);
        QVERIFY(common.isEmpty());
      }
      const ClassMap::Layout& layout = *map.layout(0, plot.predictedOf(cell));
      const auto place = [&](std::size_t sample) {
        const auto at = std::find(layout.samples.begin(), layout.samples.end(), sample) -
                        layout.samples.begin();
        return QPointF(layout.x[std::size_t(at)], -layout.y[std::size_t(at)]);
      };
      // Pixels per unit of the layout are the same for any two images and both directions.
      const auto samples = plot.shown(cell);
      const QPointF first = plot.pixelOf(cell, samples[0]), one = place(samples[0]);
      const QPointF second = plot.pixelOf(cell, samples[1]), two = place(samples[1]);
      const double scale = (second - first).x() / (two - one).x();
      QVERIFY(scale > 0);
      for (const std::size_t sample : samples) {
        const QPointF at = plot.pixelOf(cell, sample);
        QVERIFY(box.contains(at));
        const QPointF expected = first + scale * (place(sample) - one);
        QVERIFY(std::hypot(at.x() - expected.x(), at.y() - expected.y()) < 0.1);
      }
    }
    // In blue, out orange.
    const QImage image = canvasOf(&plot)->grab().toImage();
    int blue = 0, orange = 0;
    for (const std::size_t sample : plot.shown(3)) {
      const QColor color = image.pixelColor(plot.pixelOf(3, sample).toPoint());
      const bool out = map.samples[sample].set > 0;
      blue += !out && color.blue() > color.red();
      orange += out && color.red() > color.blue();
    }
    QVERIFY2(blue >= kPerClass - 2 && orange >= kPerClass - 2,
             qPrintable(QStringLiteral("%1 %2").arg(blue).arg(orange)));
    QVERIFY(plot.sentence(0).contains(QLatin1String("120 in and 120 out")));
    QVERIFY(plot.sentence(1).contains(QLatin1String("trustworthiness")));
    QVERIFY(!plot.sentence(4).contains(QLatin1String("trustworthiness")));  // class 3: too few
    const PlotTable table = plot.table();
    QCOMPARE(table.labels.size(), 2 * 2 * kClasses * kPerClass);
    const QStringList lines = plot.csv().split(u'\n');
    QCOMPARE(lines[0],
             QStringLiteral("class,part,set,role,index,x,y,predicted,label,score,normality"));
    QVERIFY2(lines[1].startsWith(QLatin1String("all classes,layer conv1,fashion-mnist,in,0,")),
             qPrintable(lines[1]));
    QCOMPARE(lines.size(), table.labels.size() + 2);  // the last line ends, too
    QVERIFY(std::all_of(lines.begin(), lines.end() - 1,
                        [](const QString& line) { return line.count(u',') == 10; }));
    QTemporaryDir folder;
    for (const char* suffix : {"png", "pdf", "svg", "csv"}) {
      const QString path = folder.filePath(QStringLiteral("f.") + QLatin1String(suffix));
      QVERIFY(plot.exportTo(path));
      QVERIFY(QFileInfo(path).size() > 1000);
    }
    // The other part, the other out set: only class 8 has images of it.
    plot.showMap(sharedMap(), 1, QStringLiteral("noise-uniform"));
    QCOMPARE(plot.title(), QStringLiteral("svdd by the logits"));
    QCOMPARE(plot.shown(1).size(), std::size_t(kPerClass));
    QCOMPARE(plot.shown(9).size(), std::size_t(kPerClass + kClasses * kPerClass));
    plot.showMap(nullptr, 0, {});
    QVERIFY(plot.isEmpty());
  }

  void whatACellShowsFillsIt() {
    // Out images far away: a cell without any of them must not be as wide as with them.
    ClassMap map = sampleMap();
    for (ClassMap::Layout& layout : map.layouts) {
      for (std::size_t i = 0; i < layout.samples.size(); ++i) {
        if (map.samples[layout.samples[i]].set != 2) continue;
        layout.x[i] *= 20;
        layout.y[i] *= 20;
      }
    }
    ClassMapPlot plot;
    plot.showMap(std::make_shared<const ClassMap>(map), 0, QStringLiteral("glyphs"));
    for (const QSize size : {QSize(900, 420), QSize(640, 700)}) {
      expose(plot, size.width(), size.height());
      for (int cell = 0; cell < plot.cells(); ++cell) {
        const QRectF box = plot.cell(cell);
        QRectF points;
        for (const std::size_t sample : plot.shown(cell)) {
          points |= QRectF(plot.pixelOf(cell, sample) - QPointF(0.5, 0.5), QSizeF(1, 1));
        }
        QVERIFY(box.contains(points));
        const double width = points.width() / box.width(), height = points.height() / box.height();
        QVERIFY2(width > 0.85 || height > 0.75,
                 qPrintable(QStringLiteral("%1: %2 %3").arg(cell).arg(width).arg(height)));
      }
      // Cells take up the plot: no bands are left in one of the directions.
      QRectF all;
      for (int cell = 0; cell < plot.cells(); ++cell) all |= plot.cell(cell);
      const QSizeF room = canvasOf(&plot)->size();
      QVERIFY2(all.width() > room.width() - 12 && all.height() > 0.85 * room.height(),
               qPrintable(QStringLiteral("%1 %2").arg(all.width()).arg(all.height())));
    }
  }

  void manyClassesKeepTheirSize() {
    ClassMap map = sampleMap();
    const ClassMap::Layout one = *map.layout(0, 2);
    map.classNames.clear();
    for (int predicted = kClasses; predicted < 60; ++predicted) {
      ClassMap::Layout more = one;
      more.predicted = predicted;
      map.layouts.push_back(more);
    }
    ClassMapPlot plot;
    plot.showMap(std::make_shared<const ClassMap>(map), 0, QStringLiteral("glyphs"));
    expose(plot, 620, 300);
    plot.resize(620, plot.minimumSizeHint().height());  // as an area that scrolls does
    QTest::qWait(60);
    QCOMPARE(plot.cells(), 61);
    QVERIFY2(plot.cell(0).width() > 90, qPrintable(QString::number(plot.cell(0).width())));
    QCOMPARE(plot.caption(60), QStringLiteral("class 59"));
  }

  void aPointIsItsImage() {
    ClassMapPlot plot;
    const auto map = sharedMap();
    plot.showMap(map, 0, QStringLiteral("glyphs"));
    expose(plot, 900, 420);
    QWidget* canvas = canvasOf(&plot);
    const int cell = 4;
    const std::size_t sample = alone(plot, cell);
    const QPoint at = plot.pixelOf(cell, sample).toPoint();
    QMouseEvent move(QEvent::MouseMove, at, canvas->mapToGlobal(at), Qt::NoButton, Qt::NoButton,
                     Qt::NoModifier);
    QApplication::sendEvent(canvas, &move);
    QCOMPARE(plot.readout(), classMapSentence(*map, sample, 0));
    auto* picture = plot.findChild<QLabel*>(QStringLiteral("plotPicture"));
    QVERIFY(picture->isVisible());
    QVERIFY(canvas->rect().contains(picture->geometry()));
    // Its own pixels, enlarged.
    const QImage shown = picture->pixmap().toImage();
    QVERIFY(shown.width() >= 10 * kSide);
    const int step = shown.width() / kSide;
    for (int pixel : {0, 7, 20, 35}) {
      QCOMPARE(qGray(shown.pixel(pixel % kSide * step + step / 2, pixel / kSide * step + step / 2)),
               int(map->picture(sample)[std::size_t(pixel)]));
    }
    for (const char* part : {"image ", "predicted ", "score ", "layer conv1"}) {
      QVERIFY2(plot.readout().contains(QLatin1String(part)), qPrintable(plot.readout()));
    }
    grab(plot, QStringLiteral("class-map-hover"));
    QSignalSpy picked(&plot, &ClassMapPlot::samplesPicked);
    QTest::mouseClick(canvas, Qt::LeftButton, {}, at);
    QCOMPARE(picked.size(), 1);
    SampleSet expected;
    expected.insert(classMapSide(*map, sample), map->samples[sample].index);
    QVERIFY(picked[0][0].value<SampleSet>() == expected);
    // A map without pictures still says whose point it is.
    ClassMap bare = *map;
    bare.pixels.clear();
    plot.showMap(std::make_shared<const ClassMap>(bare), 0, QStringLiteral("glyphs"));
    QApplication::sendEvent(canvas, &move);
    QVERIFY(!picture->isVisible());
    QCOMPARE(plot.readout(), classMapSentence(bare, sample, 0));
  }

  void aRectangleSelectsAndTheSelectionIsRinged() {
    ClassMapPlot plot;
    const auto map = sharedMap();
    plot.showMap(map, 0, QStringLiteral("glyphs"));
    expose(plot, 900, 420);
    QWidget* canvas = canvasOf(&plot);
    const QRectF half(plot.cell(2).topLeft() + QPointF(2, 2),
                      QSizeF(plot.cell(2).width() / 2, plot.cell(2).height() - 4));
    SampleSet expected;
    for (const std::size_t sample : plot.shown(2)) {
      if (half.contains(plot.pixelOf(2, sample))) {
        expected.insert(classMapSide(*map, sample), map->samples[sample].index);
      }
    }
    QVERIFY(expected.size() > 3);
    QSignalSpy picked(&plot, &ClassMapPlot::samplesPicked);
    QSignalSpy previewed(&plot, &ClassMapPlot::samplesPreviewed);
    QTest::mousePress(canvas, Qt::LeftButton, Qt::ControlModifier, half.topLeft().toPoint());
    QTest::mouseMove(canvas, half.bottomRight().toPoint());
    QTest::mouseRelease(canvas, Qt::LeftButton, Qt::ControlModifier, half.bottomRight().toPoint());
    QVERIFY(!previewed.isEmpty());
    QCOMPARE(picked.size(), 1);
    const auto found = picked[0][0].value<SampleSet>();
    QVERIFY(std::abs(found.size() - expected.size()) <= 1);  // whole pixels
    QVERIFY(!plot.isZoomed());
    // What is selected is no part of a figure for a file.
    QTemporaryDir folder;
    const auto exported = [&](const char* name) {
      const QString path = folder.filePath(QLatin1String(name));
      plot.exportTo(path);
      return QImage(path);
    };
    const QImage bare = exported("bare.png");
    plot.setSelection(found);
    QTest::qWait(80);
    QVERIFY(!bare.isNull());
    QCOMPARE(exported("selected.png"), bare);
    plot.setSelection({});
    QTest::qWait(80);
    // A selection made anywhere is ringed here, in its class and among all.
    SampleSet one;
    one.insert(kIn, 13);
    const std::size_t sample = 13;
    const QImage before = canvas->grab().toImage();
    plot.setSelection(one);
    QTest::qWait(80);
    const QImage after = canvas->grab().toImage();
    for (const int cell : {0, 4}) {  // 13 is predicted as class 3
      const QPointF at = plot.pixelOf(cell, sample);
      int changed = 0;
      for (int x = -6; x <= 6; ++x) {
        for (int y = -6; y <= 6; ++y) {
          const QPoint pixel = at.toPoint() + QPoint(x, y);
          changed += before.pixelColor(pixel) != after.pixelColor(pixel);
        }
      }
      QVERIFY2(changed > 20, qPrintable(QString::number(changed)));
    }
  }

  void aLargeSelectionDoesNotHideThePoints() {
    ClassMapPlot plot;
    const auto map = sharedMap();
    plot.showMap(map, 0, QStringLiteral("glyphs"));
    expose(plot, 900, 420);
    const auto colored = [&] {
      const QImage image = canvasOf(&plot)->grab().toImage();
      int blue = 0;
      for (const std::size_t sample : plot.shown(0)) {
        if (map->samples[sample].set != 0) continue;
        const QColor color = image.pixelColor(plot.pixelOf(0, sample).toPoint());
        blue += color.blue() > color.red() + 40 && color.green() > color.red() + 20;
      }
      return blue;
    };
    const int before = colored();
    QVERIFY2(before > 60, qPrintable(QString::number(before)));
    SampleSet all;
    for (const std::size_t sample : plot.shown(0)) {
      all.insert(classMapSide(*map, sample), map->samples[sample].index);
    }
    plot.setSelection(all);
    QTest::qWait(80);
    grab(plot, QStringLiteral("class-map-all-selected"));
    QVERIFY2(colored() > before * 2 / 3,
             qPrintable(QStringLiteral("%1 of %2").arg(colored()).arg(before)));
  }

  void theKeyboardReachesEveryCell() {
    ClassMapPlot plot;
    const auto map = sharedMap();
    plot.showMap(map, 0, QStringLiteral("glyphs"));
    expose(plot, 900, 420);
    QWidget* canvas = canvasOf(&plot);
    canvas->setFocus();
    QTest::keyClick(canvas, Qt::Key_Right);
    QCOMPARE(plot.current(), 0);
    QTest::keyClick(canvas, Qt::Key_Down);
    QCOMPARE(plot.current(), plot.columns());
    QTest::keyClick(canvas, Qt::Key_Left);
    const int cell = plot.columns() - 1;
    QCOMPARE(plot.current(), cell);
    QCOMPARE(plot.readout(), plot.sentence(cell));
    QCOMPARE(canvas->accessibleDescription(), plot.sentence(cell));
    QSignalSpy picked(&plot, &ClassMapPlot::samplesPicked);
    QTest::keyClick(canvas, Qt::Key_Space);
    QCOMPARE(picked.size(), 1);
    QCOMPARE(picked[0][0].value<SampleSet>().size(), qint64(plot.shown(cell).size()));
    const double side = plot.cell(cell).width();
    QTest::keyClick(canvas, Qt::Key_Return);
    QVERIFY(plot.isZoomed());
    QTest::qWait(60);
    QVERIFY(plot.cell(cell).width() > canvas->width() - 12);
    QVERIFY(plot.cell(0).isEmpty());  // nothing of the others beside it
    SampleSet within = plot.samplesWithin(canvas->rect());
    SampleSet mine;
    for (const std::size_t sample : plot.shown(cell)) {
      mine.insert(classMapSide(*map, sample), map->samples[sample].index);
      QVERIFY(plot.cell(cell).contains(plot.pixelOf(cell, sample)));
    }
    QVERIFY(within == mine);
    // It goes on filling the plot in another size.
    plot.resize(700, 520);
    QTest::qWait(60);
    QVERIFY(std::abs(plot.cell(cell).width() - canvas->width()) < 12);
    plot.resize(900, 420);
    QTest::qWait(60);
    grab(plot, QStringLiteral("class-map-cell"));
    QTest::keyClick(canvas, Qt::Key_Escape);
    QVERIFY(!plot.isZoomed());
    QTest::qWait(60);
    QVERIFY(std::abs(plot.cell(cell).width() - side) < 1);
    QTest::mouseDClick(canvas, Qt::LeftButton, {}, plot.cell(1).center().toPoint());
    QVERIFY(plot.isZoomed());
    QTest::qWait(60);
    QVERIFY(plot.cell(1).width() > canvas->width() - 12);
    QTest::mouseDClick(canvas, Qt::LeftButton, {}, plot.cell(1).center().toPoint());
    QVERIFY(!plot.isZoomed());
  }

  void theResultsPageShowsAndLinksThem() {
    Workbench bench;
    RunStore store = bench.store();
    const auto run = addUniformRun(store);
    ResultsPage page(bench.context);
    page.resize(916, 560);
    page.show();
    auto* button = page.findChild<QPushButton*>(QStringLiteral("showClasses"));
    open(bench, page, bench.ids[0]);
    QVERIFY(!button->isVisible());
    open(bench, page, run);
    QVERIFY(button->isVisible());
    auto* panel = page.findChild<ClassMapPanel*>();
    QSignalSpy loaded(panel, &ClassMapPanel::loaded);
    QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(page.part(), ResultsPage::Classes);
    QVERIFY(!loaded.isEmpty() || loaded.wait(5000));
    // The first detector has none, so the one that has is shown; of others that is said.
    auto* detector = page.findChild<QComboBox*>(QStringLiteral("resultsDetector"));
    QCOMPARE(detector->currentText(), QStringLiteral("knn"));
    detector->setCurrentIndex(detector->findText(QStringLiteral("msp")));
    QVERIFY2(emptyText(*panel).contains(QLatin1String("No class map of msp")),
             qPrintable(emptyText(*panel)));
    grab(page, QStringLiteral("classes-other"));
    QTest::mouseClick(panel->findChild<EmptyState*>()->button(), Qt::LeftButton);
    QCOMPARE(detector->currentText(), QStringLiteral("knn"));
    ClassMapPlot* plot = panel->plot();
    QTRY_VERIFY_WITH_TIMEOUT(plot->isVisible() && !plot->isEmpty(), 5000);
    QTest::qWait(80);
    grabBoth(page, QStringLiteral("classes-narrow"));
    page.resize(1240, 760);
    QTest::qWait(80);
    grabBoth(page, QStringLiteral("classes"));
    QVERIFY(!page.findChild<QComboBox*>(QStringLiteral("resultsAttack"))->isEnabled());
    // A point clicked here is the selection of the window, and what is selected elsewhere is here.
    const std::size_t sample = alone(*plot, 5);
    QTest::mouseClick(canvasOf(plot), Qt::LeftButton, {}, plot->pixelOf(5, sample).toPoint());
    const ClassMap map = sampleMap();
    QVERIFY(
        bench.selection.committed().contains(classMapSide(map, sample), map.samples[sample].index));
    QCOMPARE(bench.selection.undoStack()->undoText(), QStringLiteral("Select in the class map"));
    SampleSet other;
    other.insert(kGlyphs, 3);
    bench.selection.commit(other, QStringLiteral("elsewhere"));
    QVERIFY(plot->selection() == other);
    grab(page, QStringLiteral("classes-selected"));
    // Part and out set.
    auto* part = page.findChild<QComboBox*>(QStringLiteral("classMapPart"));
    QCOMPARE(part->itemText(0), QStringLiteral("layer conv1"));
    part->setCurrentIndex(1);
    QCOMPARE(plot->title(), QStringLiteral("knn by the logits"));
    auto* out = page.findChild<QComboBox*>(QStringLiteral("resultsOut"));
    out->setCurrentIndex(out->findData(QStringLiteral("noise-uniform")));
    QCOMPARE(plot->shown(1).size(), std::size_t(kPerClass));
    QCOMPARE(plot->title(), QStringLiteral("knn by the logits"));
    // A run without any goes back to the figures.
    open(bench, page, bench.ids[0]);
    // (The out set chosen before may have been shown first.)
    QTRY_COMPARE_WITH_TIMEOUT(page.part(), ResultsPage::Figures, 5000);
    QVERIFY(!button->isVisible());
    QVERIFY(page.findChild<QComboBox*>(QStringLiteral("resultsDetector"))->isEnabled());
  }

  void runsWithoutAMapSayHowToGetIt() {
    Workbench bench;
    RunStore store = bench.store();
    const auto run = addUniformRun(store);
    const auto path = store.artefactFolder(run) / "class-map-0.safetensors";
    const std::string whole = readFile(path);
    writeFileAtomically(path, whole.substr(0, whole.size() / 2));
    ResultsPage page(bench.context);
    page.resize(1180, 640);
    page.show();
    open(bench, page, run);
    page.showPart(ResultsPage::Classes);
    auto* panel = page.findChild<ClassMapPanel*>();
    QTRY_VERIFY_WITH_TIMEOUT(emptyText(*panel).contains(QLatin1String("class-map-0.safetensors")),
                             5000);
    QVERIFY(!panel->findChild<EmptyState*>()->button()->isVisible());
    // The same where svdd has kept none.
    ClassMapPanel alone(bench.context);
    alone.resize(800, 500);
    alone.show();
    alone.setRun(bench.ids[0]);
    QTRY_VERIFY_WITH_TIMEOUT(emptyText(alone).contains(QLatin1String("Use this configuration")),
                             5000);
  }
};

QTEST_MAIN(TestClassMapViews)
#include "tst_class_map_views.moc"
