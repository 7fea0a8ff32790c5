// The layers that detectors searched, and figures over the weight of the logits.
#include <QtTest/QtTest>
#include <cmath>
#include <set>

#include "core/report/weight_curve.h"
#include "plot_views.h"
#include "ui/models/layer_search.h"
#include "ui/pages/results_page.h"
#include "ui/plots/curve_switch.h"
#include "ui/plots/layer_plot.h"

using namespace bulwark;
using namespace bulwark::testing;

namespace {

Json layer(const char* name, int features, double error) {
  const bool dead = std::isnan(error);
  return {{"layer", name},
          {"features", features},
          {"detection_error", dead ? Json() : Json(error)},
          {"auroc", dead ? Json() : Json(1 - error * 1.5)}};
}

/// Facts as core/detectors/layer_search.h tells them.
Json facts(const char* chosen, std::initializer_list<double> errors) {
  const char* names[] = {"conv1", "conv2", "fc1", "fc2", "logits"};
  const int features[] = {6, 16, 120, 84, 10};
  Json layers = Json::array();
  int at = 0;
  for (const double error : errors) {
    layers.push_back(layer(names[at], features[at], error));
    ++at;
  }
  return {{"layer", chosen},       {"points", 5000},
          {"in_images", 1000},     {"in_from", "validation"},
          {"layers", layers},      {"outlier_kinds", {"noise", "phase", "mix"}},
          {"support_vectors", 512}};
}

const double kDead = std::nan("");

Json searched() {
  Json summary;
  summary["fit_facts"]["svdd"] = facts("conv1", {0.021, 0.064, 0.19, kDead, 0.33});
  summary["fit_facts"]["elo"] = facts("conv2", {0.048, 0.044, 0.21, kDead, 0.4});
  summary["fit_facts"]["named"] = {{"layer", "conv1"}, {"support_vectors", 12}};
  return summary;
}

/// Adds to what the summary of a run holds.
void addFacts(RunStore& store, std::int64_t run, const Json& facts) {
  const RunRecord record = store.run(run);
  Json summary = record.summary;
  summary.update(facts);
  store.setRunSummary(run, summary, record.timings);
}

WeightCurve weights(double least, double most) {
  WeightCurve curve;
  curve.own = 0.5;
  WeightCurve::Series tnr{"tnr95_per_class", {}}, area{"auroc_per_class", {}};
  for (int i = 0; i <= 10; ++i) {
    const double weight = 0.1 * i;
    curve.weights.push_back(weight);
    tnr.values.push_back(most - (most - least) * std::abs(weight - 0.5) * 2);
    area.values.push_back((1 + tnr.values.back()) / 2);
  }
  curve.series = {tnr, area};
  return curve;
}

ResultRow weighed(const char* detector, const char* attack, const char* setting, const char* out,
                  double least, double most) {
  ResultRow row;
  row.detector = detector;
  row.attack = attack;
  row.setting = setting;
  row.out = out;
  row.extra = {{WeightCurve::key, weights(least, most).toJson()}};
  return row;
}

}  // namespace

class TestUniformViews : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void searchesAreReadFromTheFacts() {
    const auto searches = readLayerSearches(searched());
    QCOMPARE(searches.size(), 2);  // a layer that was named was not searched
    QCOMPARE(searches[0].detector, QStringLiteral("svdd"));
    QCOMPARE(searches[0].chosen, QStringLiteral("conv1"));
    QCOMPARE(searches[0].layers.size(), 5);
    QCOMPARE(searches[0].layers[1].name, QStringLiteral("conv2"));
    QCOMPARE(searches[0].layers[1].features, 16);
    QCOMPARE(searches[0].layers[1].error, 0.064);
    QVERIFY(std::isnan(searches[0].layers[3].error));
    QVERIFY(searches[0].validation);
    QCOMPARE(searches[0].outliers, QStringLiteral("noise, phase, mix"));
    // What others keep in the same place is passed over.
    QVERIFY(readLayerSearches(Json()).isEmpty());
    QVERIFY(readLayerSearches({{"fit_facts", {{"attractor", {{"layers", 3}}}}}}).isEmpty());
    QVERIFY(readLayerSearches({{"fit_facts", {1, 2}}}).isEmpty());
  }

  void everyLayerStandsAtItsError() {
    LayerPlot plot;
    plot.setSearches(readLayerSearches(searched()));
    expose(plot, 640, 360);
    QCOMPARE(plot.layers(), (QStringList{"conv1", "conv2", "fc1", "fc2", "logits"}));
    // To the right in the order of the network, upwards with the error.
    for (int i = 1; i < 3; ++i) {
      QVERIFY(plot.pixelOf(0, i).x() > plot.pixelOf(0, i - 1).x());
      QVERIFY(plot.pixelOf(0, i).y() < plot.pixelOf(0, i - 1).y());
    }
    const QImage image = canvasOf(&plot)->grab().toImage();
    const auto ink = [&](const QPointF& at, int from, int to) {
      int count = 0;
      for (int x = -to; x <= to; ++x) {
        for (int y = -to; y <= to; ++y) {
          const double radius = std::hypot(x, y);
          if (radius < from || radius > to) continue;
          const QColor color = image.pixelColor(int(at.x()) + x, int(at.y()) + y);
          count += color.saturation() > 60;
        }
      }
      return count;
    };
    for (int i : {0, 1, 2, 4})
      QVERIFY2(ink(plot.pixelOf(0, i), 0, 3) > 12, qPrintable(QString::number(i)));
    // The ring around the layer chosen, and none elsewhere.
    QVERIFY(ink(plot.pixelOf(0, 0), 6, 9) > 40);
    QVERIFY(ink(plot.pixelOf(1, 1), 6, 9) > 40);
    QVERIFY(ink(plot.pixelOf(1, 2), 6, 9) < 40);
    QTest::mouseMove(canvasOf(&plot), plot.pixelOf(0, 0).toPoint());
    for (const char* part : {"conv1", "6 features", "svdd: error", "(chosen)"}) {
      QVERIFY2(plot.readout().contains(QLatin1String(part)), qPrintable(plot.readout()));
    }
    QVERIFY(plot.readout().contains(QLocale().toString(0.021, 'f', 4)));
    QTest::mouseMove(canvasOf(&plot),
                     QPoint(int(plot.pixelOf(0, 2).x() + plot.pixelOf(0, 4).x()) / 2, 60));
    QVERIFY2(plot.readout().contains(QLatin1String("constant")), qPrintable(plot.readout()));

    plot.setQuantity(LayerPlot::Quantity::Auroc);
    QVERIFY(plot.pixelOf(0, 1).y() > plot.pixelOf(0, 0).y());
    QCOMPARE(plot.title(), QStringLiteral("AUROC per layer"));
    const PlotTable table = plot.table();
    QCOMPARE(table.labels.size(), 10);
    QCOMPARE(table.labels[6], QStringLiteral("elo: conv2"));
    QCOMPARE(table.columns[1][6], 0.044);
    QCOMPARE(table.columns[3], (QVector<double>{1, 0, 0, 0, 0, 0, 1, 0, 0, 0}));
    QVERIFY(std::isnan(table.columns[2][3]));
    QVERIFY(
        plot.summary().contains(QLatin1String("elo chose conv2 of 5 layers by 1,000 validation")));
    QTemporaryDir folder;
    for (const char* suffix : {"png", "pdf", "svg", "csv"}) {
      const QString path = folder.filePath(QStringLiteral("f.") + QLatin1String(suffix));
      QVERIFY(plot.exportTo(path));
      QVERIFY(QFileInfo(path).size() > 100);
    }
  }

  void theArrowKeysWalkOverTheLayers() {
    LayerPlot plot;
    plot.setSearches(readLayerSearches(searched()));
    expose(plot, 640, 360);
    for (int i = 0; i < 3; ++i) QTest::keyClick(canvasOf(&plot), Qt::Key_Right);
    QCOMPARE(plot.current(), 2);
    QCOMPARE(plot.readout(), plot.sentence(2));
    QCOMPARE(canvasOf(&plot)->accessibleDescription(), plot.sentence(2));
    for (int i = 0; i < 9; ++i) QTest::keyClick(canvasOf(&plot), Qt::Key_Right);
    QCOMPARE(plot.current(), 4);
    QTest::keyClick(canvasOf(&plot), Qt::Key_Left);
    QVERIFY(plot.readout().contains(QLatin1String("cannot be used")));
  }

  void namesOfADeepNetworkDoNotRunIntoEachOther() {
    LayerSearch search{QStringLiteral("svdd"), QStringLiteral("stage2.block3"), {}, 100, true, {}};
    for (int i = 0; i < 24; ++i) {
      search.layers.append({QStringLiteral("stage%1.block%2").arg(i / 8).arg(i % 8), 16,
                            0.05 + 0.02 * std::abs(i - 7), 0.9});
    }
    LayerPlot plot;
    plot.setSearches({search});
    expose(plot, 640, 360);
    grabBoth(plot, QStringLiteral("layers-deep"));
    // Upright: a name is as wide as a line is high, and there is room for 24 of those.
    const double step = plot.pixelOf(0, 1).x() - plot.pixelOf(0, 0).x();
    QVERIFY2(step > 16, qPrintable(QString::number(step)));
    plot.setSearches(readLayerSearches(searched()));
    QTest::qWait(60);
    QVERIFY(plot.pixelOf(0, 0).y() > 200);  // names lie below and take little
  }

  void onlyRunsThatSearchedOfferTheLayers() {
    Workbench bench(2);
    RunStore store = bench.store();
    addFacts(store, bench.ids[0], searched());
    ResultsPage page(bench.context);
    page.resize(1180, 640);
    page.show();
    open(bench, page, bench.ids[0]);
    auto* curves = page.findChild<CurveSwitch*>();
    QVERIFY(curves->choose(QStringLiteral("layer-error")));
    QVERIFY(curves->layers()->isVisible());
    QCOMPARE(curves->layers()->layers().size(), 5);
    grabBoth(page, QStringLiteral("results-layers"));
    QVERIFY(curves->choose(QStringLiteral("layer-auroc")));
    QCOMPARE(curves->layers()->title(), QStringLiteral("AUROC per layer"));
    grab(page, QStringLiteral("results-layers-auroc"));
    open(bench, page, bench.ids[1]);
    QCOMPARE(curves->chosen(), QStringLiteral("pr"));
    QVERIFY(!curves->choose(QStringLiteral("layer-error")));
    QVERIFY(!curves->layers()->isVisible());
  }

  void theWeightOfTheLogitsHasALinePerOutSet() {
    auto* pr = new PrPlot;
    CurveSwitch curves(pr);
    curves.resize(560, 320);
    const std::vector<ResultRow> rows = {weighed("svdd", "", "clean", "glyphs", 0.5, 0.9),
                                         weighed("svdd", "", "clean", "noise-uniform", 0.8, 1),
                                         weighed("svdd", "pgd", "in", "glyphs", 0.3, 0.4),
                                         weighed("svdd", "pgd", "in_out", "glyphs", 0.1, 0.2),
                                         weighed("other", "", "clean", "glyphs", 0, 0.1),
                                         ResultRow()};
    curves.setWeights(rows, QStringLiteral("svdd"), QStringLiteral("pgd"),
                      QStringLiteral("glyphs"));
    QVERIFY(curves.choose(QStringLiteral("weight-tnr95_per_class")));
    TrendPlot* plot = curves.weights();
    QCOMPARE(curves.currentWidget(), plot);
    QCOMPARE(plot->series().size(), 3);
    QCOMPARE(plot->series()[0].name, QStringLiteral("glyphs"));
    QCOMPARE(plot->series()[1].name, QStringLiteral("glyphs, in_out under pgd"));
    QCOMPARE(plot->series()[2].name, QStringLiteral("noise-uniform"));
    QVERIFY(!plot->series()[0].faint && !plot->series()[1].faint && plot->series()[2].faint);
    QCOMPARE(plot->series()[0].y[5], 0.9);
    QCOMPARE(plot->series()[0].x[3], 0.1 * 3);
    QCOMPARE(plot->series()[1].y[0], 0.1);
    // Another out set, another detector, and a run without such curves.
    curves.setWeights(rows, QStringLiteral("svdd"), {}, QStringLiteral("noise-uniform"));
    QCOMPARE(curves.chosen(), QStringLiteral("weight-tnr95_per_class"));
    QCOMPARE(plot->series().size(), 2);
    QCOMPARE(plot->series()[0].name, QStringLiteral("noise-uniform"));
    QVERIFY(plot->series()[1].faint);
    QVERIFY(curves.choose(QStringLiteral("weight-auroc_per_class")));
    QCOMPARE(plot->series()[0].y[5], 1.0);
    // A set keeps its colour whichever is chosen.
    QCOMPARE(plot->series()[0].look, 1);
    QCOMPARE(plot->series()[1].look, 0);
    QTemporaryDir folder;
    QVERIFY(plot->exportTo(folder.filePath(QStringLiteral("w.pdf"))));
    QCOMPARE(plot->table().headers[0], QStringLiteral("weight of the logits (β)"));
    curves.setWeights(rows, QStringLiteral("other"), {}, QStringLiteral("glyphs"));
    QCOMPARE(plot->series().size(), 1);
    curves.setWeights({ResultRow()}, QStringLiteral("svdd"), {}, QStringLiteral("glyphs"));
    QCOMPARE(curves.chosen(), QStringLiteral("pr"));
    QVERIFY(!curves.choose(QStringLiteral("weight-tnr95_per_class")));
  }

  void manyOutSetsHaveColoursAndTheLegendItsRoom() {
    auto* pr = new PrPlot;
    CurveSwitch curves(pr);
    std::vector<ResultRow> rows;
    for (int i = 0; i < 9; ++i) {
      rows.push_back(
          weighed("svdd", "", "clean", ("set number " + std::to_string(i)).c_str(), 0.1 * i, 0.95));
    }
    curves.setWeights(rows, QStringLiteral("svdd"), {}, QStringLiteral("set number 3"));
    QVERIFY(curves.choose(QStringLiteral("weight-tnr95_per_class")));
    TrendPlot* plot = curves.weights();
    const auto ink = [&] {
      QTest::qWait(80);
      const QImage image = canvasOf(plot)->grab().toImage();
      std::set<int> hues;
      for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) {
          const QColor color = image.pixelColor(x, y);
          if (color.saturation() > 120) hues.insert(color.hue() / 20);
        }
      }
      return hues;
    };
    expose(curves, 460, 190);
    grabBoth(curves, QStringLiteral("weights-small"));
    QVERIFY2(ink().size() >= 6, qPrintable(QString::number(ink().size())));
    // The title of the axis is no longer than the axis where that is short; all of it else.
    const PlotTable table = plot->table();
    QCOMPARE(table.headers[1], QStringLiteral("TNR at 95 % TPR, per class"));
    curves.resize(900, 560);
    grabBoth(curves, QStringLiteral("weights-large"));
    QTemporaryDir folder;
    const QString svg = folder.filePath(QStringLiteral("w.svg"));
    const auto texts = [&] {
      plot->exportTo(svg);
      QFile from(svg);
      from.open(QIODevice::ReadOnly);
      return QString::fromUtf8(from.readAll());
    };
    QVERIFY(texts().contains(QLatin1String("set number 8")));
    QVERIFY(texts().contains(QLatin1String("in force: ")));
    QVERIFY(texts().contains(QLatin1String("TNR at 95 % TPR, per class<")));
    plot->setExportSize({460, 190});
    QVERIFY(!texts().contains(QLatin1String("set number 8")));
    QVERIFY(texts().contains(QLatin1String("set number 3")));
    QVERIFY(texts().contains(QLatin1String("and 8 more")));
    QVERIFY(texts().contains(QLatin1String("in force: ")));
    QVERIFY(!texts().contains(QLatin1String("TNR at 95 % TPR, per class<")));
  }
};

QTEST_MAIN(TestUniformViews)
#include "tst_uniform_views.moc"
