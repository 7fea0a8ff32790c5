#include <algorithm>
#include <cmath>

#include "core/attacks/a3.h"
#include "core/attacks/apgd.h"
#include "core/attacks/classification_objective.h"
#include "core/attacks/ddn.h"
#include "core/attacks/joint.h"
#include "core/attacks/merge.h"
#include "core/attacks/resources.h"
#include "core/base/error.h"
#include "tiny_net.h"

using namespace bulwark;

namespace {

std::unique_ptr<Attack> make(const std::string& name, const Json& options) {
  Registry<Attack> registry{"attack"};
  registerAttacks(registry);
  return registry.make(name, options, "attacks[0]");
}

/// Counts what is propagated.
class Counted : public Objective {
 public:
  explicit Counted(Objective& base) : base_(base) {}
  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override {
    forwards += images.size(0);
    return base_.evaluate(images, samples);
  }
  torch::Tensor judge(const torch::Tensor& images, const torch::Tensor& samples) override {
    forwards += images.size(0);
    return base_.judge(images, samples);
  }
  std::int64_t classes() const override { return base_.classes(); }
  torch::Tensor logits(const torch::Tensor& images) override {
    forwards += images.size(0);
    return base_.logits(images);
  }
  torch::Tensor labels(const torch::Tensor& samples, const torch::Device& device) const override {
    return base_.labels(samples, device);
  }
  torch::Tensor judgeLogits(const torch::Tensor& logits,
                            const torch::Tensor& labels) const override {
    return base_.judgeLogits(logits, labels);
  }
  std::int64_t forwards = 0;

 private:
  Objective& base_;
};

AttackContext contextOf(Task& task, bool cross) {
  AttackContext context{.task = task};
  context.batchSize = 4;
  context.seed = Seed{3};
  context.mode = cross ? AttackMode::Cross : AttackMode::Maximise;
  context.thresholds = {0.0};
  return context;
}

}  // namespace

class TestEnsembles : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  /// Whatever the ensemble: the values are those of the images, in ball and box, never below the
  /// clean ones, the counters exact; on a classifier and on a score, in both modes and norms.
  void results_data() {
    QTest::addColumn<QString>("attack");
    QTest::addColumn<QString>("norm");
    QTest::addColumn<bool>("cross");
    QTest::addColumn<bool>("classifier");
    for (const char* attack : {"autoattack", "a3", "caa"}) {
      for (const char* norm : {"linf", "l2"}) {
        for (const bool cross : {false, true}) {
          for (const bool classifier : {false, true}) {
            QTest::addRow("%s %s %s %s", attack, norm, cross ? "cross" : "maximise",
                          classifier ? "classifier" : "score")
                << attack << norm << cross << classifier;
          }
        }
      }
    }
  }
  void results() {
    QFETCH(QString, attack);
    QFETCH(QString, norm);
    QFETCH(bool, cross);
    QFETCH(bool, classifier);
    TinyNet net;
    ClassificationObjective classes(net, net.labels);
    TinyScore score(net);
    Counted objective(classifier ? static_cast<Objective&>(classes) : score);
    Task task;
    auto context = contextOf(task, cross);
    const auto clean = objective.judge(net.images, torch::arange(6)).to(torch::kFloat64);
    objective.forwards = 0;
    if (!classifier) context.thresholds = {clean.median().item<double>() + 0.05};
    AttackResources resources;
    resources.classifier = &net;
    context.resources = &resources;
    context.clean = clean;
    context.snapshotSamples = {0, 5};
    context.snapshotSteps = {0, 5, 100000};
    const double eps = norm == "l2" ? 0.25 : 0.03;
    Json options{{"eps", eps}, {"norm", norm.toStdString()}};
    if (attack == "autoattack") options.update(Json{{"steps", 10}, {"square_queries", 30}});
    const auto made = make(attack.toStdString(), options);
    const auto result = made->perturb(objective, net.images, context);
    const auto again = objective.judge(result.images, torch::arange(6)).to(torch::kFloat64);
    objective.forwards -= 6;
    QVERIFY((again - result.values).abs().max().item<double>() < 1e-5);
    QVERIFY((result.values >= clean).all().item<bool>());
    QVERIFY((result.values > clean).any().item<bool>());
    QVERIFY(std::is_sorted(result.trajectory.begin(), result.trajectory.end()));
    QVERIFY(std::abs(result.trajectory.back() - result.values.mean().item<double>()) < 1e-9);
    // A3 also propagates through the features behind a score.
    QVERIFY(result.forwards >= objective.forwards);
    if (attack != "a3") QCOMPARE(result.forwards, objective.forwards);
    QVERIFY(result.backwards > 0);
    if (!(cross && attack == "a3")) {
      QVERIFY(result.backwards <= 8 * made->backwardsPerImage());
      QVERIFY(result.forwards <= 8 * made->forwardsPerImage());
    }
    for (int s = 0; s < 2; ++s) {
      const auto sample = context.snapshotSamples[static_cast<std::size_t>(s)];
      QVERIFY(torch::equal(result.snapshots[s][2], result.images[sample]));
    }
    const auto second = made->perturb(objective, net.images, context);
    QVERIFY(torch::equal(second.images, result.images));
    QVERIFY(torch::equal(second.values, result.values));
    if (cross) {
      // An image that has crossed on its own is left as it is.
      const auto over = clean > context.thresholds[0];
      for (std::int64_t i = 0; i < 6; ++i) {
        if (over[i].item<bool>()) QVERIFY(torch::equal(result.images[i], net.images[i]));
      }
    }
  }

  /// H5 and the fourth point: AutoAttack is the worst of its members, image by image.
  void autoAttackIsTheWorstOfItsMembers() {
    TinyNet net;
    ClassificationObjective objective(net, net.labels);
    Task task;
    for (const bool cross : {false, true}) {
      const auto context = contextOf(task, cross);
      const Json base{{"eps", 0.06}, {"steps", 12}, {"square_queries", 40}};
      const auto all = make("autoattack", base)->perturb(objective, net.images, context);
      torch::Tensor worst;
      for (const char* member : {"apgd_ce", "apgd_t", "fab_t", "square"}) {
        Json options = base;
        options["members"] = Json::array({member});
        const auto one = make("autoattack", options)->perturb(objective, net.images, context);
        worst = worst.defined() ? torch::maximum(worst, one.values) : one.values;
      }
      if (cross) {
        // Stopped at its first crossing: the same images are broken.
        QVERIFY(torch::equal(all.values > 0, worst > 0));
        QVERIFY((all.values > 0).any().item<bool>());
      } else {
        QVERIFY(torch::equal(all.values, worst));
      }
    }
  }

  /// Starts shared by all targets are those that were repeated for each.
  void sharedStarts() {
    TinyNet net;
    ClassificationObjective objective(net, net.labels);
    Task task;
    auto context = contextOf(task, false);
    ApgdPlan plan;
    plan.threat = {Norm::Linf, 0.05};
    plan.steps = 8;
    plan.restarts = 2;
    plan.targets = 3;
    plan.loss = ApgdLoss::Targeted;
    const auto starts = torch::stack({(net.images + 0.03).clamp(0, 1), net.images}, 1);
    context.starts = starts.repeat({1, 3, 1, 1, 1});
    const auto repeated = makeApgd(plan)->perturb(objective, net.images, context);
    plan.sharedStarts = true;
    context.starts = starts;
    const auto shared = makeApgd(plan)->perturb(objective, net.images, context);
    QVERIFY(torch::equal(shared.images, repeated.images));
    QVERIFY(torch::equal(shared.values, repeated.values));
    QCOMPARE(shared.backwards, repeated.backwards);
  }

  /// A transfer attack follows the source and is judged by the target: never worse than clean, and
  /// weaker than the same attack on the target itself.
  void transferIsJudgedByTheTarget() {
    TinyNet net;
    TinyScore target(net);
    Task task;
    AttackResources resources;
    resources.classifier = &net;
    resources.labels = net.labels;
    auto context = contextOf(task, false);
    context.resources = &resources;
    context.snapshotSamples = {1};
    context.snapshotSteps = {0, 20};
    const auto clean = target.judge(net.images, torch::arange(6)).to(torch::kFloat64);
    context.clean = clean;
    const auto white = make("pgd", {{"eps", 0.05}, {"steps", 20}, {"restarts", 5}})
                           ->perturb(target, net.images, context);
    for (const bool known : {true, false}) {
      if (!known) resources.labels = torch::Tensor();
      for (const char* inner : {"pgd", "fgsm", "apgd"}) {
        const auto result = make("transfer", {{"eps", 0.05}, {"attack", inner}, {"steps", 20}})
                                ->perturb(target, net.images, context);
        const auto again = target.judge(result.images, torch::arange(6)).to(torch::kFloat64);
        QVERIFY((again - result.values).abs().max().item<double>() < 1e-5);
        QVERIFY((result.values >= clean).all().item<bool>());
        QVERIFY((result.values <= white.values + 1e-3).all().item<bool>());
        // Less sure of the true class: more anomalous. Surer of the predicted one: less so.
        QCOMPARE((result.values > clean).any().item<bool>(), known);
        QVERIFY(torch::equal(result.snapshots[0][1], result.images[1]));
      }
    }
    resources.classifier = nullptr;
    QVERIFY_EXCEPTION_THROWN(make("transfer", Json::object())->perturb(target, net.images, context),
                             Error);
  }

  /// A network trained with an l2 radius of 2 is attacked at that radius; under l-inf 1 is all
  /// there is, and the message says which attack was given more.
  void aRadiusBeyondOneIsForL2() {
    Registry<Attack> registry{"attack"};
    registerAttacks(registry);
    TinyNet net;
    TinyScore score(net);
    Task task;
    const auto context = contextOf(task, false);
    for (const char* name : {"pgd", "apgd", "square", "autoattack"}) {
      Json options = {{"eps", 2}, {"norm", "l2"}};
      const auto& schema = registry.info(name).options;
      if (schema.find("steps")) options["steps"] = 10;
      if (schema.find("queries")) options["queries"] = 60;
      const auto attack = make(name, options);
      QCOMPARE(attack->threat().epsilon, 2.0);
      const auto result = attack->perturb(score, net.images, context);  // audited: in ball and box
      const auto moved = (result.images - net.images).flatten(1).norm(2, 1);
      QVERIFY2(moved.max().item<float>() > 1.2F, name);
      QVERIFY2(moved.max().item<float>() <= 2.0F + 1e-5F, name);
    }
    for (const auto& info : registry.list()) {
      const auto* norm = info.options.find("norm");
      if (!info.options.find("eps") || !norm) continue;
      try {
        make(info.name, {{"eps", 2}, {"norm", "linf"}});
        QFAIL(info.name.c_str());
      } catch (const Error& error) {
        QVERIFY(error.kind() == Error::Kind::BadInput);
        QCOMPARE(error.where(), std::string("attacks[0].eps"));
        QCOMPARE(error.problem(),
                 "the radius 2 of " + info.name + " is more than the whole [0,1] range");
      }
    }
    make("deepfool", {{"eps", 2}, {"norm", "linf"}, {"bounded", false}});  // has no ball
  }

  /// Steps for one of the two objectives are orthogonal to the gradient of the other.
  void jointStepsAreOrthogonal() {
    TinyNet net;
    ClassificationObjective classes(net, net.labels);
    TinyScore acceptance(net, -1.0);
    const auto samples = torch::arange(6);
    const auto gradientOf = [&](Objective& objective) {
      const auto leaf = net.images.clone().requires_grad_();
      const auto values = objective.evaluate(leaf, samples);
      return torch::autograd::grad({values.guide.sum()}, {leaf})[0].flatten(1);
    };
    const auto cosine = [](const torch::Tensor& a, const torch::Tensor& b) {
      return ((a * b).sum(1) / (a.norm(2, 1) * b.norm(2, 1))).abs().max().item<float>();
    };
    // All are classified right, so the classifier comes first.
    JointObjective joint(classes, acceptance, 1e6);
    const auto direction = gradientOf(joint);
    QVERIFY(cosine(direction, gradientOf(acceptance)) < 1e-4F);
    QVERIFY(((direction * gradientOf(classes)).sum(1) > 0).all().item<bool>());
    // All are taken for misclassified: the detector's turn.
    ClassificationObjective wrong(net, (net.labels + 1).remainder(5));
    JointObjective second(wrong, acceptance, 1e6);
    const auto other = gradientOf(second);
    QVERIFY(cosine(other, gradientOf(wrong)) < 1e-4F);
    QVERIFY(((other * gradientOf(acceptance)).sum(1) > 0).all().item<bool>());
    const auto values = second.evaluate(net.images, samples).judged;
    const auto expected = acceptance.judge(net.images, samples).to(torch::kFloat64) - 1e6;
    QVERIFY(torch::allclose(values, expected));
  }

  /// Misclassified and accepted at once, more often than by an attack on the classifier alone.
  void jointAttackPassesBoth() {
    TinyNet net;
    ClassificationObjective classes(net, net.labels);
    TinyScore acceptance(net, -1.0);
    Task task;
    const auto samples = torch::arange(6);
    const auto threshold = acceptance.judge(net.images, samples).median().item<double>();
    JointObjective joint(classes, acceptance, threshold);
    const auto context = contextOf(task, true);
    const auto result = make("joint", {{"eps", 0.1}, {"steps", 60}, {"restarts", 3}})
                            ->perturb(joint, net.images, context);
    const auto margins = classes.judge(result.images, samples);
    const auto excess = acceptance.judge(result.images, samples) - threshold;
    QVERIFY(torch::equal(result.values > 0, (margins > 0).logical_and(excess > 0)));
    const auto alone = make("pgd", {{"eps", 0.1}, {"steps", 60}})
                           ->perturb(classes, net.images, contextOf(task, false));
    const auto both = (classes.judge(alone.images, samples) > 0)
                          .logical_and(acceptance.judge(alone.images, samples) > threshold);
    QVERIFY((result.values > 0).sum().item<std::int64_t>() >= both.sum().item<std::int64_t>());
    QVERIFY((result.values > 0).any().item<bool>());
    QVERIFY_EXCEPTION_THROWN(make("joint", Json::object())->perturb(classes, net.images, context),
                             Error);
  }

  void unknownMembersAreNamed() {
    try {
      make("autoattack", {{"members", Json::array({"apgd"})}});
      QFAIL("accepted");
    } catch (const Error& error) {
      QVERIFY(error.hint().find("apgd_ce") != std::string::npos);
    }
  }

  /// The schedule on the methods page, section 13, for eight steps.
  void a3CountsPropagationsPerTime_data() {
    QTest::addColumn<bool>("led");
    QTest::newRow("along features") << true;
    QTest::newRow("along pixels") << false;
  }
  void a3CountsPropagationsPerTime() {
    QFETCH(bool, led);
    TinyNet net;
    TinyScore score(net);
    Task task;
    auto context = contextOf(task, false);
    context.batchSize = 6;
    context.clean = score.judge(net.images, torch::arange(6)).to(torch::kFloat64);
    AttackResources resources;
    if (led) resources.classifier = &net;
    context.resources = &resources;
    const auto result = make("a3", {{"eps", 0.03}})->perturb(score, net.images, context);
    const std::int64_t probes = led ? 13 : 0;  // one image per round, of no time
    QCOMPARE(result.propagations.size(), result.trajectory.size());
    QCOMPARE(6 * result.propagations.back() + probes, result.forwards + result.backwards);
    // 7 leading steps: to a step's backward belong its forward and, led, one more.
    const std::int64_t lead = led ? 3 : 2;
    for (std::size_t t = 0; t <= 32; ++t) {
      const auto steps = static_cast<std::int64_t>(t), first = std::min<std::int64_t>(steps, 7);
      QCOMPARE(result.propagations[t], 1 + lead * first + 2 * (steps - first));
    }
  }

  void a3Schedule() {
    const std::vector<double> page = {1, .9729, .8947, .775, .6281, .4719, .325, .2053};
    const auto steps = a3Steps(8);
    QCOMPARE(steps.size(), page.size());
    for (std::size_t i = 0; i < page.size(); ++i) QVERIFY(std::abs(steps[i] - page[i]) < 6e-5);
    QVERIFY(a3Steps(25).back() < 0.02);
  }

  /// Three classes have no targeted DLR, two no DLR: the documented members take their place.
  void fewClasses() {
    class Few : public Objective {
     public:
      Few(TinyNet& net, std::int64_t classes) : net_(net), classes_(classes) {}
      Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override {
        const auto z = logits(images);
        const auto y = labels(samples, images.device());
        const auto margin = classificationMargin(z, y);
        return {margin, margin.detach()};
      }
      std::int64_t classes() const override { return classes_; }
      torch::Tensor logits(const torch::Tensor& images) override {
        return net_.forward(images).slice(1, 0, classes_);
      }
      torch::Tensor labels(const torch::Tensor& samples, const torch::Device&) const override {
        return net_.forward(net_.images).slice(1, 0, classes_).argmax(1).index_select(0, samples);
      }
      torch::Tensor judgeLogits(const torch::Tensor& logits,
                                const torch::Tensor& labels) const override {
        const torch::NoGradGuard noGrad;
        return classificationMargin(logits, labels);
      }

     private:
      TinyNet& net_;
      std::int64_t classes_;
    };
    TinyNet net;
    Task task;
    for (const std::int64_t classes : {2, 3, 4}) {
      Few objective(net, classes);
      for (const char* name : {"autoattack", "a3", "caa"}) {
        Json options{{"eps", 0.05}};
        if (std::string(name) == "autoattack") {
          options.update(Json{{"steps", 8}, {"square_queries", 20}});
        }
        for (const bool cross : {false, true}) {
          const auto result =
              make(name, options)->perturb(objective, net.images, contextOf(task, cross));
          QVERIFY(result.values.isfinite().all().item<bool>());
          QVERIFY(
              (result.values > objective.judge(net.images, torch::arange(6))).any().item<bool>());
        }
      }
    }
  }

  /// Rank saturation changes no value of an image that has not passed its bound.
  void saturationIsExact() {
    TinyNet net;
    TinyScore objective(net);
    Task task;
    for (const char* name : {"autoattack", "a3", "caa"}) {
      Json options{{"eps", 0.03}};
      if (std::string(name) == "autoattack") {
        options.update(Json{{"steps", 8}, {"square_queries", 20}});
      }
      auto context = contextOf(task, false);
      const auto full = make(name, options)->perturb(objective, net.images, context);
      context.saturation = full.values.median().item<double>() - 0.05;
      const auto early = make(name, options)->perturb(objective, net.images, context);
      QVERIFY(early.saturated.any().item<bool>());
      QVERIFY(!early.saturated.all().item<bool>());
      QVERIFY(torch::equal(early.saturated, full.values > context.saturation));
      const auto below = early.saturated.logical_not();
      QVERIFY(torch::equal(early.values.masked_select(below), full.values.masked_select(below)));
      QVERIFY(early.backwards < full.backwards);
    }
  }

  /// Before a plane: the nearest crossing on the path is as far as the plane, to 2 % (the radius
  /// changes by 5 % and offsets are whole levels of 1/255), the worst point as far as the budget.
  void ddnFindsTheNearestCrossing() {
    constexpr double distance = 0.2, budget = 0.5;
    class Plane : public Objective {
     public:
      explicit Plane(torch::Tensor normal) : normal_(std::move(normal)) {}
      Values evaluate(const torch::Tensor& images, const torch::Tensor&) override {
        const auto value = torch::mv(images.flatten(1), normal_) - distance;
        path.push_back(images.detach().clone());
        return {value, value.detach()};
      }
      std::vector<torch::Tensor> path;

     private:
      torch::Tensor normal_;
    };
    const auto normal = torch::linspace(-1, 1, 16) / torch::linspace(-1, 1, 16).norm();
    // Sideways along the plane by less than a level: the same distance, other roundings.
    const auto images =
        torch::full({3, 1, 4, 4}, 0.5F) + torch::tensor({0.0, 0.001, 0.002}).view({3, 1, 1, 1});
    Task task;
    for (const std::int64_t steps : {100, 300}) {
      Plane objective(normal);
      const auto result = decoupledDirectionAndNorm({.threat = {Norm::L2, budget}, .steps = steps},
                                                    objective, images, contextOf(task, false));
      QCOMPARE(static_cast<std::int64_t>(objective.path.size()), steps + 1);  // none stops early
      auto nearest = torch::full({3}, 10.0F);
      int before = 0;
      for (const auto& points : objective.path) {
        const auto offset = (points - images).flatten(1);
        const auto moved = offset.norm(2, 1);
        QVERIFY(moved.max().item<double>() <= budget + 1e-6);
        const auto crossed = torch::mv(points.flatten(1), normal) > distance;
        nearest = torch::where(crossed, torch::minimum(nearest, moved), nearest);
        before += crossed.logical_not().sum().item<int>();
      }
      for (int i = 0; i < 3; ++i) {
        const double found = nearest[i].item<double>();
        QVERIFY2(std::abs(found - distance) <= 0.02 * distance, qPrintable(QString::number(found)));
        const double worst = result.values[i].item<double>();
        QVERIFY2(std::abs(worst - (budget - distance)) <= 0.01 * budget,
                 qPrintable(QString::number(worst)));
      }
      // It shuttles about the plane instead of staying beyond it.
      QVERIFY(before > steps / 2 && before < 3 * steps - steps / 2);
    }
  }
};

QTEST_GUILESS_MAIN(TestEnsembles)
#include "tst_ensembles.moc"
