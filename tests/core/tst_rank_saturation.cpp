#include <functional>
#include <limits>
#include <numeric>

#include "core/attacks/attack.h"
#include "core/attacks/row_plan.h"
#include "core/data/image_set.h"
#include "core/detectors/detector.h"
#include "core/detectors/detector_objective.h"
#include "core/detectors/score_set.h"
#include "core/metrics/detection.h"
#include "core/nn/network.h"

using namespace bulwark;

namespace {

constexpr std::int64_t kSide = 16;

/// Faint noisy stripes of three orientations: quickly learnt, and within reach of a small attack.
torch::Tensor stripes(std::int64_t count, std::uint64_t seed, double frequency = 0.9) {
  auto images = torch::empty({count, 1, kSide, kSide});
  Random random(Seed{seed});
  auto pixel = images.accessor<float, 4>();
  for (std::int64_t n = 0; n < count; ++n) {
    const double phase = 6.3 * random.uniform();
    for (std::int64_t y = 0; y < kSide; ++y) {
      for (std::int64_t x = 0; x < kSide; ++x) {
        const double along = n % 3 == 0 ? y : n % 3 == 1 ? x : x + y;
        const double value =
            0.5 + 0.08 * std::sin(frequency * along + phase) + 0.02 * random.normal();
        pixel[n][0][y][x] = static_cast<float>(std::clamp(value, 0.0, 1.0));
      }
    }
  }
  return images;
}

torch::Tensor noise(std::int64_t count, std::uint64_t seed, double low, double high) {
  auto images = torch::empty({count, 1, kSide, kSide});
  Random random(Seed{seed});
  for (std::int64_t i = 0; i < images.numel(); ++i) {
    images.data_ptr<float>()[i] = static_cast<float>(low + (high - low) * random.uniform());
  }
  return images;
}

std::vector<double> toVector(const torch::Tensor& values) {
  const auto contiguous = values.contiguous();
  return {contiguous.data_ptr<double>(), contiguous.data_ptr<double>() + contiguous.numel()};
}

/// Every field that hangs on ranks alone.
std::vector<double> rankMetrics(const torch::Tensor& in, const torch::Tensor& out) {
  BootstrapOptions options;
  options.replicates = 50;
  const auto m = evaluate(toVector(in), toVector(out), options);
  return {m.auroc,
          m.auprOut,
          m.auprIn,
          m.fpr95Id,
          m.fpr95Ood,
          m.tnr95,
          m.detectionAccuracy,
          m.aurocPessimistic,
          m.aurocOptimistic,
          m.tieShare,
          m.ciLow,
          m.ciHigh};
}

/// What the runner does for one detector: the in set and every out set attacked once.
struct Evaluation {
  AttackResult in;
  std::vector<AttackResult> out;
  std::int64_t propagations = 0;
};

}  // namespace

class TestRankSaturation : public QObject {
  Q_OBJECT

  std::unique_ptr<Network> network_;
  torch::Tensor inImages_ = stripes(230, 5);
  std::vector<torch::Tensor> outImages_ = {noise(170, 6, 0.4, 0.6), stripes(90, 7, 1.3)};

  std::unique_ptr<Detector> fitted(const std::string& name) {
    Registry<Detector> registry{"detector"};
    registerDetectors(registry);
    auto detector = registry.make(name, name == "knn" ? Json{{"k", 5}} : Json::object(), "");
    const auto train = stripes(300, 1);
    const TensorImageSet set("train", train, torch::arange(300).remainder(3), {"a", "b", "c"});
    Task task;
    DetectorContext context{.train = set, .task = task};
    context.classifier = network_.get();
    detector->fit(context);
    return detector;
  }

  Evaluation evaluateDetector(Detector& detector, const Attack& attack, std::int64_t batchSize,
                              bool saturate) {
    Task task;
    const auto clean = [&](const torch::Tensor& images) {
      return scoreImages(detector, images, torch::kCPU, batchSize, task);
    };
    const auto run = [&](const torch::Tensor& images, const torch::Tensor& score, int direction,
                         double bound) {
      DetectorObjective objective(detector, direction);
      AttackContext context{.task = task};
      context.batchSize = batchSize;
      context.seed = Seed{9};
      context.clean = direction * score;
      if (saturate) context.saturation = bound;
      return attack.perturb(objective, images, context);
    };
    const auto in = clean(inImages_);
    double largestOut = -std::numeric_limits<double>::infinity();
    std::vector<torch::Tensor> outs;
    for (const auto& images : outImages_) {
      outs.push_back(clean(images));
      largestOut = std::max(largestOut, outs.back().max().item<double>());
    }
    Evaluation evaluation;
    evaluation.in = run(inImages_, in, 1, largestOut);
    evaluation.propagations = evaluation.in.forwards + evaluation.in.backwards;
    for (std::size_t i = 0; i < outs.size(); ++i) {
      evaluation.out.push_back(run(outImages_[i], outs[i], -1, -in.min().item<double>()));
      evaluation.propagations += evaluation.out.back().forwards + evaluation.out.back().backwards;
    }
    return evaluation;
  }

  /// Samples that stayed are untouched by S1, bit for bit; those that left would have passed the
  /// bound anyway.
  static bool sameBeyond(const AttackResult& full, const AttackResult& saturated, double bound) {
    for (std::int64_t i = 0; i < full.values.size(0); ++i) {
      if (saturated.saturated[i].item<bool>()) {
        if (!(saturated.values[i].item<double>() > bound)) return false;
        if (!(full.values[i].item<double>() > bound)) return false;
      } else {
        if (full.values[i].item<double>() != saturated.values[i].item<double>()) return false;
        if (!torch::equal(full.images[i], saturated.images[i])) return false;
      }
    }
    return true;
  }

 private Q_SLOTS:
  void initTestCase() {
    torch::set_num_threads(2);
    Registry<Network, NetworkShape> registry{"network"};
    registerNetworks(registry);
    network_ = registry.make("lenet5", Json::object(), "", NetworkShape{1, kSide, kSide, 3});
    network_->initialise(Seed{4});
    network_->train();
    const auto images = stripes(300, 1);
    const auto labels = torch::arange(300).remainder(3);
    torch::optim::Adam adam(network_->parameters(), torch::optim::AdamOptions(3e-3));
    for (int step = 0; step < 30; ++step) {
      adam.zero_grad();
      torch::nn::functional::cross_entropy(network_->forward(images), labels).backward();
      adam.step();
    }
    network_->freeze();
    const auto right = network_->forward(inImages_).argmax(1) == torch::arange(230).remainder(3);
    QVERIFY(right.to(torch::kFloat64).mean().item<double>() > 0.9);
  }

  void metricsAreBitIdentical_data() {
    QTest::addColumn<QString>("detector");
    QTest::addColumn<int>("batchSize");
    QTest::addColumn<double>("eps");
    QTest::addColumn<int>("restarts");
    QTest::addColumn<double>("mostPropagations");  // as a share of those without S1
    // Where little saturates, idle rows and comparisons cost a little.
    constexpr double overhead = 1.1;
    for (const char* name : {"msp", "energy", "mahalanobis", "knn"}) {
      for (const int batchSize : {37, 230}) {
        QTest::addRow("%s batch %d", name, batchSize)
            << name << batchSize << 8.0 / 255 << 1 << overhead;
      }
    }
    // Weak enough that only some saturate, and several starts; strong enough that many do.
    QTest::addRow("energy weak") << "energy" << 64 << 4.0 / 255 << 2 << overhead;
    QTest::addRow("mahalanobis weak") << "mahalanobis" << 48 << 4.0 / 255 << 1 << overhead;
    for (const char* name : {"energy", "mahalanobis"}) {
      QTest::addRow("%s strong batch 48", name) << name << 48 << 0.2 << 1 << 0.85;
      QTest::addRow("%s strong batch 230", name) << name << 230 << 0.2 << 1 << 0.85;
    }
  }
  void metricsAreBitIdentical() {
    QFETCH(QString, detector);
    QFETCH(int, batchSize);
    QFETCH(double, eps);
    QFETCH(int, restarts);
    QFETCH(double, mostPropagations);
    Registry<Attack> registry{"attack"};
    registerAttacks(registry);
    const auto attack =
        registry.make("pgd", {{"eps", eps}, {"steps", 10}, {"restarts", restarts}}, "attacks[0]");
    const auto scored = fitted(detector.toStdString());
    const auto full = evaluateDetector(*scored, *attack, batchSize, false);
    const auto saturated = evaluateDetector(*scored, *attack, batchSize, true);

    Task task;
    const auto cleanIn = scoreImages(*scored, inImages_, torch::kCPU, batchSize, task);
    double largestOut = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < outImages_.size(); ++i) {
      const auto cleanOut = scoreImages(*scored, outImages_[i], torch::kCPU, batchSize, task);
      largestOut = std::max(largestOut, cleanOut.max().item<double>());
      const auto a = -full.out[i].values, b = -saturated.out[i].values;
      const auto none = rankMetrics(cleanIn, cleanOut), in = rankMetrics(full.in.values, cleanOut),
                 out = rankMetrics(cleanIn, a), both = rankMetrics(full.in.values, a);
      QVERIFY(in == rankMetrics(saturated.in.values, cleanOut));
      QVERIFY(out == rankMetrics(cleanIn, b));
      QVERIFY(both == rankMetrics(saturated.in.values, b));
      // H1 and H2, exactly.
      QVERIFY(none[0] >= in[0] && none[0] >= out[0]);
      QVERIFY(both[0] <= std::min(in[0], out[0]));
      QVERIFY(sameBeyond(full.out[i], saturated.out[i], -cleanIn.min().item<double>()));
    }
    QVERIFY(sameBeyond(full.in, saturated.in, largestOut));
    const double share =
        static_cast<double>(saturated.propagations) / static_cast<double>(full.propagations);
    std::int64_t left = saturated.in.saturated.sum().item<std::int64_t>(), all = 230;
    for (const auto& out : saturated.out) {
      left += out.saturated.sum().item<std::int64_t>();
      all += out.saturated.size(0);
    }
    qInfo("%lld of %lld saturated, %.0f %% of the propagations", static_cast<long long>(left),
          static_cast<long long>(all), 100 * share);
    QVERIFY(share <= mostPropagations);
  }

  /// Kernels that care about row and batch size: no rearrangement is accepted, S1 stays exact.
  void touchyKernels() {
    class Touchy : public Objective {
     public:
      Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override {
        sizes.insert(images.size(0));
        const auto rows = torch::arange(images.size(0)).to(torch::kFloat32);
        const auto flat = images.flatten(1);
        const auto weights = torch::linspace(-1, 1, flat.size(1));
        const auto ease = (samples.remainder(7) + 1).to(torch::kFloat32);
        const auto value = (torch::sin(12 * flat + ease.unsqueeze(1)) * weights).sum(1) * ease *
                           (1 + 1e-6 * rows + 1e-4 / images.size(0));
        return {value, value.detach()};
      }
      std::set<std::int64_t> sizes;
    };
    Registry<Attack> registry{"attack"};
    registerAttacks(registry);
    const auto attack = registry.make("pgd", {{"eps", 0.1}, {"steps", 12}}, "");
    const auto images = noise(150, 8, 0, 1);
    Task task;
    const auto run = [&](double bound) {
      Touchy objective;
      AttackContext context{.task = task};
      context.batchSize = 64;
      context.saturation = bound;
      auto result = attack->perturb(objective, images, context);
      return std::pair{result, objective.sizes};
    };
    const auto [full, fullSizes] = run(std::numeric_limits<double>::infinity());
    QCOMPARE(fullSizes, std::set<std::int64_t>{50});
    const double bound = full.values.median().item<double>();
    const auto [saturated, sizes] = run(bound);
    QVERIFY(sameBeyond(full, saturated, bound));
    const auto left = saturated.saturated.sum().item<std::int64_t>();
    QVERIFY2(left > 50 && left < 100, qPrintable(QString::number(left)));
  }

  /// A sample whose clean value is beyond the bound costs nothing.
  void alreadySaturated() {
    Registry<Attack> registry{"attack"};
    registerAttacks(registry);
    const auto attack = registry.make("pgd", {{"steps", 5}}, "");
    const auto scored = fitted("energy");
    DetectorObjective objective(*scored, 1);
    Task task;
    AttackContext context{.task = task};
    context.clean = scoreImages(*scored, inImages_, torch::kCPU, 64, task);
    context.batchSize = 64;
    context.saturation = context.clean.min().item<double>() - 1;
    const auto result = attack->perturb(objective, inImages_, context);
    QCOMPARE(result.forwards + result.backwards, 0);
    QVERIFY(torch::equal(result.values, context.clean));
    QVERIFY(torch::equal(result.images, inImages_));
    QVERIFY(result.saturated.all().item<bool>());
    // At the bound itself nothing is decided yet.
    context.saturation = context.clean.max().item<double>();
    const auto strict = attack->perturb(objective, inImages_, context);
    QVERIFY(strict.forwards > 0);
  }

  void rowsAreFilledInTurn() {
    RowPlan plan(10, 4);  // three batches of at most four: width 4
    QCOMPARE(plan.width(), 4);
    for (std::int64_t i = 0; i < 10; ++i) plan.enqueue(i);
    QCOMPARE(plan.seat(), (std::vector<std::int64_t>{0, 1, 2, 3}));
    QVERIFY(!plan.proposal(100).defined());
    for (auto& row : plan.rows()) row.live = row.sample < 2;
    QCOMPARE(plan.seat(), (std::vector<std::int64_t>{2, 3}));
    QCOMPARE(plan.rows()[2].sample, 6);
    QCOMPARE(plan.rows()[3].sample, 7);
    plan.rows()[3].live = false;
    plan.rows()[2].live = false;
    QVERIFY(plan.seat().empty());  // only rows 0 and 1 have samples waiting
    const auto order = plan.proposal(100);
    QCOMPARE(order.size(0), 4);
    plan.settle(order, true);
    QCOMPARE(plan.seat(), (std::vector<std::int64_t>{2, 3}));  // out of turn
    QCOMPARE(plan.rows()[2].sample, 4);
    QCOMPARE(plan.rows()[3].sample, 5);
  }

  void batchesShrinkOnceProven() {
    RowPlan plan(64, 64);
    for (std::int64_t i = 0; i < 64; ++i) plan.enqueue(i);
    plan.seat();
    for (auto& row : plan.rows()) row.live = row.sample % 4 == 3;  // 16 remain
    QVERIFY(plan.shrink().empty());
    QVERIFY(!plan.proposal(0).defined());  // nothing left to save
    const auto order = plan.proposal(10);
    QCOMPARE(order.size(0), 16);
    QCOMPARE(order[1].item<std::int64_t>(), 7);
    RowPlan refused = plan;
    refused.settle(order, false);
    QVERIFY(refused.shrink().empty());
    QVERIFY(!refused.proposal(10).defined());
    plan.settle(order, true);
    QCOMPARE(plan.shrink().size(), std::size_t{16});
    QCOMPARE(plan.width(), 16);
    QCOMPARE(plan.samples()[1].item<std::int64_t>(), 7);
    QCOMPARE(plan.live(), 16);
  }
};

QTEST_GUILESS_MAIN(TestRankSaturation)
#include "tst_rank_saturation.moc"
