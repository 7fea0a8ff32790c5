#include <algorithm>
#include <cmath>
#include <vector>

#include "core/attacks/attack.h"
#include "core/base/error.h"
#include "tests/support/attack_support.h"
#include "tests/support/formula.h"

using namespace bulwark;
using attack_support::contextOf;
using attack_support::Formula;
using attack_support::make;
using attack_support::uniform;
using attack_support::wavy;

/// What an attack tells while it is under way, and that it can be stopped.
class TestAttackProgress : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(2); }

  void snapshotsAndProgress() {
    const auto images = uniform({10, 1, 4, 4}, 12, 0, 1);
    std::int64_t reported = 0;
    Task task(nullptr, [&](const ProgressUpdate& update) { reported = update.done; });
    task.begin("attack", 10, "images");
    Formula objective(wavy);
    auto context = contextOf(task, 1, 4);
    context.snapshotSamples = {9, 0};
    context.snapshotSteps = {0, 1, 5, 10, 1000};
    const auto result = make("pgd", {{"eps", 0.1}, {"steps", 5}, {"restarts", 2}})
                            ->perturb(objective, images, context);
    QCOMPARE(result.snapshots.sizes().vec(), (std::vector<std::int64_t>{2, 5, 1, 4, 4}));
    for (int s = 0; s < 2; ++s) {
      const int sample = s == 0 ? 9 : 0;
      for (int t = 0; t < 5; ++t) {
        const double value = result.snapshotValues[s][t].item<double>();
        const auto image = result.snapshots[s][t].unsqueeze(0);
        QVERIFY(std::abs(value - wavy(image)[0].item<double>()) < 1e-4);
        if (t > 0) QVERIFY(value >= result.snapshotValues[s][t - 1].item<double>());
      }
      QVERIFY(torch::equal(result.snapshots[s][3], result.images[sample]));
      QVERIFY(torch::equal(result.snapshots[s][4], result.images[sample]));
    }
    task.advance(0);
    task.end();
    QCOMPARE(reported, 10);
  }

  /// A batch whose images all end together is not at 0 until then.
  void imagesUnderWayCountWithTheirShare() {
    const auto images = uniform({10, 1, 4, 4}, 12, 0, 1);
    for (const char* name : {"pgd", "fab"}) {
      std::vector<std::int64_t> reported;
      Task task(nullptr, [&](const ProgressUpdate& update) { reported.push_back(update.done); });
      task.begin("attack", 10, "images");
      Formula objective(wavy);
      objective.onPass = [] { QTest::qSleep(15); };
      auto context = contextOf(task, 1, 10);
      context.thresholds = {1e6};  // never crossed
      make(name, {{"steps", 40}})->perturb(objective, images, context);
      const auto part = std::count_if(reported.begin(), reported.end(),
                                      [](std::int64_t done) { return done > 0 && done < 10; });
      QVERIFY2(part >= 3, name);
      QVERIFY2(std::is_sorted(reported.begin(), reported.end()), name);
    }
  }

  void cancelsWithinAStep() {
    const auto images = uniform({64, 1, 4, 4}, 13, 0, 1);
    Control control;
    Task task(&control);
    Formula objective(wavy);
    int passes = 0;
    objective.onPass = [&] {
      if (++passes == 5) control.cancel();
    };
    auto context = contextOf(task);
    try {
      make("pgd", {{"steps", 100}})->perturb(objective, images, context);
      QFAIL("not cancelled");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), Error::Kind::Cancelled);
    }
    QCOMPARE(passes, 5);
  }
};

QTEST_GUILESS_MAIN(TestAttackProgress)
#include "tst_attack_progress.moc"
