#include <map>
#include <memory>
#include <vector>

#include "core/attacks/attack.h"
#include "core/attacks/classification_objective.h"
#include "tests/support/recorder.h"
#include "tests/support/tiny_net.h"

using namespace bulwark;

namespace {

double distance(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kFloat64) - b.to(torch::kFloat64)).abs().max().item<double>();
}

}  // namespace

/// Every walking attack against tests/reference/golden_walks.py, pass by pass.
class TestGoldenWalks : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    torch::set_num_threads(1);
    file_ = referenceFile("golden_walks.json");
  }

  void golden_data() {
    QTest::addColumn<QString>("name");
    for (const auto& item : file_.items()) {
      QTest::addRow("%s", item.key().c_str()) << QString::fromStdString(item.key());
    }
  }
  void golden() {
    QFETCH(QString, name);
    const Json& expected = file_[name.toStdString()];
    const auto samples =
        torch::tensor(expected["samples"].get<std::vector<std::int64_t>>(), torch::kInt64);
    const auto count = samples.size(0);
    const auto images = net_.images.index_select(0, samples);
    std::unique_ptr<Objective> objective;
    if (expected["objective"] == "score") {
      objective = std::make_unique<TinyScore>(net_, expected["direction"].get<double>());
    } else {
      objective =
          std::make_unique<ClassificationObjective>(net_, net_.labels.index_select(0, samples));
    }
    Task task;
    AttackContext context{.task = task};
    context.clean = objective->judge(images, torch::arange(count)).to(torch::kFloat64);
    context.batchSize = count;
    context.seed = Seed{expected.value("seed", 0ULL)};
    if (expected.contains("starts")) {
      context.starts = referenceTensor(expected["starts"], {count, 1, 1, 6, 6});
    }
    if (expected.contains("thresholds")) {
      context.thresholds = expected["thresholds"].get<std::vector<double>>();
    }
    Registry<Attack> registry{"attack"};
    registerAttacks(registry);
    const auto attack = registry.make(expected["attack"], expected["options"], "attacks[0]");
    Recorder recorder(*objective);
    const auto result = attack->perturb(recorder, images, context);

    // A case that ends its samples early shares the points of one that does not.
    const bool stops = expected.contains("path");
    const Json& path = stops ? file_[expected["path"].get<std::string>()] : expected;
    for (std::int64_t i = 0; i < count; ++i) {
      const Json& points = path["points"][static_cast<std::size_t>(i)];
      const Json& values = path["values"][static_cast<std::size_t>(i)];
      const auto passes = static_cast<std::int64_t>(values.size());
      if (!stops) QCOMPARE(static_cast<std::int64_t>(recorder.batches.size()), passes);
      for (std::size_t t = 0; !stops && t < values.size(); ++t) {
        const double off = std::abs(recorder.judged[t][i].item<double>() - values[t].get<double>());
        QVERIFY2(off <= 2e-5, qPrintable(QString("value of pass %1: %2").arg(t).arg(off)));
        if (t >= points.size()) continue;
        const auto at = referenceTensor(points[t], {1, 6, 6});
        const double moved = distance(recorder.batches[t][i], at);
        QVERIFY2(moved <= 1e-5, qPrintable(QString("point of pass %1: %2").arg(t).arg(moved)));
      }
      // The result: the pass given (-1: the last), or the best value.
      if (expected.contains("result")) {
        auto kept = expected["result"][static_cast<std::size_t>(i)].get<std::int64_t>();
        if (kept < 0) kept += passes;
        const auto at = static_cast<std::size_t>(kept);
        QVERIFY(distance(result.images[i], referenceTensor(points[at], {1, 6, 6})) <= 1e-5);
        QVERIFY(std::abs(result.values[i].item<double>() - values[at].get<double>()) <= 2e-5);
      } else {
        double best = context.clean[i].item<double>();
        for (const auto& value : values) best = std::max(best, value.get<double>());
        QVERIFY(std::abs(result.values[i].item<double>() - best) <= 2e-5);
      }
    }
  }

 private:
  TinyNet net_;
  Json file_;
};

QTEST_GUILESS_MAIN(TestGoldenWalks)
#include "tst_golden_walks.moc"
