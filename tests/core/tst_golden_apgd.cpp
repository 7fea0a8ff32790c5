#include <cmath>

#include "core/attacks/apgd.h"
#include "core/attacks/classification_objective.h"
#include "core/attacks/logit_objective.h"
#include "core/attacks/merge.h"
#include "core/base/error.h"
#include "tiny_net.h"

using namespace bulwark;

namespace {

/// What a walk went through, written down by `Recorder`.
struct Record {
  std::vector<torch::Tensor> points, steps;  ///< per move [W, C, H, W'] and [W]
};

/// Auto-PGD's walker, watched: all rows of a batch take their steps together here.
class Recorder : public Walker {
 public:
  Recorder(std::unique_ptr<ApgdWalker> inner, Record& record)
      : inner_(std::move(inner)), record_(record) {}
  const torch::Tensor& points() const override { return inner_->points(); }
  void seat(const std::vector<Seat>& seats, const torch::Tensor& images) override {
    inner_->seat(seats, images);
    record_.points.push_back(inner_->points().clone());
  }
  void move(const Evaluation& evaluation) override {
    inner_->move(evaluation);
    record_.points.push_back(inner_->points().clone());
    record_.steps.push_back(inner_->stepSizes().clone());
  }
  void keep(const torch::Tensor& rows) override { inner_->keep(rows); }

 private:
  std::unique_ptr<ApgdWalker> inner_;
  Record& record_;
};

/// Falls with the squared distance to a peak of each sample's own.
class Quadratic : public Objective {
 public:
  explicit Quadratic(torch::Tensor peaks) : peak(std::move(peaks)) {}
  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override {
    const auto value = -(images - peak.index_select(0, samples)).flatten(1).square().sum(1);
    return {value, value.detach()};
  }
  torch::Tensor peak;
};

torch::Tensor samplesOf(const Json& entry) {
  return torch::tensor(entry["samples"].get<std::vector<std::int64_t>>(), torch::kInt64);
}

AttackContext contextOf(Task& task) {
  AttackContext context{.task = task};
  context.batchSize = 16;
  return context;
}

}  // namespace

class TestGoldenApgd : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    torch::set_num_threads(1);
    file_ = referenceFile("golden_apgd.json");
  }

  void steps_data() {
    QTest::addColumn<int>("index");
    for (std::size_t i = 0; i < file_["cases"].size(); ++i) {
      const auto& entry = file_["cases"][i];
      QTest::addRow("%s %s %d", entry["loss"].get<std::string>().c_str(),
                    entry["norm"].get<std::string>().c_str(), entry["rank"].get<int>())
          << static_cast<int>(i);
    }
  }
  /// Points of every step to 1e-5, step sizes of every step identical, the worst value.
  void steps() {
    QFETCH(int, index);
    const auto& entry = file_["cases"][static_cast<std::size_t>(index)];
    const auto loss = entry["loss"].get<std::string>();
    const auto norm = entry["norm"].get<std::string>();
    const auto samples = samplesOf(entry);
    const auto count = samples.size(0);
    const auto moves = file_["steps"].get<std::int64_t>();
    const double eps = file_["eps"][norm].get<double>();
    const ThreatModel threat{norm == "l2" ? Norm::L2 : Norm::Linf, eps};

    TinyNet net;
    const auto images = net.images.index_select(0, samples);
    ClassificationObjective classifier(net, net.labels.index_select(0, samples));
    TinyScore score(net);
    const auto targets =
        torch::tensor(entry["targets"].get<std::vector<std::int64_t>>(), torch::kInt64);
    LogitObjective dlr(classifier, LogitLoss::Dlr);
    LogitObjective targeted(classifier, LogitLoss::TargetedDlr, targets);
    Objective* objective = loss == "ce"      ? static_cast<Objective*>(&classifier)
                           : loss == "dlr"   ? static_cast<Objective*>(&dlr)
                           : loss == "score" ? static_cast<Objective*>(&score)
                                             : &targeted;

    Task task;
    auto context = contextOf(task);
    context.starts = referenceTensor(entry["starts"], {count, 1, 1, 6, 6});
    Record record;
    const auto factory = [&](const torch::Tensor& batch) {
      return std::make_unique<Recorder>(std::make_unique<ApgdWalker>(threat, moves, 0.75, batch),
                                        record);
    };
    const auto result = walk({.name = "apgd", .threat = threat, .steps = moves}, factory,
                             *objective, images, context);

    QCOMPARE(static_cast<std::int64_t>(record.steps.size()), moves);
    int halved = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      // Compared up to the first decision that is too close for float32.
      const auto clear = static_cast<std::int64_t>(entry["steps"][at].size());
      QVERIFY(clear >= 12);
      const auto points = referenceTensor(entry["points"][at], {clear + 1, 1, 6, 6});
      const auto sizes = referenceTensor(entry["steps"][at], {clear});
      for (std::int64_t k = 0; k <= clear; ++k) {
        const auto move = static_cast<std::size_t>(k);
        const double off = (record.points[move][i] - points[k]).abs().max().item<double>();
        QVERIFY2(off <= 1e-5, qPrintable(QString("move %1: %2").arg(k).arg(off)));
        if (k == clear) break;
        // Steps are 2 eps times a power of 1/2: another decision would be off by a factor.
        const double ratio = (record.steps[move][i] / sizes[k]).item<double>();
        QVERIFY2(std::abs(ratio - 1) < 1e-5, qPrintable(QString("move %1: %2").arg(k).arg(ratio)));
      }
      halved += sizes[0].item<float>() > sizes[clear - 1].item<float>() ? 1 : 0;
      const double worst = entry["worst"][at].get<double>();
      const double value = result.values[i].item<double>();
      QVERIFY(value >= worst - 1e-5);
      if (clear == moves) QVERIFY(value <= worst + 1e-5);
    }
    QCOMPARE(halved, static_cast<int>(count));

    // The attack as users get it walks the same way; targets it chooses itself.
    if (loss == "targeted") return;
    ApgdPlan plan;
    plan.threat = threat;
    plan.steps = moves;
    plan.loss = loss == "dlr" ? ApgdLoss::Dlr : ApgdLoss::CrossEntropy;
    Objective& base = loss == "score" ? static_cast<Objective&>(score) : classifier;
    const auto attacked = makeApgd(plan)->perturb(base, images, context);
    QVERIFY(torch::equal(attacked.images, result.images));
    QVERIFY(torch::equal(attacked.values, result.values));
  }

  /// Targets are gone through from the most likely on, restarts within each.
  void targetsAreTheMostLikely() {
    const auto* entry = &file_["cases"].back();
    for (const auto& other : file_["cases"]) {
      if (other["loss"] == "targeted" && other["norm"] == "linf" && other["rank"] == 1) {
        entry = &other;
      }
    }
    const auto samples = samplesOf(*entry);
    const std::int64_t count = samples.size(0);
    TinyNet net;
    const auto images = net.images.index_select(0, samples);
    ClassificationObjective classifier(net, net.labels.index_select(0, samples));
    Task task;
    auto context = contextOf(task);
    const auto chosen = likelyWrongClasses(classifier, images, 2, context);
    QVERIFY(torch::equal(
        chosen.select(1, 1),
        torch::tensor((*entry)["targets"].get<std::vector<std::int64_t>>(), torch::kInt64)));
    ApgdPlan plan;
    plan.threat = {Norm::Linf, file_["eps"]["linf"].get<double>()};
    plan.steps = file_["steps"].get<std::int64_t>();
    plan.loss = ApgdLoss::Targeted;
    plan.targets = 2;
    const auto starts = referenceTensor((*entry)["starts"], {count, 1, 1, 6, 6});
    context.starts = torch::cat({images.unsqueeze(1), starts}, 1);
    const auto both = makeApgd(plan)->perturb(classifier, images, context);
    plan.targets = 1;
    context.starts = images.unsqueeze(1);
    const auto first = makeApgd(plan)->perturb(classifier, images, context);
    context.starts = starts;
    LogitObjective guided(classifier, LogitLoss::TargetedDlr, chosen.select(1, 1).contiguous());
    plan.loss = ApgdLoss::Score;
    const auto second = makeApgd(plan)->perturb(guided, images, context);
    QVERIFY(torch::equal(both.values, torch::maximum(first.values, second.values)));
    QCOMPARE(both.trajectory.size(), static_cast<std::size_t>(2 * plan.steps + 1));
    QCOMPARE(both.backwards, 2 * plan.steps * count);
    // A pass per point of each walk, one for the clean values, one for the targets.
    QCOMPARE(both.forwards, 2 * (plan.steps + 1) * count + 2 * count);
  }

  void checkpoints() {
    QVERIFY(apgdCheckpoints(100) == (std::vector<std::int64_t>{22, 41, 57, 70, 80, 87, 93, 99}));
    QVERIFY(apgdCheckpoints(1) == (std::vector<std::int64_t>{1}));
  }

  /// The worked examples of the methods page, section 9.
  void workedExamples() {
    const auto logits = torch::tensor({{3.0, 1.0, -2.0, 0.5}}, torch::kFloat64);
    const auto of = [&](LogitLoss loss, std::int64_t label, std::int64_t target) {
      return logitLoss(loss, logits, torch::tensor({label}), torch::tensor({target}))
          .item<double>();
    };
    QVERIFY(std::abs(of(LogitLoss::Dlr, 0, 0) + 0.8) < 1e-9);
    QVERIFY(std::abs(of(LogitLoss::Dlr, 1, 0) - 0.8) < 1e-9);
    QVERIFY(std::abs(of(LogitLoss::TargetedDlr, 0, 1) + 0.533333) < 1e-6);
    QVERIFY(std::abs(of(LogitLoss::TargetedDlr, 0, 2) + 1.333333) < 1e-6);
    QVERIFY(std::abs(of(LogitLoss::Margin, 0, 0) + 2.0) < 1e-9);
  }

  /// A concave score: its maximum over the ball is at the point nearest to the peak.
  void quadraticScore() {
    TinyNet net;
    const auto images = net.images.clamp(0.3, 0.7);
    for (const Norm norm : {Norm::Linf, Norm::L2}) {
      const double eps = norm == Norm::L2 ? 0.3 : 0.1;
      Quadratic objective(images.roll(1, 3).clamp(0.1, 0.9));
      Task task;
      ApgdPlan plan;
      plan.threat = {norm, eps};
      const auto result = makeApgd(plan)->perturb(objective, images, contextOf(task));
      const auto away = (objective.peak - images).flatten(1).to(torch::kFloat64);
      const auto best = norm == Norm::L2 ? -(away.norm(2, 1) - eps).clamp_min(0).square()
                                         : -(away.abs() - eps).clamp_min(0).square().sum(1);
      const double worst = ((result.values - best) / best).abs().max().item<double>();
      QVERIFY2(worst <= 1e-3, qPrintable(QString::number(worst)));
      QVERIFY((result.values <= best + 1e-5).all().item<bool>());
    }
  }

  /// Losses on logits where there are none, or too few.
  void missingClassesAreNamed() {
    TinyNet net;
    TinyScore score(net);
    Task task;
    const auto context = contextOf(task);
    for (const ApgdLoss loss : {ApgdLoss::Dlr, ApgdLoss::Targeted}) {
      ApgdPlan plan;
      plan.threat = {Norm::Linf, 0.1};
      plan.loss = loss;
      try {
        makeApgd(plan)->perturb(score, net.images, context);
        QFAIL("accepted");
      } catch (const Error& error) {
        QCOMPARE(error.kind(), Error::Kind::BadInput);
        QVERIFY(error.hint().find("score") != std::string::npos);
      }
    }
    requireClasses(LogitLoss::Dlr, 3, "apgd");
    requireClasses(LogitLoss::TargetedDlr, 4, "apgd");
    QVERIFY_EXCEPTION_THROWN(requireClasses(LogitLoss::Dlr, 2, "apgd"), Error);
    QVERIFY_EXCEPTION_THROWN(requireClasses(LogitLoss::TargetedDlr, 3, "apgd"), Error);
  }

  /// Merging two attacks: worst per image, times in a row, images beyond the bound left alone.
  void worstIsKept() {
    TinyNet net;
    ClassificationObjective classifier(net, net.labels);
    Task task;
    auto context = contextOf(task);
    context.snapshotSamples = {4, 1};
    context.snapshotSteps = {0, 3, 8, 11, 50};
    const auto member = [](double eps, std::int64_t steps) {
      return [=](Objective& base, const torch::Tensor& batch, const AttackContext& around) {
        ApgdPlan plan;
        plan.threat = {Norm::Linf, eps};
        plan.steps = steps;
        return makeApgd(plan)->perturb(base, batch, around);
      };
    };
    WorstOf worst("pair", classifier, net.images, context);
    worst.add("first", member(0.05, 8));
    const auto early = worst.result();
    const auto some = torch::tensor({1, 2, 4}, torch::kInt64);
    worst.add("second", some, member(0.07, 5));
    QVERIFY((worst.result().values >= early.values).all().item<bool>());
    QVERIFY((worst.result().values.index_select(0, some) > early.values.index_select(0, some))
                .all()
                .item<bool>());
    for (const std::int64_t untouched : {0, 3, 5}) {
      QVERIFY(torch::equal(worst.result().images[untouched], early.images[untouched]));
    }
    const auto result = worst.take();
    QCOMPARE(result.trajectory.size(), std::size_t{8 + 5 + 1});
    QVERIFY(std::is_sorted(result.trajectory.begin(), result.trajectory.end()));
    QVERIFY(std::abs(result.trajectory.back() - result.values.mean().item<double>()) < 1e-9);
    const auto margins = classifier.judgeLogits(net.forward(result.images), net.labels);
    QVERIFY((margins - result.values).abs().max().item<double>() < 1e-5);
    for (int s = 0; s < 2; ++s) {
      const std::int64_t sample = context.snapshotSamples[static_cast<std::size_t>(s)];
      QVERIFY(torch::equal(result.snapshots[s][2], early.images[sample]));
      QVERIFY(torch::equal(result.snapshots[s][4], result.images[sample]));
      for (int t = 1; t < 5; ++t) {
        QVERIFY(result.snapshotValues[s][t].item<double>() >=
                result.snapshotValues[s][t - 1].item<double>());
      }
    }
  }

 private:
  Json file_;
};

QTEST_GUILESS_MAIN(TestGoldenApgd)
#include "tst_golden_apgd.moc"
