#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "core/attacks/attack.h"
#include "core/attacks/classification_objective.h"
#include "core/attacks/ddn.h"
#include "core/attacks/joint.h"
#include "core/attacks/resources.h"
#include "tests/support/recorder.h"
#include "tests/support/tiny_net.h"

using namespace bulwark;

namespace {

/// direction x minus the largest logit: another detector, to craft on.
class MaxLogit : public Objective {
 public:
  MaxLogit(TinyNet& net, double direction) : net_(net), direction_(direction) {}
  Values evaluate(const torch::Tensor& images, const torch::Tensor& /*samples*/) override {
    const auto value = -direction_ * net_.forward(images).amax(1);
    return {value, value.detach()};
  }

 private:
  TinyNet& net_;
  double direction_;
};

/// A recorder that outlives the attack, where an attack wants to own its objective.
class Lent : public Objective {
 public:
  explicit Lent(Objective& objective) : objective_(objective) {}
  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override {
    return objective_.evaluate(images, samples);
  }

 private:
  Objective& objective_;
};

std::vector<std::int64_t> integers(const Json& values) {
  return values.get<std::vector<std::int64_t>>();
}

torch::Tensor indices(const Json& values) {
  return torch::tensor(integers(values), torch::kInt64);
}

double distance(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kFloat64) - b.to(torch::kFloat64)).abs().max().item<double>();
}

std::unique_ptr<Attack> make(const Json& test) {
  Registry<Attack> registry{"attack"};
  registerAttacks(registry);
  return registry.make(test["attack"], test["options"], "attacks[0]");
}

}  // namespace

/// The attacks made of others against tests/reference/golden_ensembles.py, pass by pass.
class TestGoldenEnsembles : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    torch::set_num_threads(1);
    file_ = referenceFile("golden_ensembles.json");
  }

  void golden_data() {
    QTest::addColumn<QString>("name");
    for (const auto& item : file_.items()) {
      QTest::addRow("%s", item.key().c_str()) << QString::fromStdString(item.key());
    }
  }
  void golden() {
    QFETCH(QString, name);
    const Json& test = file_[name.toStdString()];
    const auto samples = indices(test["samples"]);
    const auto count = samples.size(0);
    auto images = net_.images.index_select(0, samples);
    auto labels = net_.labels.index_select(0, samples);
    if (test.contains("images")) {
      images = referenceTensor(test["images"], {count, 1, 6, 6});
      labels = indices(test["labels"]);
    }
    ClassificationObjective classes(net_, labels);
    const double direction = test["direction"].get<double>();
    TinyScore score(net_, direction), acceptance(net_, -1.0);
    MaxLogit other(net_, direction);
    Recorder recorder(test["objective"] == "score" ? static_cast<Objective&>(score) : classes);
    Recorder source(other);
    std::optional<JointObjective> joint;
    if (test.contains("threshold")) {
      joint.emplace(recorder, acceptance, test["threshold"].get<double>());
    }
    Objective& objective = joint ? static_cast<Objective&>(*joint) : recorder;

    AttackResources resources;
    resources.classifier = &net_;
    resources.labels = labels;
    resources.source = [&](const SourceRequest& request) {
      Source found;
      if (request.detector == "max_logit") found.objective = std::make_unique<Lent>(source);
      return found;
    };
    Task task;
    AttackContext context{.task = task};
    context.resources = &resources;
    context.batchSize = count;
    context.seed = Seed{test.value("seed", 0ULL)};
    context.thresholds = {0.0};
    if (test.contains("cross")) {
      context.mode = AttackMode::Cross;
      context.thresholds = {test["cross"].get<double>()};
    }
    if (test.contains("starts")) {
      context.starts = referenceTensor(test["starts"], {count, 1, 1, 6, 6});
    }
    context.clean = objective.judge(images, torch::arange(count)).to(torch::kFloat64);
    recorder.batches.clear();
    recorder.judged.clear();
    const auto result =
        test["attack"] == "ddn"
            ? decoupledDirectionAndNorm({.threat = {Norm::L2, test["options"]["eps"].get<double>()},
                                         .steps = test["options"]["steps"].get<std::int64_t>()},
                                        objective, images, context)
            : make(test)->perturb(objective, images, context);
    comparePasses(test, recorder);
    compareResult(test, result, context.clean);
    if (test.contains("crafted") && test["options"].contains("source_detector")) {
      compareCrafting(test, source);
    }
    if (test.contains("nearest")) compareNearest(test, recorder, images);
  }

 private:
  void comparePasses(const Json& test, const Recorder& recorder) {
    const auto passes = test["passes"].get<std::size_t>();
    if (test.contains("cross")) {  // the rest of the schedule follows
      QVERIFY(recorder.batches.size() >= passes);
    } else {
      QCOMPARE(recorder.batches.size(), passes);
    }
    std::vector<std::int64_t> judged;
    for (std::size_t t = 0; t < passes; ++t) judged.push_back(static_cast<std::int64_t>(t));
    if (test.contains("judged")) judged = integers(test["judged"]);
    const auto at = integers(test["at"]);
    for (std::size_t i = 0; i < test["values"].size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      for (std::size_t j = 0; j < judged.size(); ++j) {
        const auto& found = recorder.judged[static_cast<std::size_t>(judged[j])];
        const double off = std::abs(found[row].item<double>() - test["values"][i][j].get<double>());
        QVERIFY2(off <= 2e-5, qPrintable(QString("value of pass %1: %2").arg(judged[j]).arg(off)));
      }
      for (std::size_t j = 0; j < at.size(); ++j) {
        const auto& found = recorder.batches[static_cast<std::size_t>(at[j])];
        const double off = distance(found[row], referenceTensor(test["points"][i][j], {1, 6, 6}));
        QVERIFY2(off <= 1e-5, qPrintable(QString("point of pass %1: %2").arg(at[j]).arg(off)));
      }
    }
  }

  /// Its image where the reference tells one, its value where the reference knows all of the walk.
  void compareResult(const Json& test, const AttackResult& result, const torch::Tensor& clean) {
    for (std::size_t i = 0; i < test["values"].size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      const double found = result.values[row].item<double>();
      QVERIFY(found >= clean[row].item<double>());
      if (test.contains("cross") && !test.contains("stops")) continue;
      if (test.contains("best")) {
        const auto best = referenceTensor(test["best"][i], {1, 6, 6});
        QVERIFY2(distance(result.images[row], best) <= 1e-5, qPrintable(QString::number(row)));
      }
      if (test.contains("stops") || test.contains("judged")) continue;
      double worst = clean[row].item<double>();
      if (test.contains("worst")) {
        worst = std::max(worst, test["worst"][i].get<double>());
      } else {
        for (const auto& value : test["values"][i]) worst = std::max(worst, value.get<double>());
      }
      QVERIFY2(std::abs(found - worst) <= 2e-5, qPrintable(QString::number(found - worst)));
    }
  }

  /// Steps on the source; the first pass may be of the clean images.
  void compareCrafting(const Json& test, const Recorder& source) {
    const std::size_t steps = test["crafted"][0].size();
    QVERIFY(source.batches.size() >= steps);
    const std::size_t first = source.batches.size() - steps;
    for (std::size_t i = 0; i < test["crafted"].size(); ++i) {
      for (std::size_t t = 0; t < steps; ++t) {
        const auto expected = referenceTensor(test["crafted"][i][t], {1, 6, 6});
        const double off =
            distance(source.batches[first + t][static_cast<std::int64_t>(i)], expected);
        QVERIFY2(off <= 1e-5, qPrintable(QString("step %1: %2").arg(t).arg(off)));
      }
    }
  }

  /// The shortest way across on the path.
  void compareNearest(const Json& test, const Recorder& recorder, const torch::Tensor& images) {
    const auto count = images.size(0);
    auto nearest = torch::full({count}, 1e9, torch::kFloat64);
    for (std::size_t t = 0; t < recorder.batches.size(); ++t) {
      const auto moved = (recorder.batches[t] - images).flatten(1).norm(2, 1).to(torch::kFloat64);
      nearest = torch::where(recorder.judged[t] > 0, torch::minimum(nearest, moved), nearest);
    }
    for (std::int64_t i = 0; i < count; ++i) {
      const double expected = test["nearest"][static_cast<std::size_t>(i)].get<double>();
      QVERIFY(std::abs(nearest[i].item<double>() - expected) <= 1e-5);
    }
  }

  TinyNet net_;
  Json file_;
};

QTEST_GUILESS_MAIN(TestGoldenEnsembles)
#include "tst_golden_ensembles.moc"
