#include <QApplication>
#include <QClipboard>
#include <QFile>
#include <QImage>
#include <QLabel>
#include <QRegularExpression>
#include <QScrollArea>
#include <QScrollBar>
#include <QTemporaryDir>
#include <QtTest/QtTest>

#include "core/base/random.h"
#include "core/metrics/precision_recall.h"
#include "core/metrics/roc.h"
#include "ui/plots/curve_plot.h"
#include "ui/plots/histogram_plot.h"
#include "ui/plots/line_plot.h"

using namespace bulwark;

namespace {

QByteArray contents(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// The figure as SVG, which keeps texts as such.
QByteArray exportedText(LinePlot& plot) {
  const QTemporaryDir folder;
  const QString path = folder.filePath(QStringLiteral("figure.svg"));
  return plot.exportTo(path) ? contents(path) : QByteArray();
}

void fill(LinePlot& plot) {
  plot.setTitle(QStringLiteral("Loss"));
  plot.setAxisTitles(QStringLiteral("epoch"), QStringLiteral("loss"));
  plot.setSeries(QStringLiteral("train, clean"), {1, 2, 3}, {0.5, 0.25, 0.125});
  plot.setSeries(QStringLiteral("validation"), {1, 2}, {0.75, 0.1});
}

struct TwoSets {
  std::vector<double> in, out;
};

TwoSets drawSets(int count) {
  Random random(Seed(11));
  TwoSets sets;
  for (int i = 0; i < count; ++i) {
    sets.in.push_back(random.normal());
    sets.out.push_back(random.normal() + 1.2);
  }
  return sets;
}

void fill(HistogramPlot& plot) {
  const TwoSets sets = drawSets(400);
  std::vector<std::uint8_t> saturated(400, 0);
  for (int i = 0; i < 25; ++i) saturated[std::size_t(i)] = 1;
  plot.setSeries(
      {{QStringLiteral("in"), {QStringLiteral("a"), false}, false, sets.in, {}},
       {QStringLiteral("out"), {QStringLiteral("b"), true}, false, sets.out, {}},
       {QStringLiteral("in, attacked"), {QStringLiteral("a"), false}, true, sets.in, saturated}});
  plot.setThreshold(0.5);
}

void fill(RocPlot& plot) {
  const TwoSets sets = drawSets(300);
  const RocCurve curve = rocCurve(sets.in, sets.out);
  plot.setCurves({{QStringLiteral("clean"), curve.fpr, curve.tpr, curve.thresholds,
                   auroc(sets.in, sets.out)}});
  plot.setThreshold(0.6);
}

void fill(PrPlot& plot) {
  const TwoSets sets = drawSets(300);
  const PrCurve curve = precisionRecallCurve(sets.in, sets.out);
  plot.setCurves({{QStringLiteral("clean"), curve.recall, curve.precision, curve.thresholds, 0.7}});
  plot.setChance(0.5);
}

void show(PlotWidget& plot) {
  plot.resize(500, 340);
  plot.show();
  QVERIFY(QTest::qWaitForWindowExposed(&plot));
  QTest::qWait(40);
}

}  // namespace

class TestPlots : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void exportsEveryFormat() {
    QTemporaryDir folder;
    LinePlot lines;
    fill(lines);
    HistogramPlot histogram;
    fill(histogram);
    RocPlot roc;
    fill(roc);
    PrPlot pr;
    fill(pr);
    for (PlotWidget* plot : std::initializer_list<PlotWidget*>{&lines, &histogram, &roc, &pr}) {
      checkExports(*plot, folder.path());
    }
  }

  void histogramCountsEverySampleOnce() {
    HistogramPlot plot;
    fill(plot);
    const PlotTable table = plot.table();
    QMap<QString, double> totals;
    QMap<QString, double> edges;
    for (qsizetype i = 0; i < table.labels.size(); ++i) {
      totals[table.labels[i]] += table.columns[2][i];
      if (std::isinf(table.columns[1][i])) edges[table.labels[i]] = table.columns[2][i];
    }
    QCOMPARE(totals[QStringLiteral("in")], 400.0);
    QCOMPARE(totals[QStringLiteral("out")], 400.0);
    QCOMPARE(totals[QStringLiteral("in, attacked")], 400.0);
    // Saturated in samples stand in the bar at the right edge, whatever their recorded score.
    QCOMPARE(edges[QStringLiteral("in, attacked")], 25.0);
    QCOMPARE(edges[QStringLiteral("in")], 0.0);
    QVERIFY(plot.summary().contains(QLatin1String("25")));
    // Brute force of one bin.
    const TwoSets sets = drawSets(400);
    for (qsizetype i = 0; i < table.labels.size(); ++i) {
      if (table.labels[i] != QLatin1String("in") || std::isinf(table.columns[1][i])) continue;
      const double from = table.columns[0][i], to = table.columns[1][i];
      const auto inside = std::count_if(sets.in.begin(), sets.in.end(),
                                        [&](double s) { return s >= from && s < to; });
      QCOMPARE(table.columns[2][i], double(inside));
    }
  }

  void outliersGoToTheEdgeBars() {
    HistogramPlot plot;
    TwoSets sets = drawSets(1000);
    sets.out.push_back(1e6);
    plot.setSeries({{QStringLiteral("in"), {QStringLiteral("a"), false}, false, sets.in, {}},
                    {QStringLiteral("out"), {QStringLiteral("b"), true}, false, sets.out, {}}});
    QVERIFY(plot.bins().high() < 100);
    double total = 0;
    const PlotTable table = plot.table();
    for (qsizetype i = 0; i < table.labels.size(); ++i) {
      if (table.labels[i] == QLatin1String("out")) total += table.columns[2][i];
    }
    QCOMPARE(total, 1001.0);
    QVERIFY(
        plot.samplesBetween(plot.bins().high(), 1e9).contains({QStringLiteral("b"), true}, 1000));
  }

  void readoutFollowsTheThresholdBeingDragged() {
    HistogramPlot plot;
    fill(plot);
    plot.setThreshold((plot.bins().low() + plot.bins().high()) / 2);
    show(plot);
    auto* canvas = plot.findChild<QWidget*>(QStringLiteral("canvas"));
    const QPoint line(qRound(plot.thresholdPixel()), canvas->height() / 2);
    QTest::mouseMove(canvas, line);
    const QString before = plot.readout();
    // The attacked count stands behind the clean one, so that both fit above the plot.
    static const QRegularExpression form(
        QStringLiteral("^in \\d+ → \\d+, out \\d+.*\\(\\S+ to \\S+\\)$"));
    QVERIFY2(form.match(before).hasMatch(), qPrintable(before));
    QTest::mousePress(canvas, Qt::LeftButton, {}, line);
    QTest::mouseMove(canvas, line + QPoint(60, 0));
    QVERIFY2(plot.readout() != before && form.match(plot.readout()).hasMatch(),
             qPrintable(plot.readout()));
    QTest::mouseRelease(canvas, Qt::LeftButton, {}, line + QPoint(60, 0));
  }

  void aRangeIsPreviewedThenPicked() {
    HistogramPlot plot;
    fill(plot);
    show(plot);
    QSignalSpy previewed(&plot, &HistogramPlot::samplesPreviewed);
    QSignalSpy picked(&plot, &HistogramPlot::samplesPicked);
    auto* canvas = plot.findChild<QWidget*>(QStringLiteral("canvas"));
    const QPoint from(120, 150), to(220, 150);
    QTest::mousePress(canvas, Qt::LeftButton, Qt::ControlModifier, from);
    QTest::mouseMove(canvas, QPoint(170, 150));
    QTest::mouseMove(canvas, to);
    QTest::mouseRelease(canvas, Qt::LeftButton, Qt::ControlModifier, to);
    QVERIFY(previewed.count() >= 2);
    QCOMPARE(picked.count(), 1);
    QVERIFY(picked[0][0].value<SampleSet>().size() > 0);
    QVERIFY(!plot.isZoomed());
  }

  void hoverOnARocPointTellsThresholdAndRates() {
    RocPlot plot;
    fill(plot);
    show(plot);
    auto* canvas = plot.findChild<QWidget*>(QStringLiteral("canvas"));
    for (int x = 60; x < 400 && plot.readout().isEmpty(); x += 5) {
      QTest::mouseMove(canvas, QPoint(x, 110));
    }
    QVERIFY2(plot.readout().contains(QLatin1String("TPR")) &&
                 plot.readout().contains(QLatin1String("FPR")) &&
                 plot.readout().contains(QLatin1String("score")),
             qPrintable(plot.readout()));
    QSignalSpy picked(&plot, &CurvePlot::thresholdPicked);
    for (int x = 60; x < 400 && picked.isEmpty(); x += 5) {
      QTest::mouseClick(canvas, Qt::LeftButton, {}, QPoint(x, 110));
    }
    QCOMPARE(picked.count(), 1);
  }

  void aPointAndItsThresholdBelongTogether() {
    RocPlot plot;
    fill(plot);
    const TwoSets sets = drawSets(300);
    const ThresholdCurve& curve = plot.curves()[0];
    for (std::size_t i = 0; i < curve.x.size(); i += 17) {
      const double threshold = *plot.thresholdOf(0, i);
      const auto flagged =
          std::count_if(sets.out.begin(), sets.out.end(), [&](double s) { return s > threshold; });
      QCOMPARE(curve.y[i], double(flagged) / 300);
      QCOMPARE(plot.pointAt(0, threshold)->y(), curve.y[i]);
      QCOMPARE(plot.pointAt(0, threshold)->x(), curve.x[i]);
    }
  }

  void logScaleShowsSmallShares() {
    HistogramPlot plot;
    fill(plot);
    plot.setLogScale(true);
    QVERIFY(plot.logScale());
    QTemporaryDir folder;
    QVERIFY(plot.exportTo(folder.filePath(QStringLiteral("log.svg"))));
  }

  void csvHoldsEveryPointExactly() {
    LinePlot plot;
    fill(plot);
    plot.setSeries(QStringLiteral("third"), {7}, {1.0 / 3.0});
    const QStringList lines = plot.csv().trimmed().split(u'\n');
    QCOMPARE(lines.size(), 7);
    QCOMPARE(lines[0], QStringLiteral("series,epoch,loss"));
    QCOMPARE(lines[1], QStringLiteral("\"train, clean\",1,0.5"));
    QCOMPARE(lines[6].section(u',', 2).toDouble(), 1.0 / 3.0);
  }

  void namesWhereStagesBegin() {
    LinePlot plot;
    plot.setStages({{2.5, QStringLiteral("tuning")}});
    QCOMPARE(exportedText(plot).count("tuning"), 0);  // without data there is nothing to divide
    fill(plot);
    QCOMPARE(exportedText(plot).count("tuning"), 1);
    QVERIFY(plot.summary().contains(QStringLiteral("tuning from 2.5")));
    plot.setStages({{1.5, QStringLiteral("second")}, {2.5, QStringLiteral("third")}});
    QCOMPARE(exportedText(plot).count("tuning"), 0);
    QVERIFY(exportedText(plot).contains("third"));
    plot.clearSeries();
    fill(plot);
    QVERIFY(!exportedText(plot).contains("third"));
  }

  void replacesASeriesOfTheSameName() {
    LinePlot plot;
    fill(plot);
    plot.setSeries(QStringLiteral("validation"), {1, 2, 3}, {3, 2, 1});
    QCOMPARE(plot.table().labels.count(QStringLiteral("validation")), 3);
    plot.clearSeries();
    QVERIFY(plot.isEmpty());
    QCOMPARE(plot.table().labels.size(), 0);
  }

  void refusesUnknownSuffixAndUnwritablePlaces() {
    QTemporaryDir folder;
    LinePlot plot;
    fill(plot);
    QString error;
    QVERIFY(!plot.exportTo(folder.filePath(QStringLiteral("x.bmp")), &error));
    QVERIFY(error.contains(QLatin1String(".svg")));
    QVERIFY(!plot.exportTo(folder.filePath(QStringLiteral("none/x.png")), &error));
    QVERIFY(!error.isEmpty());
    QVERIFY(!QFile::exists(folder.filePath(QStringLiteral("x.bmp"))));
  }

  void theMenuAsksForAPathAndExports() {
    QTemporaryDir folder;
    LinePlot plot;
    fill(plot);
    QString suggested;
    plot.setPathChooser([&](QWidget*, const QString& name, const QString&) {
      suggested = name;
      return folder.filePath(name);
    });
    plot.findChild<QAction*>(QStringLiteral("exportPdf"))->trigger();
    QCOMPARE(suggested, QStringLiteral("loss.pdf"));
    QVERIFY(contents(folder.filePath(suggested)).startsWith("%PDF-"));
  }

  void coloursFollowThePalette() {
    LinePlot plot;
    fill(plot);
    plot.resize(400, 300);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    QPalette dark;
    dark.setColor(QPalette::Base, QColor("#16181d"));
    dark.setColor(QPalette::Text, Qt::white);
    plot.setPalette(dark);
    QTest::qWait(50);
    QWidget* canvas = plot.findChild<QWidget*>(QStringLiteral("canvas"));
    const QImage shot = canvas->grab().toImage();
    QCOMPARE(shot.pixelColor(1, 1), QColor("#16181d"));
    // A file for a paper stays black on white.
    QTemporaryDir folder;
    QVERIFY(plot.exportTo(folder.filePath(QStringLiteral("a.png"))));
    QCOMPARE(QImage(folder.filePath(QStringLiteral("a.png"))).pixelColor(2, 2), QColor(Qt::white));
    QTest::qWait(50);
    QCOMPARE(canvas->grab().toImage().pixelColor(1, 1), QColor("#16181d"));
  }

  void wheelZoomsAndDoubleClickResets() {
    LinePlot plot;
    fill(plot);
    plot.resize(400, 300);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    QSignalSpy maximize(&plot, &PlotWidget::maximizeRequested);
    QWidget* canvas = plot.findChild<QWidget*>(QStringLiteral("canvas"));
    const QPoint middle = canvas->rect().center();
    QWheelEvent wheel(middle, canvas->mapToGlobal(middle), {}, {0, 120}, Qt::NoButton,
                      Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(canvas, &wheel);
    QVERIFY(plot.isZoomed());
    QTest::mouseDClick(canvas, Qt::LeftButton, {}, middle);
    QVERIFY(!plot.isZoomed());
    QCOMPARE(maximize.count(), 0);
    QTest::mouseDClick(canvas, Qt::LeftButton, {}, middle);
    QCOMPARE(maximize.count(), 1);
  }

  void aReadoutWithoutRoomStandsInThePlot() {
    HistogramPlot plot;
    plot.setTitle(QStringLiteral("Score histogram"));
    QVector<HistogramSeries> series;
    for (const bool out : {false, true}) {
      std::vector<double> scores;
      for (int i = 0; i < 200; ++i) scores.push_back(0.01 * i + (out ? 1 : 0));
      const QString name = out ? QStringLiteral("out") : QStringLiteral("in");
      series.append({name, {name, out}, false, scores, {}});
    }
    plot.setSeries(series);
    plot.resize(250, 240);
    plot.move(0, 0);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    QWidget* canvas = plot.findChild<QWidget*>(QStringLiteral("canvas"));
    auto* balloon = plot.findChild<QLabel*>(QStringLiteral("plotBalloon"));
    bool seen = false;
    for (int x = 20; x < canvas->width() - 2; x += 6) {
      const QPoint at(x, canvas->height() / 2);
      QMouseEvent move(QEvent::MouseMove, at, canvas->mapToGlobal(at), Qt::NoButton, Qt::NoButton,
                       Qt::NoModifier);
      QApplication::sendEvent(canvas, &move);
      QTest::qWait(5);
      if (!balloon->isVisible()) continue;
      seen = true;
      QCOMPARE(balloon->text(), plot.readout());
      QVERIFY(canvas->rect().contains(balloon->geometry()));
    }
    QVERIFY(seen);
  }

  void theWheelBelongsToAPageThatScrolls() {
    QScrollArea area;
    auto* body = new QWidget;
    body->setFixedSize(400, 900);
    area.setWidget(body);
    auto* plot = new LinePlot(body);
    fill(*plot);
    plot->setGeometry(0, 0, 400, 300);
    area.resize(420, 300);
    area.show();
    QVERIFY(QTest::qWaitForWindowExposed(&area));
    QWidget* canvas = plot->findChild<QWidget*>(QStringLiteral("canvas"));
    const QPoint middle = canvas->rect().center();
    const auto turn = [&](Qt::KeyboardModifiers modifiers) {
      QWheelEvent wheel(middle, canvas->mapToGlobal(middle), {}, {0, -120}, Qt::NoButton, modifiers,
                        Qt::NoScrollPhase, false);
      // Qt hands an ignored wheel on to the parents only when it comes from the mouse.
      QSpontaneKeyEvent::setSpontaneous(&wheel);
      qApp->notify(canvas, &wheel);
    };
    QVERIFY(!canvas->testAttribute(Qt::WA_NoMousePropagation));
    auto* bar = area.verticalScrollBar();
    turn(Qt::NoModifier);
    QVERIFY(bar->value() > 0);
    QVERIFY(!plot->isZoomed());
    bar->setValue(0);
    turn(Qt::ControlModifier);
    QCOMPARE(bar->value(), 0);
    QVERIFY(plot->isZoomed());
    // Where the page has room for all of it, there is nothing to scroll: the wheel zooms.
    plot->resetView();
    area.resize(420, 1000);
    QTRY_COMPARE(bar->maximum(), 0);
    turn(Qt::NoModifier);
    QVERIFY(plot->isZoomed());
  }

  void describesItselfInWords() {
    LinePlot plot;
    fill(plot);
    QCOMPARE(plot.accessibleName(), QStringLiteral("Loss"));
    QVERIFY(plot.accessibleDescription().contains(QLatin1String("validation: 2 points")));
  }

 private:
  static void checkExports(PlotWidget& plot, const QString& folder) {
    const auto path = [&](const char* name) { return folder + u'/' + QLatin1String(name); };
    for (const char* name : {"a.png", "a.pdf", "a.svg", "a.csv"}) {
      QString error;
      QVERIFY2(plot.exportTo(path(name), &error), qPrintable(error));
      QVERIFY(plot.readout().endsWith(QLatin1String(name)));
    }
    QImage image;
    QVERIFY(image.load(path("a.png"), "PNG"));
    QCOMPARE(image.size(), QSize(1280, 880));
    const QByteArray pdf = contents(path("a.pdf"));
    QVERIFY(pdf.startsWith("%PDF-") && pdf.trimmed().endsWith("%%EOF"));
    QVERIFY(pdf.contains("MediaBox [0 0 480"));
    const QByteArray svg = contents(path("a.svg"));
    QVERIFY(svg.contains("<svg") && svg.trimmed().endsWith("</svg>"));
    QVERIFY(svg.count("<path") + svg.count("<polyline") > 4);
    QCOMPARE(contents(path("a.csv")), plot.csv().toUtf8());
  }
};

QTEST_MAIN(TestPlots)
#include "tst_plots.moc"
