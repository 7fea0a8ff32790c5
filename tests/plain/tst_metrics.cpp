#include <QtTest/QtTest>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/metrics/detection.h"
#include "core/metrics/operating_point.h"
#include "core/metrics/per_class.h"
#include "core/metrics/precision_recall.h"
#include "core/metrics/roc.h"
#include "core/metrics/threshold.h"
#include "metric_vectors.h"

using namespace bulwark;
using namespace vectors;

#define NEAR(actual, expected, tolerance)                  \
  QVERIFY2(std::abs((actual) - (expected)) <= (tolerance), \
           qPrintable(QString("%1 is not %2").arg(actual, 0, 'g', 12).arg(expected, 0, 'g', 12)))

namespace {

template <class Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind() == Error::Kind::BadInput ? error.problem() : "wrong kind of error";
  }
  return "nothing was refused";
}

}  // namespace

/// The worked examples, to the digits given there.
class TestMetrics : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void areaUnderRoc() {
    const ScoreLevels a = scoreLevels(inA(), outA());
    const ScoreLevels b = scoreLevels(inB(), outB());
    NEAR(auroc(a), 0.83, 1e-15);
    NEAR(auroc(b), 0.8520833333, 1e-10);
    NEAR(aurocPessimistic(a), 0.81, 1e-15);
    NEAR(aurocPessimistic(b), 0.85, 1e-15);
    NEAR(aurocOptimistic(a), 0.85, 1e-15);
    const Scores equal(4, 0.3);
    QCOMPARE(auroc(equal, equal), 0.5);
    QCOMPARE(aurocPessimistic(scoreLevels(equal, equal)), 0.0);
    // Trapezoids under the curve of distinct thresholds give the same.
    const RocCurve curve = rocCurve(a);
    double area = 0.0;
    for (std::size_t k = 1; k < curve.fpr.size(); ++k) {
      area += (curve.fpr[k] - curve.fpr[k - 1]) * (curve.tpr[k] + curve.tpr[k - 1]) / 2.0;
    }
    NEAR(area, 0.83, 1e-15);
  }

  void rocPoints() {
    // The example lists the distinct (FPR, TPR) with in as positive; steps that move neither rate
    // by a positive leave several thresholds on one TPR.
    const RocCurve curve = rocCurve(inA(), outA(), Positive::In);
    const std::vector<std::pair<double, double>> expected = {
        {0, .1},  {0, .2},  {0, .3},  {.1, .4}, {.1, .5}, {.1, .6}, {.2, .7}, {.2, .8},
        {.3, .8}, {.4, .9}, {.5, .9}, {.6, .9}, {.7, .9}, {.8, 1},  {.9, 1},  {1, 1}};
    QCOMPARE(curve.fpr.size(), expected.size() + 1);
    QCOMPARE(curve.tpr.size(), curve.fpr.size());
    QCOMPARE(curve.thresholds.size(), curve.fpr.size());
    QCOMPARE(curve.fpr[0], 0.0);
    QCOMPARE(curve.tpr[0], 0.0);
    QVERIFY(std::isinf(curve.thresholds[0]) && curve.thresholds[0] < 0);
    for (std::size_t k = 0; k < expected.size(); ++k) {
      NEAR(curve.fpr[k + 1], expected[k].first, 1e-15);
      NEAR(curve.tpr[k + 1], expected[k].second, 1e-15);
    }
    // With out as positive: the same points mirrored at the diagonal from the other end.
    const RocCurve mirror = rocCurve(inA(), outA(), Positive::Out);
    QCOMPARE(mirror.fpr.size(), curve.fpr.size());
    for (std::size_t k = 0; k < mirror.fpr.size(); ++k) {
      NEAR(mirror.fpr[k], 1.0 - curve.tpr[curve.tpr.size() - 1 - k], 1e-15);
      NEAR(mirror.tpr[k], 1.0 - curve.fpr[curve.fpr.size() - 1 - k], 1e-15);
    }
    QVERIFY(std::isinf(mirror.thresholds[0]) && mirror.thresholds[0] > 0);
  }

  void areaUnderPrecisionRecall_data() {
    QTest::addColumn<bool>("setA");
    QTest::addColumn<bool>("outPositive");
    QTest::addColumn<double>("average");
    QTest::addColumn<double>("fromFirst");
    QTest::addColumn<double>("fromHalf");
    QTest::addColumn<double>("mdc");
    QTest::newRow("A in") << true << false << 0.8316117216 << 0.8437071956 << 0.8187071956
                          << 0.7711653379;
    QTest::newRow("A out") << true << true << 0.8098796955 << 0.8222161825 << 0.7972161825
                           << 0.7452870700;
    QTest::newRow("B in") << false << false << 0.9133880048 << 0.9116116375 << 0.8991116375
                          << 0.8858616375;
    QTest::newRow("B out") << false << true << 0.7460978836 << 0.7298762068 << 0.7090428735
                           << 0.6832492227;
  }
  void areaUnderPrecisionRecall() {
    QFETCH(bool, setA);
    QFETCH(bool, outPositive);
    QFETCH(double, average);
    QFETCH(double, fromFirst);
    QFETCH(double, fromHalf);
    QFETCH(double, mdc);
    const Positive positive = outPositive ? Positive::Out : Positive::In;
    const ScoreLevels scores = setA ? scoreLevels(inA(), outA()) : scoreLevels(inB(), outB());
    NEAR(averagePrecision(scores, positive), average, 1e-10);
    NEAR(auprTrapezoid(scores, positive, PrStart::First), fromFirst, 1e-10);
    NEAR(auprTrapezoid(scores, positive, PrStart::One), fromFirst, 1e-10);
    NEAR(auprTrapezoid(scores, positive, PrStart::Half), fromHalf, 1e-10);
    NEAR(auprMdc(scores, positive), mdc, 1e-10);
    const PrCurve curve = precisionRecallCurve(scores, positive);
    QCOMPARE(curve.recall.size(), scores.levels.size());
    QCOMPARE(curve.recall.back(), 1.0);
    NEAR(curve.precision.back(),
         double(outPositive ? scores.nOut : scores.nIn) / double(scores.nIn + scores.nOut), 1e-15);
  }

  void falsePositivesAt95() {
    const ScoreLevels a = scoreLevels(inA(), outA());
    const ScoreLevels b = scoreLevels(inB(), outB());
    const OperatingPoint pointA = pointAtTpr(a, Positive::In);
    NEAR(pointA.fpr, 0.8, 1e-15);
    NEAR(pointA.tpr, 1.0, 0.0);
    NEAR(pointA.threshold, -0.20, 0.0);
    const OperatingPoint pointB = pointAtTpr(b, Positive::In);
    NEAR(pointB.fpr, 0.5833333333, 1e-10);
    NEAR(pointB.tpr, 0.95, 0.0);
    NEAR(pointB.threshold, -0.42, 0.0);
    NEAR(fprAtTprInterpolated(a, Positive::In), 0.75, 1e-12);
    NEAR(fprAtTprInterpolated(b, Positive::In), 0.5833333333, 1e-10);
    NEAR(fprAtTprNearest(a, Positive::In), 0.4, 1e-15);
    NEAR(fprAtTprNearest(b, Positive::In), 0.5833333333, 1e-10);

    const OperatingPoint cobraA = pointAtTpr(a, Positive::Out);
    NEAR(cobraA.fpr, 0.7, 1e-15);
    NEAR(cobraA.tpr, 1.0, 0.0);
    NEAR(cobraA.threshold, -0.80, 0.0);
    const OperatingPoint cobraB = pointAtTpr(b, Positive::Out);
    NEAR(cobraB.fpr, 0.6, 1e-15);
    NEAR(cobraB.threshold, -0.89, 0.0);
    NEAR(fprAtTprInterpolated(a, Positive::Out), 0.65, 1e-12);
    NEAR(fprAtTprInterpolated(b, Positive::Out), 0.6, 1e-12);
  }

  void falsePositivesOfReleasedCode() {
    NEAR(zhaoThreshold(inA()), -0.40, 0.0);
    NEAR(fprCompatible(inA(), outA(), FprRule::ZhaoCode), 0.4, 1e-15);
    NEAR(zhaoThreshold(inB()), -0.42, 0.0);
    NEAR(fprCompatible(inB(), outB(), FprRule::ZhaoCode), 0.5833333333, 1e-10);
    NEAR(fprCompatible(inB(), outB(), FprRule::MdcCode), 0.9166666667, 1e-10);
    NEAR(1.0 - fprCompatible(inA(), outA(), FprRule::MdcCode), 0.2, 1e-15);
    QVERIFY(std::isnan(fprCompatible(inA(), outA(), FprRule::OdinCode)));
    NEAR(fprCompatible(inB(), outB(), FprRule::OdinCode), 0.75, 1e-3);
    // int(0.95 n) keeps exactly 95 % for every multiple of 20.
    for (int n = 20; n <= 30000; n += 20) QCOMPARE(static_cast<int>(0.95 * n), n / 20 * 19);
  }

  void accuracyAndError() {
    const ScoreLevels a = scoreLevels(inA(), outA());
    const ScoreLevels b = scoreLevels(inB(), outB());
    NEAR(tnrAt95(a), 0.2, 1e-15);
    NEAR(tnrAt95(b), 1.0 - 0.5833333333, 1e-10);
    NEAR(detectionAccuracy(a), 0.8, 1e-15);
    NEAR(detectionAccuracy(b), 0.8166666667, 1e-10);
    NEAR(detectionAccuracyWeighted(a), 0.8, 1e-15);
    NEAR(detectionAccuracyWeighted(b), 0.8125, 1e-15);
    NEAR(detectionError(a), 0.4, 1e-15);
    NEAR(detectionError(b), 0.3166666667, 1e-10);
  }

  void fixedThreshold() {
    const SortedScores in(inA());
    const SortedScores out(outA());
    const ConfusionCounts counts = confusionAt(in, out, -0.5);
    QCOMPARE(counts.inKept, 8);
    QCOMPARE(counts.inFlagged, 2);
    QCOMPARE(counts.outKept, 2);
    QCOMPARE(counts.outFlagged, 8);
    NEAR(counts.accuracy(), 0.8, 1e-15);
    NEAR(counts.precision(Positive::In), 0.8, 1e-15);
    NEAR(counts.keptIn(), 0.8, 1e-15);
    NEAR(counts.precision(Positive::Out), 0.8, 1e-15);
    NEAR(counts.flaggedOut(), 0.8, 1e-15);
    NEAR(counts.f1(Positive::In), 0.8, 1e-15);
    // An in image lies exactly at the threshold.
    QCOMPARE(confusionAt(in, out, -0.5, TieRule::Out).inKept, 7);
    QVERIFY(std::isnan(confusionAt(SortedScores(), out, 0.0).keptIn()));
  }

  /// Counts behind the attractor paper's tables: 10,000 + 10,000 images.
  void countsOfPublishedRow() {
    const ConfusionCounts row{9915, 85, 85, 9915};
    NEAR(row.keptIn(), 0.9915, 1e-15);
    NEAR(static_cast<double>(row.inKept) * (1.0 / row.precision(Positive::In) - 1.0), 85.0, 1e-9);
  }

  void sortedScores() {
    const SortedScores scores(Scores{3, 1, 2, 2, 5});
    QCOMPARE(scores.below(2), 1);
    QCOMPARE(scores.atMost(2), 3);
    QCOMPARE(scores.above(2), 2);
    QCOMPARE(scores.atLeast(2), 4);
    QCOMPARE(scores.keepingBelow(0.2), 1.0);
    QCOMPARE(scores.keepingBelow(0.21), 2.0);
    QCOMPARE(scores.keepingBelow(1.0), 5.0);
    QCOMPARE(scores.keepingAbove(0.4), 3.0);
    QCOMPARE(scores.keepingAbove(1.0), 1.0);
    // The threshold that keeps 95 % is that of the operating point, for many sizes.
    for (int n : {1, 7, 19, 20, 21, 40, 100, 999, 1000}) {
      Scores in;
      for (int i = 0; i < n; ++i) in.push_back(0.5 * i);
      const Scores out = {-1.0, 3.0};
      const double threshold = pointAtTpr(scoreLevels(in, out), Positive::In).threshold;
      QCOMPARE(SortedScores(in).keepingBelow(0.95), threshold);
      const double flagging = pointAtTpr(scoreLevels(out, in), Positive::Out).threshold;
      QCOMPARE(SortedScores(in).keepingAbove(0.95), flagging);
    }
    QVERIFY(refusal([] { SortedScores().keepingBelow(0.95); }).find("at least one") !=
            std::string::npos);
    QVERIFY(refusal([&] { scores.keepingBelow(0.0); }).find("share") != std::string::npos);
  }

  void perClassThresholds() {
    const std::vector<ClassScores> classes = {
        {negated({.9,  .8,  .7,  .6,  .5,  .45, .4,  .35, .3,  .25,
                  .24, .23, .22, .21, .20, .19, .18, .17, .16, .05}),
         negated({.55, .20, .10, .04})},
        {negated({.99, .97, .95, .93, .91, .89, .87, .85, .83, .81}),
         negated({.92, .80, .60, .50, .40, .30})},
        {negated({.7, .6, .5, .4}), {}}};
    const PerClassResult result = perClassDetection(classes);
    const auto expect = [](const ClassResult& c, double t, std::int64_t tp, std::int64_t fn,
                           std::int64_t fp, std::int64_t tn) {
      return c.threshold == -t && c.counts.inKept == tp && c.counts.inFlagged == fn &&
             c.counts.outKept == fp && c.counts.outFlagged == tn;
    };
    QVERIFY(expect(result.classes[0], 0.16, 19, 1, 2, 2));
    QVERIFY(expect(result.classes[1], 0.83, 9, 1, 1, 5));
    NEAR(result.classes[0].auroc, 0.71875, 1e-15);
    NEAR(result.classes[1].auroc, 0.9, 1e-15);
    QVERIFY(!result.classes[2].pooled && std::isnan(result.classes[2].auroc));
    NEAR(result.pooledTnr, 0.7, 1e-15);
    NEAR(result.pooledTpr, 28.0 / 30.0, 1e-15);
    NEAR(result.weightedAuroc, 0.79125, 1e-15);
    NEAR(result.weightedTpr, 0.9117647, 1e-7);
    // One threshold for all on the same scores.
    Scores in;
    Scores out;
    for (const auto& c : classes) {
      in.insert(in.end(), c.in.begin(), c.in.end());
      out.insert(out.end(), c.out.begin(), c.out.end());
    }
    NEAR(zhaoThreshold(in), -0.17, 0.0);
    NEAR(1.0 - fprCompatible(in, out, FprRule::ZhaoCode), 0.2, 1e-15);
    NEAR(auroc(in, out), 0.5926471, 1e-7);
    QVERIFY(refusal([] {
              perClassDetection({{{1.0}, {}}, {{}, {1.0}}});
            }).find("no class") != std::string::npos);
  }

  void allAtOnce() {
    BootstrapOptions options;
    options.replicates = 200;
    const DetectionMetrics m = evaluate(inA(), outA(), options);
    NEAR(m.auroc, 0.83, 1e-15);
    NEAR(m.auprIn, 0.8316117216, 1e-10);
    NEAR(m.auprOut, 0.8098796955, 1e-10);
    NEAR(m.fpr95Id, 0.8, 1e-15);
    NEAR(m.fpr95Ood, 0.7, 1e-15);
    NEAR(m.tnr95, 0.2, 1e-15);
    NEAR(m.detectionAccuracy, 0.8, 1e-15);
    NEAR(m.tieShare, 0.04, 1e-15);
    NEAR(m.distinctShare, 0.8, 1e-15);
    QCOMPARE(m.nIn, 10);
    QCOMPARE(m.nOut, 10);
    QVERIFY(m.ciLow < m.auroc && m.auroc < m.ciHigh);
    const DetectionMetrics again = evaluate(inA(), outA(), options);
    QCOMPARE(again.ciLow, m.ciLow);
    QCOMPARE(again.ciHigh, m.ciHigh);
    options.replicates = 0;  // DeLong: 0.83 +- 1.959964 * 0.0961480, cut at 1
    const DetectionMetrics closed = evaluate(inA(), outA(), options);
    NEAR(closed.ciLow, 0.83 - 1.959964 * 0.0961480, 1e-6);
    QCOMPARE(closed.ciHigh, 1.0);
  }

  void everyMetricIsDescribed() {
    BootstrapOptions options;
    options.replicates = 50;
    const DetectionMetrics m = evaluate(inB(), outB(), options);
    QStringList names;
    for (const MetricInfo& info : metricInfos()) {
      QVERIFY2(metricValue(m, info.name).has_value(), info.name.c_str());
      QVERIFY(!info.title.empty() && !info.help.empty());
      QVERIFY(!names.contains(QString::fromStdString(info.name)));
      names << QString::fromStdString(info.name);
    }
    for (const char* name : {"auroc", "aupr_out", "aupr_in", "fpr95_id", "fpr95_ood", "tnr95",
                             "detection_accuracy", "n_in", "n_out", "ci_low", "ci_high"}) {
      QVERIFY2(names.contains(name), name);
    }
    QVERIFY(!metricValue(m, "aurok").has_value());
    QCOMPARE(*metricValue(m, "fpr95_ood"), m.fpr95Ood);
  }

  void badScoresAreNamed() {
    const double nan = std::nan("");
    const double infinity = std::numeric_limits<double>::infinity();
    QCOMPARE(refusal([&] { auroc(Scores{}, Scores{1}); }),
             std::string("there are no in scores: the metric is undefined"));
    QCOMPARE(refusal([&] { auroc(Scores{1}, Scores{}); }),
             std::string("there are no out scores: the metric is undefined"));
    QCOMPARE(refusal([&] {
               evaluate(Scores{1, nan}, Scores{1});
             }),
             std::string("in score 1 is NaN"));
    QCOMPARE(refusal([&] {
               evaluate(Scores{1}, Scores{1, 2, -infinity});
             }),
             std::string("out score 2 is infinite"));
    QVERIFY(refusal([&] { SortedScores(Scores{nan}); }).find("nan") != std::string::npos);
    QVERIFY(refusal([&] { fprAtTpr(scoreLevels(inA(), outA()), Positive::In, 1.5); }).find("1.5") !=
            std::string::npos);
    QVERIFY(refusal([&] { fprAtTpr(scoreLevels(inA(), outA()), Positive::In, nan); }).find("nan") !=
            std::string::npos);
  }
};

QTEST_GUILESS_MAIN(TestMetrics)
#include "tst_metrics.moc"
