// One point per image: where points stand, how they are chosen, and the thresholds.
#undef QT_NO_KEYWORDS  // qcustomplot.h is written with them
#include <QComboBox>
#include <QElapsedTimer>
#include <QtTest/QtTest>
#include <cmath>
#include <numeric>

#include "core/base/random.h"
#include "plot_views.h"
#include "ui/models/threshold_model.h"
#include "ui/pages/results_page.h"
#include "ui/plots/point_cloud.h"
#include "ui/plots/score_switch.h"

using namespace bulwark;
using namespace bulwark::testing;

namespace {

const SampleSide kIn{QStringLiteral("digits"), false}, kOut{QStringLiteral("clothes"), true};

QVector<HistogramSeries> drawn(int count) {
  Random random(Seed(5));
  std::vector<double> in, out;
  for (int i = 0; i < count; ++i) {
    in.push_back(0.1 + 0.05 * random.uniform());
    out.push_back(0.6 + 0.3 * random.uniform());
  }
  return {{QStringLiteral("in"), kIn, false, in, {}},
          {QStringLiteral("out"), kOut, false, out, {}}};
}

/// The colour that stands most often in a small square around a point.
QColor colourAt(const QImage& image, const QPointF& at) {
  return image.pixelColor(qRound(at.x()), qRound(at.y()));
}

}  // namespace

class TestScoreScatter : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  /// Rings of a selection too large to be drawn one by one are stamped, with a hole.
  void manyRingsAreStampedAsRings() {
    QCustomPlot canvas;
    canvas.resize(240, 240);
    for (QCPAxis* axis : {canvas.xAxis, canvas.yAxis}) {
      axis->setRange(0, 1);
      axis->grid()->setVisible(false);
    }
    auto* cloud = new PointCloud(canvas.xAxis, canvas.yAxis);
    const qsizetype many = PointCloud::kMany + 1;
    cloud->setPoints(QVector<double>(many, 0.5), QVector<double>(many, 0.5));
    cloud->setRings(Qt::red);
    const QImage image = canvas.toPixmap(240, 240).toImage();
    const QPoint at = cloud->coordsToPixels(0.5, 0.5).toPoint();
    QCOMPARE(image.pixelColor(at), QColor(Qt::white));
    int red = 0;
    for (int dy = -4; dy <= 4; ++dy) {
      for (int dx = -4; dx <= 4; ++dx) {
        const QColor color = image.pixelColor(at + QPoint(dx, dy));
        const double far = std::hypot(dx, dy);
        if (color.red() > color.green() + 40) {
          ++red;
          QVERIFY2(far > 0.8 && far < 4.5, qPrintable(QString::number(far)));
        }
      }
    }
    QVERIFY2(red >= 10, qPrintable(QString::number(red)));
  }

  void pointsStandWhereScoresSay() {
    ScoreScatter plot;
    plot.setSeries(drawn(40));
    expose(plot, 620, 420);
    for (const bool similarity : {false, true}) {
      plot.setSimilarity(similarity);
      QTest::qWait(50);
      const QImage image = canvasOf(plot)->grab().toImage();
      for (int series = 0; series < 2; ++series) {
        const auto& scores = plot.series()[series].scores;
        for (std::size_t i = 1; i < scores.size(); ++i) {
          const QPointF at = plot.pixelOf(series, i), before = plot.pixelOf(series, i - 1);
          QVERIFY(at.x() > before.x());
          // A larger score stands higher, and lower where it is told as a similarity.
          QCOMPARE(at.y() < before.y(), (scores[i] > scores[i - 1]) != similarity);
        }
        // In blue, out orange: the pixel of a point that no other covers.
        const QColor colour = colourAt(image, plot.pixelOf(series, 20));
        QVERIFY2((colour.blue() > colour.red()) == (series == 0), qPrintable(colour.name()));
      }
      const PlotTable table = plot.table();
      QCOMPARE(table.labels.size(), 80);
      QCOMPARE(table.columns[1][47], plot.series()[1].scores[7]);
      if (similarity) QCOMPARE(table.columns[3][47], 1 - plot.series()[1].scores[7]);
    }
    QVERIFY(!plot.isRaster());
  }

  void manyPointsAreStampedWhereTheyWouldBeDrawn() {
    ScoreScatter plot;
    auto series = drawn(4000);
    series[0].scores[1234] = 0.45;  // alone between the clouds
    plot.setSeries(series);
    QVERIFY(plot.isRaster());
    expose(plot, 620, 420);
    const auto image = [&] {
      QTest::qWait(50);
      return canvasOf(plot)->grab().toImage();
    };
    const QPointF at = plot.pixelOf(0, 1234);
    const QColor ground = colourAt(image(), at + QPointF(0, 12));
    const QColor stamped = colourAt(image(), at);
    QVERIFY(stamped != ground);
    QVERIFY(stamped.blue() > stamped.red());
    QCOMPARE(colourAt(image(), at + QPointF(6, 6)), ground);
    QElapsedTimer clock;
    clock.start();
    constexpr int times = 20;
    for (int i = 0; i < times; ++i) plot.setThreshold(0.2 + 0.01 * i);
    const double perMove = double(clock.elapsed()) / times;
    QVERIFY2(perMove < 50, qPrintable(QString::number(perMove)));
    QTemporaryDir folder;
    for (const char* suffix : {"png", "pdf", "svg", "csv"}) {
      const QString path = folder.filePath(QStringLiteral("s.") + QLatin1String(suffix));
      QVERIFY(plot.exportTo(path));
      QVERIFY(QFileInfo(path).size() > 1000);
    }
  }

  void aClickSelectsThePointsSample() {
    ScoreScatter plot;
    plot.setSeries(drawn(40));
    expose(plot, 620, 420);
    QSignalSpy picked(&plot, &ScoreScatter::samplesPicked);
    for (int series = 0; series < 2; ++series) {
      picked.clear();
      QTest::mouseClick(canvasOf(plot), Qt::LeftButton, {}, plot.pixelOf(series, 17).toPoint());
      QCOMPARE(picked.size(), 1);
      const auto samples = picked[0][0].value<SampleSet>();
      QCOMPARE(samples.size(), 1);
      QVERIFY(samples.contains(series == 0 ? kIn : kOut, 17));
      QTest::mouseMove(canvasOf(plot), plot.pixelOf(series, 17).toPoint());
      QVERIFY2(plot.readout().contains(QLatin1String("17")), qPrintable(plot.readout()));
    }
    picked.clear();  // beside all points: nothing
    QTest::mouseClick(canvasOf(plot), Qt::LeftButton, {},
                      QPoint(300, int(plot.thresholdPixel(0.4))));
    QTRY_COMPARE_WITH_TIMEOUT(picked.size(), 1, 3000);
    QCOMPARE(picked[0][0].value<SampleSet>().size(), 0);
  }

  void aDoubleClickLeavesTheSelectionAlone() {
    ScoreScatter plot;
    plot.setSeries(drawn(40));
    expose(plot, 620, 420);
    QSignalSpy picked(&plot, &ScoreScatter::samplesPicked);
    const QPoint from(300, qRound(plot.thresholdPixel(0.4)));
    QTest::mousePress(canvasOf(plot), Qt::LeftButton, {}, from);
    QTest::mouseMove(canvasOf(plot), from + QPoint(60, 0));
    QTest::mouseRelease(canvasOf(plot), Qt::LeftButton, {}, from + QPoint(60, 0));
    QVERIFY(plot.isZoomed());
    // A click, and the second one that makes it a double click.
    QTest::mouseClick(canvasOf(plot), Qt::LeftButton, {}, from);
    QTest::mouseDClick(canvasOf(plot), Qt::LeftButton, {}, from);
    QVERIFY(!plot.isZoomed());
    QTest::qWait(2 * QApplication::doubleClickInterval());
    QCOMPARE(picked.size(), 0);
  }

  void aRectangleSelectsWhatIsInIt() {
    ScoreScatter plot;
    plot.setSeries(drawn(40));
    expose(plot, 620, 420);
    QSignalSpy picked(&plot, &ScoreScatter::samplesPicked);
    QSignalSpy previewed(&plot, &ScoreScatter::samplesPreviewed);
    const double left = (plot.pixelOf(0, 9).x() + plot.pixelOf(0, 10).x()) / 2;
    const double right = (plot.pixelOf(0, 14).x() + plot.pixelOf(0, 15).x()) / 2;
    const QPoint from(qRound(left), qRound(plot.thresholdPixel(0.95)));
    const QPoint to(qRound(right), qRound(plot.thresholdPixel(0.5)));
    QTest::mousePress(canvasOf(plot), Qt::LeftButton, Qt::ControlModifier, from);
    QTest::mouseMove(canvasOf(plot), to);
    QTest::mouseRelease(canvasOf(plot), Qt::LeftButton, Qt::ControlModifier, to);
    QVERIFY(!previewed.isEmpty());
    SampleSet expected;
    for (int i = 10; i < 15; ++i) expected.insert(kOut, i);
    QVERIFY(picked.last()[0].value<SampleSet>() == expected);
  }

  void thresholdsStandAtTheirScores() {
    ScoreScatter plot;
    plot.setSeries(drawn(40));
    plot.setThreshold(0.4);
    plot.setOwnThreshold(0.2);
    expose(plot, 620, 420);
    const auto isLine = [&](double score) {
      const QImage image = canvasOf(plot)->grab().toImage();
      const int y = qRound(plot.thresholdPixel(score));
      int dark = 0;
      for (int x = 200; x < 400; ++x) {
        for (int dy = -1; dy <= 1; ++dy) {
          if (image.pixelColor(x, y + dy).lightnessF() < 0.45) {
            ++dark;
            break;
          }
        }
      }
      return dark;
    };
    for (const bool similarity : {false, true}) {
      plot.setSimilarity(similarity);
      QTest::qWait(60);
      QVERIFY(isLine(0.4) > 180);
      QVERIFY(isLine(0.2) > 80 && isLine(0.2) < 180);  // dashed
      QVERIFY(isLine(0.3) < 20);
      QCOMPARE(plot.thresholdPixel(0.4) < plot.thresholdPixel(0.2), !similarity);
    }
    QVERIFY2(plot.summary().contains(QLatin1String("in: 40 images, 40 accepted")),
             qPrintable(plot.summary()));
    QVERIFY(plot.summary().contains(QLatin1String("out: 40 images, 0 accepted")));
    // Dragged, and moved by keys, in the direction that is seen.
    QSignalSpy moved(&plot, &ScoreScatter::thresholdMoved);
    const QPoint on(300, qRound(plot.thresholdPixel(0.4)));
    const QPoint to(300, qRound(plot.thresholdPixel(0.5)));
    QTest::mousePress(canvasOf(plot), Qt::LeftButton, {}, on);
    QTest::mouseMove(canvasOf(plot), to);
    QTest::mouseRelease(canvasOf(plot), Qt::LeftButton, {}, to);
    QVERIFY(std::abs(moved.last()[0].toDouble() - 0.5) < 0.01);
    const double before = *plot.threshold();
    QTest::keyClick(canvasOf(plot), Qt::Key_Up);
    QVERIFY(*plot.threshold() < before);  // more similar is less anomalous
    QCOMPARE(moved.last()[0].toDouble(), *plot.threshold());
  }

  void aThresholdBeyondThePointsHasRoom() {
    for (const bool similarity : {false, true}) {
      for (const double own : {-0.2, 0.1, 0.9, 1.4}) {
        ScoreScatter plot;
        plot.setSimilarity(similarity);
        plot.setSeries(drawn(40));
        plot.setOwnThreshold(own);
        expose(plot, 620, 420);
        const double line = plot.thresholdPixel(own);
        const QRectF frame = plot.frame();
        QVERIFY2(line > frame.top() + 15 && line < frame.bottom() - 15, qPrintable(plot.summary()));
        for (int series = 0; series < 2; ++series) {
          for (std::size_t i = 0; i < 40; ++i) {
            QVERIFY(frame.contains(plot.pixelOf(series, i)));
          }
        }
      }
    }
  }

  void labelsGoWhereFewerPointsAre() {
    for (const bool pointsAbove : {false, true}) {
      ScoreScatter plot;
      std::vector<double> scores(400, pointsAbove ? 0.53 : 0.47);
      scores.front() = 0;
      scores.back() = 1;
      plot.setSeries({{QStringLiteral("in"), kIn, false, scores, {}}});
      plot.setOwnThreshold(0.5);
      plot.setThreshold(0.5);
      expose(plot, 620, 420);
      for (const bool own : {false, true}) {
        QCOMPARE(plot.labelBox(own).center().y() > plot.thresholdPixel(0.5), pointsAbove);
      }
    }
  }

  void boundsAreToldAsSuch() {
    ScoreScatter plot;
    auto series = drawn(10);
    series[1].saturated.assign(10, 0);
    series[1].saturated[3] = series[1].saturated[4] = 1;
    plot.setSeries(series);
    expose(plot, 620, 420);
    const PlotTable table = plot.table();
    QCOMPARE(std::accumulate(table.columns[2].begin(), table.columns[2].end(), 0.0), 2.0);
    QTest::mouseMove(canvasOf(plot), plot.pixelOf(1, 3).toPoint());
    QVERIFY2(plot.readout().contains(u'≤'), qPrintable(plot.readout()));
    plot.setSimilarity(true);
    QTest::qWait(50);
    QTest::mouseMove(canvasOf(plot), plot.pixelOf(1, 4).toPoint());
    QVERIFY2(plot.readout().contains(u'≥'), qPrintable(plot.readout()));
  }

  void theResultsPageLinksIt() {
    Workbench bench;
    RunStore store = bench.store();
    ResultsPage page(bench.context);
    page.resize(1180, 640);
    page.show();
    QSignalSpy shown(&page, &ResultsPage::shown);
    bench.focus.setRun(bench.ids[0]);
    QVERIFY(shown.wait(5000));
    auto* scores = page.findChild<ScoreSwitch*>();
    ScoreScatter* plot = scores->scatter();
    QVERIFY(!plot->isVisible());
    auto* box =
        page.findChild<HistogramPlot*>()->findChild<QComboBox*>(QStringLiteral("scoreKind"));
    QCOMPARE(box->itemText(1), QStringLiteral("Score scatter"));
    box->setCurrentIndex(1);
    Q_EMIT box->activated(1);
    QCOMPARE(scores->chosen(), QStringLiteral("scatter"));
    QVERIFY(plot->isVisible());
    // Clean, then the attack: the scores that are stored.
    const auto stored = [&](const char* attack) {
      return store.scores(bench.ids[0], "msp", attack, "fashion-mnist", false)->scores;
    };
    QCOMPARE(plot->series().size(), 2);
    QCOMPARE(plot->series()[0].scores, stored(""));
    QCOMPARE(*plot->threshold(), *page.thresholds()->threshold());
    QVERIFY(!plot->ownThreshold());
    auto* which = page.findChild<QComboBox*>(QStringLiteral("scatterImages"));
    QCOMPARE(which->itemText(1), QStringLiteral("pgd"));
    which->setCurrentIndex(1);
    Q_EMIT which->activated(1);
    QCOMPARE(plot->series()[0].scores, stored("pgd"));
    // A point is a sample of the window.
    QTest::qWait(50);
    std::size_t alone = 0;  // none nearer to it than its own
    QTest::mouseClick(canvasOf(*plot), Qt::LeftButton, {}, plot->pixelOf(0, alone).toPoint());
    QCOMPARE(bench.selection.committed().size(), 1);
    page.thresholds()->setThreshold(-0.5);
    QCOMPARE(*plot->threshold(), -0.5);
    Q_EMIT plot->thresholdMoved(-0.4);
    QCOMPARE(*page.thresholds()->threshold(), -0.4);
    grabBoth(page, QStringLiteral("results-scatter"));
  }

  void theOwnThresholdComesWithTheSummary() {
    Workbench bench;
    RunStore store = bench.store();
    ResultsPage page(bench.context);
    page.resize(1180, 640);
    page.show();
    QSignalSpy shown(&page, &ResultsPage::shown);
    bench.focus.setRun(bench.ids[0]);
    QVERIFY(shown.wait(5000));
    auto* plot = page.findChild<ScoreSwitch*>()->scatter();
    QVERIFY(!plot->ownThreshold());
    RunRecord record = store.run(bench.ids[0]);
    record.summary["own_decisions"] = {{{"detector", "knn"}, {"threshold", 0.7}},
                                       {{"detector", "msp"}, {"threshold", -0.25}}};
    store.setRunSummary(bench.ids[0], record.summary, record.timings);
    QTRY_COMPARE_WITH_TIMEOUT(plot->ownThreshold().value_or(0), -0.25, 5000);
  }

  void similarityIsSpokenOfWhereTheDetectorIsAttractor() {
    const Json specification = {
        {"detectors", {{{"type", "attractor"}, {"label", "n = 5"}}, {{"type", "msp"}}, "knn"}}};
    QCOMPARE(typeOfDetector(specification, QStringLiteral("n = 5")), QStringLiteral("attractor"));
    QCOMPARE(typeOfDetector(specification, QStringLiteral("msp")), QStringLiteral("msp"));
    QVERIFY(typeOfDetector(specification, QStringLiteral("attractor")).isEmpty());
    QVERIFY(typeOfDetector(Json(), QStringLiteral("msp")).isEmpty());
    auto* histogram = new HistogramPlot;
    ScoreSwitch scores(histogram);
    scores.setDetector(true, 0.2);
    QCOMPARE(scores.scatter()->title(), QStringLiteral("Similarity scatter"));
    QCOMPARE(histogram->findChild<QComboBox*>(QStringLiteral("scoreKind"))->itemText(1),
             QStringLiteral("Similarity scatter"));
    scores.setSeries(drawn(5), {});
    QVERIFY(scores.scatter()->csv().contains(QLatin1String("similarity")));
    QVERIFY(scores.findChild<QComboBox*>(QStringLiteral("scatterImages"))->isHidden());
  }
};

QTEST_MAIN(TestScoreScatter)
#include "tst_score_scatter.moc"
