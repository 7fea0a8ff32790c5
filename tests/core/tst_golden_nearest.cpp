#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "core/attacks/attack.h"
#include "core/attacks/classification_objective.h"
#include "core/attacks/hyperplane.h"
#include "core/attacks/saliency.h"
#include "tests/support/tiny_net.h"

using namespace bulwark;

namespace {

/// Passes everything on and keeps the batches evaluated with a gradient.
class Recorder : public Objective {
 public:
  explicit Recorder(Objective& inner) : inner_(inner) {}
  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override {
    points.push_back(images.detach().clone());
    return inner_.evaluate(images, samples);
  }
  torch::Tensor judge(const torch::Tensor& images, const torch::Tensor& samples) override {
    return inner_.judge(images, samples);
  }
  std::int64_t classes() const override { return inner_.classes(); }
  torch::Tensor logits(const torch::Tensor& images) override {
    points.push_back(images.detach().clone());
    return inner_.logits(images);
  }
  torch::Tensor labels(const torch::Tensor& samples, const torch::Device& device) const override {
    return inner_.labels(samples, device);
  }
  torch::Tensor judgeLogits(const torch::Tensor& logits,
                            const torch::Tensor& labels) const override {
    return inner_.judgeLogits(logits, labels);
  }

  std::vector<torch::Tensor> points;

 private:
  Objective& inner_;
};

std::unique_ptr<Attack> make(const std::string& name, const Json& options) {
  Registry<Attack> registry{"attack"};
  registerAttacks(registry);
  return registry.make(name, options, "attacks[0]");
}

/// The classifier's margin (direction 0) or the score times the direction.
std::unique_ptr<Objective> objectiveOf(TinyNet& net, int direction) {
  if (direction == 0) return std::make_unique<ClassificationObjective>(net, net.labels);
  return std::make_unique<TinyScore>(net, direction);
}

AttackContext contextOf(Task& task, const Json& test) {
  AttackContext context{.task = task};
  context.seed = Seed{3};
  const int direction = test["direction"].get<int>();
  context.thresholds = {direction == 0 ? 0.0 : direction * test["tau"].get<double>()};
  return context;
}

double value(const torch::Tensor& values, std::int64_t i) {
  return values[i].item<double>();
}

std::int64_t sized(std::size_t count) {
  return static_cast<std::int64_t>(count);
}

}  // namespace

/// Against tests/reference/golden_nearest.py.
class TestGoldenNearest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    torch::set_num_threads(1);
    golden_ = referenceFile("golden_nearest.json");
  }

  void deepfoolSteps() {
    TinyNet net;
    for (const Json& test : golden_["deepfool"]) {
      const auto inner = objectiveOf(net, test["direction"].get<int>());
      Recorder objective(*inner);
      Task task;
      const auto context = contextOf(task, test);
      const auto attack = make("deepfool", {{"norm", test["norm"]}, {"bounded", false}});
      const auto result = attack->perturb(objective, net.images, context);
      for (std::size_t i = 0; i < test["runs"].size(); ++i) {
        const Json& run = test["runs"][i];
        const auto sample = sized(i);
        // The search ends before an image that is beyond the threshold as it is is ever evaluated.
        const bool beyond = run["steps"].get<int>() == 0;
        for (std::size_t k = 0; k < run["points"].size() && !beyond; ++k) {
          const auto expected = referenceTensor(run["points"][k], {1, 6, 6});
          QVERIFY(k < objective.points.size());
          const auto there = objective.points[k][sample];
          const double off = (there - expected).abs().max().item<double>();
          QVERIFY2(off <= 1e-5, qPrintable(QString("step %1: %2").arg(k).arg(off)));
        }
        const double found = value(result.distances, sample);
        if (run["distance"].is_null()) continue;
        const double distance = run["distance"].get<double>();
        QVERIFY2(std::abs(found - distance) <= 1e-5, qPrintable(QString::number(found)));
        QVERIFY(value(result.values, sample) > context.thresholds[0]);
        QVERIFY(beyond == torch::equal(result.images[sample], net.images[sample]));
      }
    }
  }

  void projections() {
    for (const Json& test : golden_["projections"]) {
      const auto row = [](const Json& values) {
        return torch::tensor(values.get<std::vector<double>>(), torch::kFloat64).unsqueeze(0);
      };
      const auto distance = test["norm"] == "l2" ? Distance::L2 : Distance::Linf;
      const auto f = torch::full({1}, test["f"].get<double>(), torch::kFloat64);
      const auto found = toHyperplane(row(test["t"]), row(test["w"]), f, distance);
      const double off = (found - row(test["d"])).abs().max().item<double>();
      QVERIFY2(off <= 1e-9, qPrintable(QString::number(off)));
    }
  }

  /// Away from the box: |f| / ||w||_1 in every entry, and |f| / ||w||_2 along w.
  void projectionsClosedForm() {
    const auto t = torch::full({1, 4}, 0.5, torch::kFloat64);
    const auto w = torch::tensor({{1.0, -2.0, 3.0, -4.0}}, torch::kFloat64);
    const auto f = torch::full({1}, -0.6, torch::kFloat64);
    const auto linf = toHyperplane(t, w, f, Distance::Linf);
    QVERIFY(torch::allclose(linf, w.sign() * 0.06, 0, 1e-12));
    const auto l2 = toHyperplane(t, w, f, Distance::L2);
    QVERIFY(torch::allclose(l2, w * (0.6 / 30), 0, 1e-12));
  }

  void fabDistances() {
    TinyNet net;
    for (const Json& test : golden_["fab"]) {
      const auto inner = objectiveOf(net, test["direction"].get<int>());
      for (const std::string name : {"fab", "fab_t"}) {
        Recorder objective(*inner);
        Task task;
        const auto context = contextOf(task, test);
        const auto attack =
            make(name, {{"norm", test["norm"]}, {"steps", test["steps"]}, {"bounded", false}});
        const auto result = attack->perturb(objective, net.images, context);
        for (std::size_t i = 0; i < test["runs"].size(); ++i) {
          const Json& run = test["runs"][i];
          const double expected = run[name == "fab" ? "distance" : "targeted"].get<double>();
          const double found = value(result.distances, sized(i));
          QVERIFY2(std::abs(found - expected) <= 0.01 * expected + 1e-6,
                   qPrintable(QString("%1: %2, expected %3").arg(i).arg(found).arg(expected)));
          QVERIFY(value(result.values, sized(i)) > context.thresholds[0]);
          if (run["points"].empty() || name == "fab_t") continue;
          const auto first = referenceTensor(run["points"][0], {1, 6, 6});
          const double off = (objective.points[1][sized(i)] - first).abs().max().item<double>();
          QVERIFY2(off <= 1e-5, qPrintable(QString::number(off)));
        }
      }
    }
  }

  void carliniWagner() {
    TinyNet net;
    for (const Json& test : golden_["cw"]) {
      const auto inner = objectiveOf(net, test["direction"].get<int>());
      Recorder objective(*inner);
      Task task;
      const auto context = contextOf(task, test);
      const auto attack = make("cw_l2", {{"steps", test["steps"]},
                                         {"searches", test["searches"]},
                                         {"target", test["target"]},
                                         {"initial_c", 1.0},
                                         {"bounded", false}});
      const auto result = attack->perturb(objective, net.images, context);
      for (std::size_t i = 0; i < test["runs"].size(); ++i) {
        const Json& run = test["runs"][i];
        const double found = value(result.distances, sized(i));
        if (run["distance"].is_null()) {
          QVERIFY(std::isinf(found));
          continue;
        }
        const double expected = run["distance"].get<double>();
        QVERIFY2(std::abs(found - expected) <= 0.01 * expected,
                 qPrintable(QString("%1: %2, expected %3").arg(i).arg(found).arg(expected)));
        QVERIFY(value(result.values, sized(i)) > context.thresholds[0]);
        for (std::size_t k = 0; k < run["points"].size(); ++k) {
          const auto point = referenceTensor(run["points"][k], {1, 6, 6});
          const double off = (objective.points[k][sized(i)] - point).abs().max().item<double>();
          QVERIFY2(off <= 1e-4, qPrintable(QString("step %1: %2").arg(k).arg(off)));
        }
      }
    }
  }

  /// The pixels that change from one point to the next are those of the reference.
  void jsmaPixels() {
    TinyNet net;
    for (const Json& test : golden_["jsma"]) {
      const int direction = test["direction"].get<int>();
      const auto inner = objectiveOf(net, direction);
      Recorder objective(*inner);
      Task task;
      AttackContext context{.task = task};
      const auto attack = make("jsma", {{"theta", test["theta"]},
                                        {"gamma", test["gamma"]},
                                        {"mode", test["increase"] ? "increase" : "decrease"},
                                        {"target", "next"}});
      const auto result = attack->perturb(objective, net.images, context);
      for (std::size_t i = 0; i < test["runs"].size(); ++i) {
        const Json& run = test["runs"][i];
        for (std::size_t k = 0; k < run["pairs"].size(); ++k) {
          // The last point of all is judged without a gradient; scores leave no record of it.
          if (k + 1 >= objective.points.size()) break;
          const auto changed =
              (objective.points[k + 1][sized(i)] != objective.points[k][sized(i)]).flatten();
          const auto at = changed.nonzero().flatten();
          std::vector<std::int64_t> pixels(at.data_ptr<std::int64_t>(),
                                           at.data_ptr<std::int64_t>() + at.numel());
          QCOMPARE(pixels, run["pairs"][k].get<std::vector<std::int64_t>>());
        }
        if (direction == 0) {
          QCOMPARE(std::isfinite(value(result.distances, sized(i))), run["reached"].get<bool>());
        }
        if (run["reached"] && test["theta"] == 1.0) {
          QCOMPARE(value(result.distances, sized(i)),
                   2.0 * static_cast<double>(run["pairs"].size()));
        }
      }
    }
  }

  /// The pruned search for the best pair against all pairs.
  void salientPairs() {
    Random random(Seed{9});
    for (int trial = 0; trial < 200; ++trial) {
      std::vector<float> alpha(40), beta(40);
      std::vector<std::int64_t> domain;
      for (std::size_t i = 0; i < alpha.size(); ++i) {
        alpha[i] = static_cast<float>(random.normal() - (trial % 3));
        beta[i] = static_cast<float>(random.normal() + (trial % 2));
        if (random.uniform() < 0.8) domain.push_back(sized(i));
      }
      double best = 0.0;
      std::vector<std::int64_t> expected;
      for (const auto p : domain) {
        for (const auto q : domain) {
          if (q <= p) continue;
          const auto a = static_cast<double>(alpha[static_cast<std::size_t>(p)]) +
                         alpha[static_cast<std::size_t>(q)];
          const auto b = static_cast<double>(beta[static_cast<std::size_t>(p)]) +
                         beta[static_cast<std::size_t>(q)];
          if (a > 0 && b < 0 && -a * b > best) {
            best = -a * b;
            expected = {p, q};
          }
        }
      }
      QCOMPARE(salientPair(domain, alpha.data(), beta.data()), expected);
    }
  }

 private:
  Json golden_;
};

QTEST_GUILESS_MAIN(TestGoldenNearest)
#include "tst_golden_nearest.moc"
