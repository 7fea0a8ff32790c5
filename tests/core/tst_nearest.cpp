#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/attacks/attack.h"
#include "core/attacks/classification_objective.h"
#include "core/base/error.h"
#include "tests/support/attack_support.h"
#include "tests/support/tiny_net.h"

using namespace bulwark;
using attack_support::make;
using attack_support::uniform;

namespace {

/// <w, x>, and what is propagated.
class Linear : public Objective {
 public:
  explicit Linear(torch::Tensor weights) : weights_(std::move(weights)) {}
  Values evaluate(const torch::Tensor& images, const torch::Tensor& /*samples*/) override {
    if (onPass) onPass();
    const auto value = torch::mv(images.flatten(1), weights_);
    return {value, value.detach()};
  }
  std::function<void()> onPass;

 private:
  torch::Tensor weights_;
};

AttackContext contextOf(Task& task, std::vector<double> thresholds, std::int64_t batch = 16) {
  AttackContext context{.task = task};
  context.seed = Seed{5};
  context.batchSize = batch;
  context.thresholds = std::move(thresholds);
  return context;
}

}  // namespace

/// Attacks that look for the nearest crossing.
class TestNearest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(2); }

  /// On a linear score the nearest crossing is known: |m| over the dual norm of w.
  void linearScore_data() {
    QTest::addColumn<QString>("attack");
    QTest::addColumn<QString>("norm");
    QTest::addColumn<double>("share");  // by which the boundary may be overstepped
    QTest::addRow("deepfool l2") << "deepfool"
                                 << "l2" << 0.0201;
    QTest::addRow("deepfool linf") << "deepfool"
                                   << "linf" << 0.0201;
    QTest::addRow("cw_l2") << "cw_l2"
                           << "l2" << 0.02;
    for (const char* attack : {"fab", "fab_t"}) {
      QTest::addRow("%s l2", attack) << attack << "l2" << 0.01;
      QTest::addRow("%s linf", attack) << attack << "linf" << 0.01;
    }
  }
  void linearScore() {
    QFETCH(QString, attack);
    QFETCH(QString, norm);
    QFETCH(double, share);
    const auto images = uniform({11, 3, 6, 5}, 3, 0.4, 0.6);
    const auto weights = uniform({90}, 4, -1, 1);
    Linear objective(weights);
    const auto clean = torch::mv(images.flatten(1), weights).to(torch::kFloat64);
    const double tau = clean.max().item<double>() + 0.5;
    Task task;
    const auto result =
        make(attack.toStdString(), {{"norm", norm.toStdString()}, {"bounded", false}})
            ->perturb(objective, images, contextOf(task, {tau}, 6));
    const auto expected = (tau - clean) / weights.norm(norm == "l2" ? 2 : 1).item<double>();
    const auto ratio = result.distances / expected;
    QVERIFY2(ratio.min().item<double>() >= 1 - 1e-5,
             qPrintable(QString::number(ratio.min().item<double>())));
    QVERIFY2(ratio.max().item<double>() <= 1 + share,
             qPrintable(QString::number(ratio.max().item<double>())));
    QVERIFY((result.values > tau).all().item<bool>());
    if (attack == "deepfool") QVERIFY(result.backwards <= 2 * 12);  // one step each
  }

  void budget_data() {
    QTest::addColumn<QString>("attack");
    for (const char* attack : {"deepfool", "fab", "fab_t", "cw_l2"})
      QTest::addRow("%s", attack) << attack;
  }
  /// Ball and box hold; values belong to the images, are never below the clean ones and grow with
  /// the radius; radius 0 gives the clean images exactly.
  void budget() {
    QFETCH(QString, attack);
    TinyNet net;
    for (const std::string norm : {"linf", "l2"}) {
      for (const int direction : {0, 1, -1}) {
        ClassificationObjective margin(net, net.labels);
        TinyScore score(net, direction);
        Objective& objective = direction == 0 ? static_cast<Objective&>(margin) : score;
        const auto rows = torch::arange(net.images.size(0));
        const auto clean = objective.judge(net.images, rows).to(torch::kFloat64);
        auto sorted = std::get<0>(clean.sort());
        std::vector<double> thresholds = {0.0};
        if (direction != 0) {
          thresholds = {sorted[1].item<double>(), sorted[4].item<double>(),
                        sorted[5].item<double>() + 0.1};
        }
        torch::Tensor before = clean;
        for (const double eps : {0.0, 0.02, 0.3}) {
          Task task;
          auto context = contextOf(task, thresholds, 4);
          context.clean = clean;
          context.snapshotSamples = {1, 5};
          context.snapshotSteps = {0, 1, 100000};
          Json options{{"norm", norm}, {"eps", eps}, {"steps", 12}};
          if (attack == "cw_l2") options.update({{"searches", 4}, {"initial_c", 1.0}});
          const auto result =
              make(attack.toStdString(), options)->perturb(objective, net.images, context);
          const auto delta = (result.images - net.images).flatten(1);
          const double size = norm == "l2" ? delta.norm(2, 1).max().item<double>()
                                           : delta.abs().max().item<double>();
          QVERIFY2(size <= eps + 1e-6, qPrintable(QString::number(size)));
          QVERIFY(result.images.min().item<double>() >= 0);
          QVERIFY(result.images.max().item<double>() <= 1);
          const auto again = objective.judge(result.images, rows).to(torch::kFloat64);
          QVERIFY(torch::allclose(again, result.values, 0, 1e-5));
          QVERIFY((result.values >= clean).all().item<bool>());
          QVERIFY(std::is_sorted(result.trajectory.begin(), result.trajectory.end()));
          QVERIFY(std::abs(result.trajectory.back() - result.values.mean().item<double>()) < 1e-9);
          QVERIFY(torch::equal(result.snapshots[1][2], result.images[5]));
          if (eps == 0.0) {
            QVERIFY(torch::equal(result.images, net.images));
            QVERIFY(torch::equal(result.values, clean));
          } else {
            QVERIFY((result.values > clean).any().item<bool>());
          }
          QVERIFY(result.values.mean().item<double>() >= before.mean().item<double>() - 1e-9);
          before = result.values;
        }
      }
    }
  }

  /// Neither the batch size nor the company of other images changes what is found.
  void batchesDoNotMatter() {
    TinyNet net;
    const auto images = uniform({40, 1, 6, 6}, 8, 0, 1);
    const auto labels = net.forward(images).argmax(1);
    ClassificationObjective objective(net, labels);
    for (const std::string attack : {"deepfool", "fab", "fab_t"}) {
      Task task;
      const auto wide = make(attack, {{"norm", "l2"}, {"steps", 10}})
                            ->perturb(objective, images, contextOf(task, {0.0}, 64));
      const auto narrow = make(attack, {{"norm", "l2"}, {"steps", 10}})
                              ->perturb(objective, images, contextOf(task, {0.0}, 7));
      const auto alike = ((wide.distances - narrow.distances).abs() <= 1e-5) |
                         (wide.distances == narrow.distances);
      // A long path of DeepFool, which oversteps, may amplify the rounding of other batch sizes.
      QVERIFY(alike.sum().item<int>() >= (attack == "deepfool" ? 39 : 40));
      QVERIFY(torch::allclose(wide.values.masked_select(alike), narrow.values.masked_select(alike),
                              1e-4, 1e-5));
    }
  }

  /// Restarts begin elsewhere, inside the radius of interest, and can only come nearer.
  void fabRestarts() {
    TinyNet net;
    ClassificationObjective objective(net, net.labels);
    Task task;
    const auto run = [&](int restarts) {
      return make("fab", {{"restarts", restarts}, {"steps", 15}, {"bounded", false}})
          ->perturb(objective, net.images, contextOf(task, {0.0}));
    };
    const auto one = run(1), three = run(3);
    QVERIFY((three.distances <= one.distances).all().item<bool>());
    QVERIFY(three.backwards > 2 * one.backwards);
  }

  /// Few entries change, all within the box; the worst score on the way counts, also without a
  /// threshold; with one, the search stops there.
  void jsmaOnAScore() {
    const auto images = uniform({5, 1, 6, 6}, 3, 0.2, 0.6);
    const auto weights = uniform({36}, 4, -1, 1);
    Linear objective(weights);
    Task task;
    const auto attack = make("jsma", {{"gamma", 0.3}});
    const auto result = attack->perturb(objective, images, contextOf(task, {}));
    const auto changed = (result.images != images).flatten(1);
    QVERIFY(changed.sum(1).max().item<int>() == 10);  // floor(36 * 0.3 / 2) pairs
    // The ten largest weights, each raised to 1.
    const auto largest = std::get<1>(weights.topk(10));
    QVERIFY(changed.index_select(1, largest).all().item<bool>());
    QVERIFY((result.images.flatten(1).index_select(1, largest) == 1).all().item<bool>());
    const auto again = torch::mv(result.images.flatten(1), weights).to(torch::kFloat64);
    QVERIFY(torch::allclose(again, result.values, 0, 1e-5));

    const double tau = (result.values.min().item<double>() +
                        torch::mv(images.flatten(1), weights).max().item<double>()) /
                       2;
    auto context = contextOf(task, {tau});
    context.mode = AttackMode::Cross;
    const auto stopped = attack->perturb(objective, images, context);
    QVERIFY(stopped.saturated.all().item<bool>());
    QVERIFY((stopped.values > tau).all().item<bool>());
    QVERIFY(((stopped.images != images).flatten(1).sum(1) < 10).any().item<bool>());
  }

  void needsAThreshold() {
    TinyNet net;
    TinyScore score(net);
    Task task;
    for (const std::string attack : {"deepfool", "fab"}) {
      QVERIFY_EXCEPTION_THROWN(make(attack, {})->perturb(score, net.images, contextOf(task, {})),
                               Error);
    }
  }

  /// `Cross`: the sample leaves when a point of the budget has crossed.
  void crossing() {
    TinyNet net;
    TinyScore score(net);
    Task task;
    const auto clean = score.judge(net.images, torch::arange(6)).to(torch::kFloat64);
    const double tau = clean.max().item<double>() + 0.01;
    auto context = contextOf(task, {tau});
    context.mode = AttackMode::Cross;
    const auto result =
        make("fab", {{"eps", 0.3}, {"steps", 20}})->perturb(score, net.images, context);
    QVERIFY(torch::equal(result.saturated, result.values > tau));
    QVERIFY(result.saturated.any().item<bool>());
    QVERIFY(result.backwards < 6 * 20);
  }

  void cancels() {
    const auto images = uniform({8, 1, 6, 6}, 3, 0.4, 0.6);
    Linear objective(uniform({36}, 4, -1, 1));
    Control control;
    Task task(&control);
    int passes = 0;
    objective.onPass = [&] {
      if (++passes == 3) control.cancel();
    };
    QVERIFY_EXCEPTION_THROWN(make("fab", {})->perturb(objective, images, contextOf(task, {50.0})),
                             Error);
    QVERIFY(passes <= 4);
  }
};

QTEST_GUILESS_MAIN(TestNearest)
#include "tst_nearest.moc"
