#include <QtTest/QtTest>
#include <chrono>
#include <cmath>

#include "core/base/error.h"
#include "core/metrics/detection.h"
#include "core/metrics/interval.h"
#include "core/metrics/operating_point.h"
#include "core/metrics/precision_recall.h"
#include "core/metrics/roc.h"
#include "core/metrics/summary.h"
#include "metric_vectors.h"

using namespace bulwark;
using namespace vectors;

#define NEAR(actual, expected, tolerance)                  \
  QVERIFY2(std::abs((actual) - (expected)) <= (tolerance), \
           qPrintable(QString("%1 is not %2").arg(actual, 0, 'g', 12).arg(expected, 0, 'g', 12)))

namespace {

struct TwoSets {
  Scores in, out;
};

/// Random sets of random sizes; with `grid` > 0 the scores are rounded so that many are tied.
TwoSets randomSets(Random& random, int grid) {
  TwoSets sets;
  const auto nIn = 1 + random.below(120);
  const auto nOut = 1 + random.below(120);
  const double shift = 2.0 * random.uniform();
  const auto draw = [&](double centre) {
    const double value = centre + random.normal();
    return grid > 0 ? std::round(value * grid) / grid : value;
  };
  for (std::uint64_t i = 0; i < nIn; ++i) sets.in.push_back(draw(0.0));
  for (std::uint64_t i = 0; i < nOut; ++i) sets.out.push_back(draw(shift));
  return sets;
}

double quadraticAuroc(const TwoSets& sets) {
  double sum = 0.0;
  for (double i : sets.in) {
    for (double o : sets.out) sum += o > i ? 1.0 : (o == i ? 0.5 : 0.0);
  }
  return sum / (static_cast<double>(sets.in.size()) * static_cast<double>(sets.out.size()));
}

/// Average precision by its definition: for every distinct threshold count from scratch.
double quadraticAveragePrecision(const TwoSets& sets, bool outPositive) {
  Scores thresholds = sets.in;
  thresholds.insert(thresholds.end(), sets.out.begin(), sets.out.end());
  std::sort(thresholds.begin(), thresholds.end());
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  if (outPositive) std::reverse(thresholds.begin(), thresholds.end());
  const Scores& positives = outPositive ? sets.out : sets.in;
  const Scores& negatives = outPositive ? sets.in : sets.out;
  double previous = 0.0;
  double sum = 0.0;
  for (double t : thresholds) {
    const auto predicted = [&](double s) { return outPositive ? s >= t : s <= t; };
    const auto tp = double(std::count_if(positives.begin(), positives.end(), predicted));
    const auto fp = double(std::count_if(negatives.begin(), negatives.end(), predicted));
    const double recall = tp / double(positives.size());
    if (tp > 0) sum += (recall - previous) * tp / (tp + fp);
    previous = recall;
  }
  return sum;
}

Scores mapped(const Scores& scores, double (*map)(double)) {
  Scores result;
  for (double s : scores) result.push_back(map(s));
  return result;
}

Scores doubled(Scores scores) {
  const Scores copy = scores;
  scores.insert(scores.end(), copy.begin(), copy.end());
  return scores;
}

}  // namespace

class TestMetricsProperties : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void increasingMapsChangeNothing() {
    Random random(Seed(1));
    for (int trial = 0; trial < 40; ++trial) {
      const TwoSets sets = randomSets(random, trial % 2 == 0 ? 4 : 0);
      // Exact increasing maps of doubles of this size: scaling by a power of two, and its cube.
      const auto scale = [](double s) { return 8.0 * s; };
      const auto cube = [](double s) { return s * s * s + s; };
      BootstrapOptions options;
      options.replicates = 20;
      const DetectionMetrics before = evaluate(sets.in, sets.out, options);
      for (const auto map : {+scale, +cube}) {
        const DetectionMetrics after =
            evaluate(mapped(sets.in, map), mapped(sets.out, map), options);
        QCOMPARE(after.auroc, before.auroc);
        QCOMPARE(after.auprOut, before.auprOut);
        QCOMPARE(after.auprIn, before.auprIn);
        QCOMPARE(after.fpr95Id, before.fpr95Id);
        QCOMPARE(after.fpr95Ood, before.fpr95Ood);
        QCOMPARE(after.ciLow, before.ciLow);
        QCOMPARE(after.ciHigh, before.ciHigh);
      }
      NEAR(auroc(sets.in, sets.out) + auroc(sets.out, sets.in), 1.0, 1e-14);
      QCOMPARE(auroc(sets.in, sets.in), 0.5);
    }
  }

  void agreesWithQuadraticCounts() {
    Random random(Seed(2));
    for (int trial = 0; trial < 120; ++trial) {
      const TwoSets sets = randomSets(random, trial % 3 == 0 ? 0 : trial % 3 * 2);
      const ScoreLevels levels = scoreLevels(sets.in, sets.out);
      NEAR(auroc(levels), quadraticAuroc(sets), 1e-12);
      NEAR(averagePrecision(levels, Positive::Out), quadraticAveragePrecision(sets, true), 1e-12);
      NEAR(averagePrecision(levels, Positive::In), quadraticAveragePrecision(sets, false), 1e-12);
      QVERIFY(aurocPessimistic(levels) <= auroc(levels));
      QVERIFY(auroc(levels) <= aurocOptimistic(levels));
    }
  }

  void falsePositiveRates() {
    Random random(Seed(3));
    for (int trial = 0; trial < 100; ++trial) {
      const TwoSets sets = randomSets(random, trial % 2 == 0 ? 3 : 0);
      const ScoreLevels levels = scoreLevels(sets.in, sets.out);
      for (Positive positive : {Positive::In, Positive::Out}) {
        QVERIFY(fprAtTpr(levels, positive) >= fprAtTprInterpolated(levels, positive));
      }
      // Swapping the sets and reversing the score swaps the two conventions.
      const ScoreLevels swapped = scoreLevels(negated(sets.out), negated(sets.in));
      QCOMPARE(fprAtTpr(swapped, Positive::Out), fprAtTpr(levels, Positive::In));
      QCOMPARE(fprAtTpr(swapped, Positive::In), fprAtTpr(levels, Positive::Out));
      NEAR(fprAtTprInterpolated(swapped, Positive::Out), fprAtTprInterpolated(levels, Positive::In),
           1e-15);
    }
  }

  void averagePrecisionLimits() {
    const Scores low = {1, 2, 3};
    const Scores high = {4, 5};
    QCOMPARE(averagePrecision(low, high, Positive::Out), 1.0);
    QCOMPARE(averagePrecision(low, high, Positive::In), 1.0);
    QVERIFY(averagePrecision(high, low, Positive::Out) > 0.0);
    // A detector that knows nothing: precision is the share of positives.
    NEAR(averagePrecision(Scores(30, 0.0), Scores(10, 0.0), Positive::Out), 0.25, 1e-15);
    Random random(Seed(4));
    Scores in;
    Scores out;
    for (int i = 0; i < 20000; ++i) in.push_back(random.uniform());
    for (int i = 0; i < 5000; ++i) out.push_back(random.uniform());
    NEAR(averagePrecision(in, out, Positive::Out), 0.2, 0.01);
  }

  void duplicatesChangeNothing() {
    Random random(Seed(5));
    for (int trial = 0; trial < 30; ++trial) {
      const TwoSets sets = randomSets(random, trial % 2 == 0 ? 3 : 0);
      NEAR(auroc(doubled(sets.in), doubled(sets.out)), auroc(sets.in, sets.out), 1e-15);
      for (Positive positive : {Positive::In, Positive::Out}) {
        NEAR(averagePrecision(doubled(sets.in), doubled(sets.out), positive),
             averagePrecision(sets.in, sets.out, positive), 1e-12);
      }
    }
  }

  void boundsHoldOnRandomSets() {
    Random random(Seed(6));
    for (int trial = 0; trial < 3000; ++trial) {
      const bool ties = trial % 2 == 0;
      const TwoSets sets = randomSets(random, ties ? 2 : 0);
      const ScoreLevels levels = scoreLevels(sets.in, sets.out);
      ReportedRow row;
      row.auroc = auroc(levels);
      row.detectionAccuracy = detectionAccuracy(levels);
      // Tied scores make the ROC oblique; the bound then belongs to the interpolated value.
      row.fpr95Id =
          ties ? fprAtTprInterpolated(levels, Positive::In) : fprAtTpr(levels, Positive::In);
      row.fpr95Ood =
          ties ? fprAtTprInterpolated(levels, Positive::Out) : fprAtTpr(levels, Positive::Out);
      const auto violations = checkBounds(row);
      QVERIFY2(violations.empty(), violations.empty() ? "" : violations[0].text.c_str());
    }
  }

  void boundsFindImpossibleRows() {
    ReportedRow a;
    a.auroc = 0.83;
    a.detectionAccuracy = 0.8;
    QVERIFY(checkBounds(a).empty());
    a.auroc = 0.59;
    QCOMPARE(checkBounds(a).size(), 1U);
    QCOMPARE(checkBounds(a)[0].bound, std::string("2 detection_accuracy - 1 <= auroc"));
    a.auroc = 0.93;
    QCOMPARE(checkBounds(a).size(), 1U);
    NEAR(checkBounds(a)[0].excess, 0.01, 1e-12);

    a.auroc = std::nan("");  // not defined
    QVERIFY(checkBounds(a).empty());

    ReportedRow lee;  // Lee et al. 2018, table 2: possible
    lee.auroc = 0.9984;
    lee.detectionAccuracy = 0.9804;
    QVERIFY(checkBounds(lee).empty());

    ReportedRow fpr;
    fpr.auroc = 0.99;
    fpr.fpr95Ood = 0.5;
    QCOMPARE(checkBounds(fpr).size(), 1U);
    QVERIFY(checkBounds(fpr)[0].text.find("0.9900") != std::string::npos);
    QVERIFY(checkBounds(fpr)[0].text.find("0.9750") != std::string::npos);
    fpr.auroc = 0.4;
    fpr.fpr95Ood = 0.0;
    QCOMPARE(checkBounds(fpr).size(), 1U);
    QVERIFY(checkBounds(ReportedRow{}).empty());

    ReportedSettings settings;
    settings.clean = 0.9;
    settings.in = 0.5;
    settings.out = 0.6;
    settings.inOut = 0.5;
    QVERIFY(checkBounds(settings).empty());
    settings.inOut = 0.55;
    QCOMPARE(checkBounds(settings).size(), 1U);
    QCOMPARE(checkBounds(settings)[0].bound, std::string("in_out <= in"));
    QVERIFY(checkBounds(settings, 0.1).empty());
    settings.inOut = 0.1;
    settings.out = 0.91;
    QCOMPARE(checkBounds(settings).size(), 1U);
  }

  void averages() {
    const AurocOverSets sets =
        aurocOverSets(inA(), {negated({.5, .3}), negated({.93, .88, .7, .2, .1, .05})});
    NEAR(sets.each[0], 0.825, 1e-15);
    NEAR(sets.each[1], 0.6333333333, 1e-10);
    NEAR(sets.mean, 0.7291666667, 1e-10);
    NEAR(sets.pooled, 0.68125, 1e-15);
    const Scores runs = {62.1, 61.5, 63.0, 62.4, 62.5};
    NEAR(mean(runs), 62.3, 1e-12);
    NEAR(populationSd(runs), 0.4939636, 1e-7);
    NEAR(sampleSd(runs), 0.5522681, 1e-7);
    NEAR(standardError(runs), 0.2469818, 1e-7);
    QVERIFY_THROWS_EXCEPTION(Error, mean(Scores{}));
    QVERIFY_THROWS_EXCEPTION(Error, sampleSd(Scores{1.0}));
    QVERIFY_THROWS_EXCEPTION(Error, aurocOverSets(inA(), {}));
  }

  void delong() {
    NEAR(delongStandardError(inA(), outA()), 0.0961480, 5e-8);
    NEAR(delongStandardError(inB(), outB()), 0.0707744, 5e-8);
    QVERIFY_THROWS_EXCEPTION(Error, delongStandardError(Scores{1}, Scores{1, 2}));
  }

  void bootstrapExample_data() {
    QTest::addColumn<bool>("setA");
    QTest::addColumn<QList<double>>("first");
    QTest::addColumn<double>("average");
    QTest::addColumn<double>("sd");
    QTest::addColumn<double>("low");
    QTest::addColumn<double>("high");
    QTest::newRow("A") << true << QList<double>{0.855, 0.885, 0.835} << 0.827735 << 0.0946541
                       << 0.62 << 0.99;
    QTest::newRow("B") << false << QList<double>{0.95, 0.9458333333, 0.9875} << 0.8534916667
                       << 0.0691488 << 0.6999479167 << 0.9708333333;
  }
  void bootstrapExample() {
    QFETCH(bool, setA);
    QFETCH(QList<double>, first);
    QFETCH(double, average);
    QFETCH(double, sd);
    QFETCH(double, low);
    QFETCH(double, high);
    BootstrapOptions options;
    options.indices = examplesGenerator();
    const Bootstrap result =
        setA ? bootstrapAuroc(inA(), outA(), options) : bootstrapAuroc(inB(), outB(), options);
    QCOMPARE(result.replicates.size(), 1000U);
    for (int k = 0; k < 3; ++k) NEAR(result.replicates[std::size_t(k)], first[k], 1e-10);
    NEAR(result.mean, average, 1e-10);
    NEAR(result.sampleSd, sd, 5e-8);
    NEAR(result.interval.low, low, 1e-10);
    NEAR(result.interval.high, high, 1e-10);
  }

  void bootstrapMatchesDelong() {
    Random random(Seed(7));
    TwoSets sets;
    for (int i = 0; i < 300; ++i) sets.in.push_back(random.normal());
    for (int i = 0; i < 300; ++i) sets.out.push_back(0.8 + random.normal());
    BootstrapOptions options;
    options.replicates = 4000;
    options.seed = Seed(8);
    const Bootstrap result = bootstrapAuroc(sets.in, sets.out, options);
    const double se = delongStandardError(sets.in, sets.out);
    NEAR(result.sampleSd / se, 1.0, 0.06);
    NEAR(result.interval.low, result.estimate - 1.96 * se, 0.3 * se);
    NEAR(result.interval.high, result.estimate + 1.96 * se, 0.3 * se);
    options.seed = Seed(9);
    QVERIFY(bootstrapAuroc(sets.in, sets.out, options).replicates != result.replicates);
  }

  void pairedDifference() {
    BootstrapOptions options;
    options.replicates = 500;
    const PairedBootstrap same = bootstrapDifference({inA(), outA(), inA(), outA()}, options);
    QCOMPARE(same.estimate, 0.0);
    QCOMPARE(same.interval.low, 0.0);
    QCOMPARE(same.interval.high, 0.0);
    QCOMPARE(same.pValue, 1.0);

    // Common resamples: a detector and its copy with a little noise differ far less than two
    // independent intervals would say.
    Random random(Seed(10));
    TwoSets first;
    TwoSets second;
    for (int i = 0; i < 400; ++i) {
      const double score = random.normal();
      first.in.push_back(score);
      second.in.push_back(score + 0.05 * random.normal());
    }
    for (int i = 0; i < 400; ++i) {
      const double score = 1.0 + random.normal();
      first.out.push_back(score);
      second.out.push_back(score - 0.2);
    }
    const PairedBootstrap paired =
        bootstrapDifference({first.in, first.out, second.in, second.out}, options);
    NEAR(paired.estimate, auroc(first.in, first.out) - auroc(second.in, second.out), 1e-15);
    QVERIFY(paired.interval.low > 0.0);
    QVERIFY(paired.pValue < 0.05);
    const Bootstrap alone = bootstrapAuroc(first.in, first.out, options);
    QVERIFY(paired.sampleSd < 0.3 * alone.sampleSd);
    const Scores fewer(first.in.begin(), first.in.end() - 1);
    QVERIFY_THROWS_EXCEPTION(
        Error, bootstrapDifference({first.in, first.out, fewer, second.out}, options));
  }

  void badBootstrapOptions() {
    BootstrapOptions options;
    options.replicates = -1;
    QVERIFY_THROWS_EXCEPTION(Error, evaluate(inA(), outA(), options));
    options.replicates = 10;
    options.level = 1.0;
    QVERIFY_THROWS_EXCEPTION(Error, bootstrapAuroc(inA(), outA(), options));
    Control control;
    control.cancel();
    Task task(&control);
    options.level = 0.9;
    options.task = &task;
    QVERIFY_THROWS_EXCEPTION(Error, bootstrapAuroc(inA(), outA(), options));
  }

  void percentiles() {
    QCOMPARE(percentile({3, 1, 2}, 0.5), 2.0);
    QCOMPARE(percentile({4, 1, 2, 3}, 0.5), 2.5);
    QCOMPARE(percentile({4, 1}, 0.0), 1.0);
    QCOMPARE(percentile({4, 1}, 1.0), 4.0);
    QVERIFY_THROWS_EXCEPTION(Error, percentile({}, 0.5));
  }

  void thousandReplicatesAreQuick() {
    Random random(Seed(11));
    TwoSets sets;
    for (int i = 0; i < 1000; ++i) sets.in.push_back(random.normal());
    for (int i = 0; i < 1000; ++i) sets.out.push_back(1.0 + random.normal());
    double best = 1e9;  // of a few: another process may have the core
    for (int attempt = 0; attempt < 5; ++attempt) {
      const auto begin = std::chrono::steady_clock::now();
      const Bootstrap result = bootstrapAuroc(sets.in, sets.out);
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
      QCOMPARE(result.replicates.size(), 1000U);
      best = std::min(best, elapsed.count());
    }
    qInfo("1000 replicates of 1000 + 1000 scores: %.1f ms", 1e3 * best);
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    QVERIFY2(best < 0.2, "B = 1000 on 1000 + 1000 scores takes 0.2 s or more");
#endif
  }
};

QTEST_GUILESS_MAIN(TestMetricsProperties)
#include "tst_metrics_properties.moc"
