#include <QApplication>
#include <QClipboard>
#include <QFile>
#include <QImage>
#include <QTemporaryDir>
#include <QtTest/QtTest>

#include "ui/plots/line_plot.h"

using namespace bulwark;

namespace {

QByteArray contents(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void fill(LinePlot& plot) {
  plot.setTitle(QStringLiteral("Loss"));
  plot.setAxisTitles(QStringLiteral("epoch"), QStringLiteral("loss"));
  plot.setSeries(QStringLiteral("train, clean"), {1, 2, 3}, {0.5, 0.25, 0.125});
  plot.setSeries(QStringLiteral("validation"), {1, 2}, {0.75, 0.1});
}

}  // namespace

class TestPlots : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void exportsEveryFormat() {
    QTemporaryDir folder;
    LinePlot plot;
    fill(plot);
    checkExports(plot, folder.path());
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
