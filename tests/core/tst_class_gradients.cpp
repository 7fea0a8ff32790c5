// Searches over classes: their gradients one at a time, what they cost, and the estimate of it.
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/attacks/classification_objective.h"
#include "core/attacks/demands.h"
#include "core/attacks/fab.h"
#include "core/attacks/nearest_boundary.h"
#include "core/attacks/resources.h"
#include "tests/support/attack_support.h"
#include "tests/support/tiny_net.h"

using namespace bulwark;
using attack_support::make;
using attack_support::uniform;

namespace {

AttackContext contextOf(Task& task, std::vector<double> thresholds, std::int64_t batch) {
  AttackContext context{.task = task};
  context.seed = Seed{5};
  context.batchSize = batch;
  context.thresholds = std::move(thresholds);
  return context;
}

/// The boundary as it is written down: all gradients in one tensor.
Boundary stacked(const Sight& sight, const torch::Tensor& gradients, Distance distance,
                 double tiny) {
  auto f = sight.values;
  auto w = gradients.flatten(2).to(torch::kFloat64);
  const auto own = sight.labels.unsqueeze(1);
  f = f - f.gather(1, own);
  w = w - w.gather(1, own.unsqueeze(2).expand({-1, 1, w.size(2)}));
  const auto dual = distance == Distance::L2 ? w.square().sum(2).sqrt() : w.abs().sum(2);
  constexpr double never = std::numeric_limits<double>::infinity();
  const auto far = (f.abs() / (dual + tiny)).scatter(1, own, never);
  const auto which = far.argmin(1, true);
  const auto of = [&](const torch::Tensor& values) { return values.gather(1, which).squeeze(1); };
  return {of(f), w.gather(1, which.unsqueeze(2).expand({-1, 1, w.size(2)})).squeeze(1), of(dual),
          of(far)};
}

}  // namespace

class TestClassGradients : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(2); }

  /// Held or not, class by class or all at once: the same numbers, bit for bit.
  void boundariesAreTheSame() {
    TinyNet net;
    const auto images = uniform({40, 1, 6, 6}, 8, 0, 1);
    for (const bool kept : {true, false}) {
      for (const auto distance : {Distance::L2, Distance::Linf}) {
        for (const double tiny : {0.0, 1e-12}) {
          const auto leaf = images.clone().requires_grad_();
          const auto logits = net.forward(leaf);
          int backwards = 0;
          const std::int64_t all = 5 * images.numel() * 4;
          Sight sight;
          sight.values = logits.detach().to(torch::kFloat64);
          sight.labels = torch::arange(40).remainder(5);
          sight.gradients = std::make_shared<ClassGradients>(logits, leaf, kept ? all : all - 1,
                                                             [&] { ++backwards; });
          QCOMPARE(backwards, kept ? 5 : 0);
          const auto found = nearestBoundary(sight, distance, tiny);
          QCOMPARE(backwards, kept ? 5 : 6);

          std::vector<torch::Tensor> gradients;
          const auto again = images.clone().requires_grad_();
          const auto same = net.forward(again);
          for (int k = 0; k < 5; ++k) {
            gradients.push_back(torch::autograd::grad({same.select(1, k).sum()}, {again}, {},
                                                      /*retain_graph=*/true)[0]);
          }
          const auto expected = stacked(sight, torch::stack(gradients, 1), distance, tiny);
          QVERIFY(torch::equal(found.value, expected.value));
          QVERIFY(torch::equal(found.normal, expected.normal));
          QVERIFY(torch::equal(found.dual, expected.dual));
          QVERIFY(torch::equal(found.distance, expected.distance));
          const auto largest = torch::stack(gradients, 1).flatten(1).abs().amax(1);
          QVERIFY(torch::equal(sight.gradients->largest(), largest));
        }
      }
    }
  }

  /// A search that may hold no gradients finds the same points, with one backward more per class
  /// and step.
  void pointsDoNotDependOnTheMemory() {
    TinyNet net;
    const auto images = uniform({20, 1, 6, 6}, 9, 0, 1);
    ClassificationObjective objective(net, net.forward(images).argmax(1));
    FabPlan plan;
    plan.threat = {Norm::L2, 0.5};
    plan.distance = Distance::L2;
    plan.steps = 10;
    Task task;
    const auto held = makeFab(plan)->perturb(objective, images, contextOf(task, {0.0}, 20));
    plan.gradientBytes = 0;
    const auto single = makeFab(plan)->perturb(objective, images, contextOf(task, {0.0}, 20));
    QVERIFY(torch::equal(held.images, single.images));
    QVERIFY(torch::equal(held.values, single.values));
    QVERIFY(torch::equal(held.distances, single.distances));
    QVERIFY((held.distances < 0.5).any().item<bool>());
    QCOMPARE(held.forwards, single.forwards);
    QVERIFY(single.backwards > held.backwards);
    QVERIFY(single.backwards * 5 <= held.backwards * 6);
  }

  /// What an attack announces is at least what it spends, factor of the classes included.
  void announcedPropagations_data() {
    QTest::addColumn<QString>("attack");
    QTest::addColumn<bool>("classifier");
    Registry<Attack> registry{"attack"};
    registerAttacks(registry);
    for (const auto& info : registry.list()) {
      if (info.name == "joint") continue;  // has an objective of its own
      for (const bool classifier : {true, false}) {
        QTest::addRow("%s, %s", info.name.c_str(), classifier ? "classifier" : "score")
            << QString::fromStdString(info.name) << classifier;
      }
    }
  }
  void announcedPropagations() {
    QFETCH(QString, attack);
    QFETCH(bool, classifier);
    Registry<Attack> registry{"attack"};
    registerAttacks(registry);
    const auto& info = registry.info(attack.toStdString());
    Json options = Json::object();
    const auto set = [&](const char* key, const Json& value) {
      if (info.options.find(key)) options[key] = value;
    };
    set("steps", 4);
    set("queries", 12);
    set("square_queries", 12);
    set("searches", 2);
    set("samples", 12);
    set("draws", 12);
    const auto made = make(info.name, options);

    TinyNet net;
    ClassificationObjective classes(net, net.labels);
    TinyScore score(net);
    Objective& objective = classifier ? static_cast<Objective&>(classes) : score;
    AttackResources resources;
    resources.classifier = &net;
    resources.labels = net.labels;
    Task task;
    // Beyond all that can be reached, so that nothing ends early.
    auto context = contextOf(task, {1e6}, 6);
    context.resources = &resources;
    if (!classifier)
      context.clean = objective.judge(net.images, torch::arange(6)).to(torch::kFloat64);
    const auto result = made->perturb(objective, net.images, context);
    AttackSubject subject{.classes = classifier ? 5 : 0, .entries = 36};
    const auto bound = propagationsOf(*made, subject);
    const auto images = net.images.size(0);
    QVERIFY2(result.forwards <= images * bound.forwards,
             qPrintable(QString("%1 > %2").arg(result.forwards).arg(images * bound.forwards)));
    QVERIFY2(result.backwards <= images * bound.backwards,
             qPrintable(QString("%1 > %2").arg(result.backwards).arg(images * bound.backwards)));
    const bool allClasses = info.name == "deepfool" || info.name == "fab";
    if (classifier && allClasses) QVERIFY(result.backwards >= images * 5 * 4);  // every step, class
  }
};

QTEST_GUILESS_MAIN(TestClassGradients)
#include "tst_class_gradients.moc"
