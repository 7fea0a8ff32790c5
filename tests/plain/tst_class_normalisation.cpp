#include <QtTest>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/metrics/class_normalisation.h"

using namespace bulwark;

namespace {

bool near(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::abs(a[i] - b[i]) > 1e-12) return false;
  }
  return true;
}

}  // namespace

class ClassNormalisationTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  /// By hand: class 0 has the parts 2, 4 (in) and 6 (out), so 0, 1/2 and 1; its second part -1, 1
  /// and 0 becomes 0, 1 and 1/2. Class 2 has 10 (in) and 5 (out), 1 and 0.
  void byHand() {
    const ClassedParts in{{0, 2, 0}, {{2, 10, 4}, {-1, 3, 1}}};
    const ClassedParts out{{0, 2}, {{6, 5}, {0, 3}}};
    const auto found = transductiveScores(in, out, {0.25, 0.75});
    // A part that is the same for all images of a class counts as 0: class 2's second.
    QVERIFY(near(found.in, {0.0, -0.25, -(0.25 * 0.5 + 0.75)}));
    QVERIFY(near(found.out, {-(0.25 + 0.75 * 0.5), 0.0}));
  }

  /// An increasing map of a part and of a class of its own changes nothing, another out image does.
  void invariances() {
    const ClassedParts in{{0, 0, 1, 1}, {{1, 2, 1, 3}}};
    ClassedParts out{{0, 1, 1}, {{0.5, 2, 2.5}}};
    const auto before = transductiveScores(in, out, {1.0});
    ClassedParts inMoved = in, outMoved = out;
    for (auto* set : {&inMoved, &outMoved}) {
      for (std::size_t i = 0; i < set->classes.size(); ++i) {
        auto& value = set->parts[0][i];
        value = set->classes[i] == 0 ? 3 * value - 7 : 0.1 * value;
      }
    }
    const auto moved = transductiveScores(inMoved, outMoved, {1.0});
    QVERIFY(near(moved.in, before.in) && near(moved.out, before.out));
    out.classes.push_back(1);
    out.parts[0].push_back(-10);
    const auto stretched = transductiveScores(in, out, {1.0});
    QVERIFY(std::abs(stretched.in[2] - before.in[2]) > 0.5);
    QCOMPARE(stretched.in[0], before.in[0]);  // class 0 has not met it
  }

  /// The worked example of thresholds per class, from images in any order.
  void sortedByClass() {
    const std::vector<std::vector<double>> in = {{.9,  .8,  .7,  .6,  .5,  .45, .4,  .35, .3,  .25,
                                                  .24, .23, .22, .21, .20, .19, .18, .17, .16, .05},
                                                 {.99, .97, .95, .93, .91, .89, .87, .85, .83, .81},
                                                 {.7, .6, .5, .4}};
    const std::vector<std::vector<double>> out = {
        {.55, .20, .10, .04}, {.92, .80, .60, .50, .40, .30}, {}};
    std::vector<std::int64_t> inClasses, outClasses;
    std::vector<double> inScores, outScores;
    for (std::size_t i = 0; i < 20; ++i) {
      for (std::size_t c = 0; c < 3; ++c) {
        // The example's scores are high for normal images.
        if (i < in[c].size()) inScores.push_back(-in[c][i]), inClasses.push_back(std::int64_t(c));
        if (i < out[c].size()) {
          outScores.push_back(-out[c][i]);
          outClasses.push_back(std::int64_t(c));
        }
      }
    }
    const auto sorted = byClass(inClasses, inScores, outClasses, outScores);
    QCOMPARE(sorted.size(), std::size_t(3));
    QCOMPARE(sorted[1].in.size(), std::size_t(10));
    QVERIFY(sorted[2].out.empty());
    const auto found = perClassDetection(sorted);
    QVERIFY(std::abs(found.pooledTnr - 0.7) < 1e-12);
    QVERIFY(std::abs(found.pooledTpr - 28.0 / 30.0) < 1e-12);
    QVERIFY(std::abs(found.weightedAuroc - 0.79125) < 1e-12);
  }

  void refusesWhatIsNoNumberPerImage() {
    const ClassedParts good{{0, 1}, {{1, 2}}};
    const ClassedParts shorter{{0, 1}, {{1}}};
    const ClassedParts broken{{0, 1}, {{1, std::numeric_limits<double>::quiet_NaN()}}};
    QVERIFY_EXCEPTION_THROWN(transductiveScores(good, shorter, {1.0}), Error);
    QVERIFY_EXCEPTION_THROWN(transductiveScores(broken, good, {1.0}), Error);
    QVERIFY_EXCEPTION_THROWN(transductiveScores(good, good, {0.5, 0.5}), Error);
  }
};

QTEST_GUILESS_MAIN(ClassNormalisationTest)
#include "tst_class_normalisation.moc"
