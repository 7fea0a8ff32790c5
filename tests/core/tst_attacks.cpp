#include <algorithm>
#include <cmath>
#include <limits>

#include "core/attacks/attack.h"
#include "core/attacks/classification_objective.h"
#include "core/attacks/threat.h"
#include "core/base/error.h"
#include "core/nn/network.h"
#include "tests/support/attack_support.h"
#include "tests/support/formula.h"

using namespace bulwark;
using attack_support::contextOf;
using attack_support::Formula;
using attack_support::make;
using attack_support::uniform;
using attack_support::wavy;

namespace {

bool increasing(const std::vector<double>& values) {
  return std::is_sorted(values.begin(), values.end());
}

constexpr double kEps = 8.0 / 255.0;

}  // namespace

class TestAttacks : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(2); }

  /// H32: on a linear score the maximum over the ball is known.
  void linearScore_data() {
    QTest::addColumn<QString>("attack");
    QTest::addColumn<QString>("norm");
    for (const char* attack : {"fgsm", "pgd", "apgd"}) {
      for (const char* norm : {"linf", "l2"}) {
        QTest::addRow("%s %s", attack, norm) << attack << norm;
      }
    }
  }
  void linearScore() {
    QFETCH(QString, attack);
    QFETCH(QString, norm);
    // Away from the box, so that it does not bind.
    const auto images = uniform({20, 3, 6, 5}, 3, 0.2, 0.8);
    const auto weights = uniform({90}, 4, -1, 1);
    Formula objective([&](const torch::Tensor& x) { return torch::mv(x.flatten(1), weights); });
    Task task;
    auto context = contextOf(task);
    Json options{{"eps", kEps}, {"norm", norm.toStdString()}};
    // From a random start an l2 ascent turns towards the gradient by a factor 1 + a / eps a step.
    if (attack == "pgd") options["step_size"] = kEps;
    const auto result = make(attack.toStdString(), options)->perturb(objective, images, context);
    const double gain =
        kEps * weights.to(torch::kFloat64).norm(norm == "l2" ? 2 : 1).item<double>();
    const auto expected =
        torch::mv(images.flatten(1).to(torch::kFloat64), weights.to(torch::kFloat64)) + gain;
    const double worst = (result.values - expected).abs().max().item<double>();
    QVERIFY2(worst <= 1e-5, qPrintable(QString::number(worst)));
    QVERIFY(increasing(result.trajectory));
    QVERIFY(!result.zeroGradient.any().item<bool>());
  }

  /// A concave score whose maximum over the ball is known: the point nearest to the peak.
  void quadraticScore_data() {
    QTest::addColumn<QString>("norm");
    QTest::addRow("linf") << "linf";
    QTest::addRow("l2") << "l2";
  }
  void quadraticScore() {
    QFETCH(QString, norm);
    const auto images = uniform({12, 1, 6, 6}, 5, 0.3, 0.7);
    const auto peak = uniform({12, 1, 6, 6}, 6, 0.0, 1.0);
    const double eps = 0.1;
    Formula* self = nullptr;
    Formula objective([&](const torch::Tensor& x) {
      return -(x - peak.index_select(0, self->lastSamples)).flatten(1).square().sum(1);
    });
    self = &objective;
    Task task;
    auto context = contextOf(task, 1, 5);
    const auto result = make("pgd", {{"eps", eps},
                                     {"norm", norm.toStdString()},
                                     {"steps", 150},
                                     {"step_size", 0.05 * eps},
                                     {"restarts", 2}})
                            ->perturb(objective, images, context);
    const auto away = (peak - images).to(torch::kFloat64);
    torch::Tensor best;
    if (norm == "linf") {
      best = -(away.abs() - eps).clamp_min(0).flatten(1).square().sum(1);
    } else {
      best = -(away.flatten(1).norm(2, 1) - eps).clamp_min(0).square();
    }
    const double worst = ((result.values - best) / best).abs().max().item<double>();
    QVERIFY2(worst <= 1e-3, qPrintable(QString::number(worst)));
    QVERIFY((result.values <= best + 1e-5).all().item<bool>());
  }

  void epsilonZeroIsTheInput() {
    const auto images = uniform({7, 1, 4, 4}, 7, 0, 1);
    Task task;
    for (const char* name : {"fgsm", "pgd"}) {
      Formula objective(wavy);
      auto context = contextOf(task, 1, 3);
      context.clean = wavy(images).to(torch::kFloat64) + 1e-9;  // not what a forward would give
      context.snapshotSamples = {2};
      context.snapshotSteps = {0, 1};
      const auto result = make(name, {{"eps", 0}})->perturb(objective, images, context);
      QVERIFY(torch::equal(result.images, images));
      QVERIFY(torch::equal(result.values, context.clean));
      QCOMPARE(objective.forwards, 0);
      QCOMPARE(result.forwards, 0);
      QCOMPARE(result.backwards, 0);
      QVERIFY(torch::equal(result.snapshots[0][1], images[2]));
      QCOMPARE(result.snapshotValues[0][1].item<double>(), context.clean[2].item<double>());
      QCOMPARE(result.trajectory.front(), result.trajectory.back());
      // Without given values they are computed, and still the input comes back.
      context.clean = torch::Tensor();
      const auto computed = make(name, {{"eps", 0}})->perturb(objective, images, context);
      QVERIFY(torch::equal(computed.images, images));
      QVERIFY(torch::allclose(computed.values, wavy(images).to(torch::kFloat64)));
      QCOMPARE(computed.forwards, 7);
    }
  }

  /// An objective that the attack can only make smaller: clean values come back exactly.
  void neverBelowClean() {
    const auto images = torch::full({6, 1, 4, 4}, 0.5F);
    Formula objective(
        [](const torch::Tensor& x) { return -(x.flatten(1) - 0.5).abs().sum(1) + 0.123F; });
    Task task;
    for (const bool given : {false, true}) {
      auto context = contextOf(task);
      if (given) context.clean = torch::full({6}, 0.1230000001, torch::kFloat64);
      for (const char* norm : {"linf", "l2"}) {
        const auto result = make("pgd", {{"eps", 0.2}, {"norm", norm}, {"steps", 5}})
                                ->perturb(objective, images, context);
        QVERIFY(torch::equal(result.images, images));
        const auto clean = given ? context.clean : torch::full({6}, 0.123F).to(torch::kFloat64);
        QVERIFY(torch::equal(result.values, clean));
        QVERIFY(increasing(result.trajectory));
      }
    }
  }

  /// The values are those of the returned images, inside ball and box, with pixels at the box.
  void resultIsWhatItSays() {
    const auto images = uniform({33, 1, 5, 5}, 8, -0.2, 1.2).clamp(0, 1);
    Task task;
    for (const char* norm : {"linf", "l2"}) {
      Formula objective(wavy);
      auto context = contextOf(task, 2, 8);
      context.clean = wavy(images).to(torch::kFloat64);
      const auto result =
          make("pgd", {{"eps", 0.3}, {"norm", norm}, {"steps", 15}, {"restarts", 3}})
              ->perturb(objective, images, context);
      QVERIFY(torch::allclose(result.values, wavy(result.images).to(torch::kFloat64), 1e-5, 1e-5));
      QVERIFY((result.values >= context.clean).all().item<bool>());
      QVERIFY((result.values > context.clean + 1).any().item<bool>());
      QCOMPARE(result.trajectory.size(), std::size_t{3 * 15 + 1});
      QVERIFY(increasing(result.trajectory));
      QVERIFY(std::abs(result.trajectory.back() - result.values.mean().item<double>()) < 1e-12);
      QCOMPARE(result.saturated.sum().item<std::int64_t>(), 0);
      QVERIFY(result.images.min().item<float>() >= 0.0F);
      QVERIFY(result.images.max().item<float>() <= 1.0F);
      const auto delta = (result.images - images).flatten(1).to(torch::kFloat64);
      const double size =
          torch::linalg_vector_norm(delta, std::string(norm) == "l2" ? 2.0 : HUGE_VAL,
                                    torch::IntArrayRef{1})
              .max()
              .item<double>();
      QVERIFY2(size <= 0.3 + 1e-6 && size > 0.25, qPrintable(QString::number(size)));
    }
  }

  void auditRefusesWhatIsOutside() {
    const auto images = torch::full({3, 1, 2, 2}, 0.5F);
    auto moved = images.clone();
    moved[1][0][0][0] = 0.6F;
    auditPerturbation(images, moved, {Norm::Linf, 0.1}, "test");
    QVERIFY_EXCEPTION_THROWN(auditPerturbation(images, moved, {Norm::Linf, 0.0999}, "test"), Error);
    QVERIFY_EXCEPTION_THROWN(auditPerturbation(images, moved, {Norm::L2, 0.0999}, "test"), Error);
    moved[1][0][0][0] = std::nanf("");
    QVERIFY_EXCEPTION_THROWN(auditPerturbation(images, moved, {Norm::Linf, 1.0}, "test"), Error);
    moved[1][0][0][0] = 1.1F;
    QVERIFY_EXCEPTION_THROWN(auditPerturbation(images, moved, {Norm::Linf, 1.0}, "test"), Error);
  }

  /// Starts hang on seed and sample alone.
  void startsDoNotDependOnTheBatch() {
    const auto images = uniform({21, 1, 5, 5}, 9, 0, 1);
    Task task;
    for (const char* norm : {"linf", "l2"}) {
      const auto attack =
          make("pgd", {{"eps", 0.1}, {"norm", norm}, {"steps", 4}, {"restarts", 2}});
      const auto run = [&](std::uint64_t seed, std::int64_t batchSize) {
        Formula objective(wavy);
        auto context = contextOf(task, seed, batchSize);
        return attack->perturb(objective, images, context);
      };
      const auto reference = run(1, 21);
      for (const std::int64_t batchSize : {1, 4, 8, 100}) {
        const auto other = run(1, batchSize);
        QVERIFY(torch::allclose(other.images, reference.images, 0, 1e-6));
        QVERIFY(torch::allclose(other.values, reference.values, 1e-5, 1e-5));
      }
      const auto again = run(1, 21);
      QVERIFY(torch::equal(again.images, reference.images));
      QVERIFY(torch::equal(again.values, reference.values));
      QVERIFY(again.trajectory == reference.trajectory);
      QVERIFY(!torch::equal(run(2, 21).images, reference.images));
    }
  }

  void startsAreUniformInTheBall() {
    const auto image = torch::full({1, 4, 4}, 0.5F);
    const int draws = 4000;
    double inside = 0, shorter = 0;
    auto sum = torch::zeros({16}, torch::kFloat64);
    for (int i = 0; i < draws; ++i) {
      const auto seed = Seed{5}.child(static_cast<std::uint64_t>(i));
      const auto linf = (randomStart(image, {Norm::Linf, 0.2}, seed) - image).flatten();
      inside += linf.abs().max().item<float>() <= 0.2F + 1e-6F ? 1 : 0;
      sum += linf;
      const auto l2 = (randomStart(image, {Norm::L2, 0.2}, seed) - image).flatten();
      shorter += l2.norm().item<float>() <= 0.2 * std::pow(0.5, 1.0 / 16) ? 1 : 0;
    }
    QCOMPARE(inside, static_cast<double>(draws));
    // Mean 0 with standard error 0.2 / sqrt(3 * 4000) = 0.0018; half of the volume within.
    QVERIFY((sum / draws).abs().max().item<double>() < 0.008);
    QVERIFY(std::abs(shorter / draws - 0.5) < 0.04);
  }

  /// FGSM and PGD against loops written out here.
  void goldenSteps() {
    const auto images = uniform({5, 2, 4, 4}, 10, 0, 1);
    const auto gradientAt = [](const torch::Tensor& x) {
      const auto leaf = x.detach().clone().requires_grad_();
      return torch::autograd::grad({wavy(leaf).sum()}, {leaf})[0];
    };
    Task task;
    for (const bool l2 : {false, true}) {
      const Json norm = l2 ? "l2" : "linf";
      // A small radius keeps the score rising, so the best point is the last.
      const double eps = l2 ? 0.05 : 0.01;
      Formula objective(wavy);
      auto context = contextOf(task);
      context.snapshotSamples = {0, 1, 2, 3, 4};
      context.snapshotSteps = {0, 1, 2, 3};
      const auto fgsm =
          make("fgsm", {{"eps", eps}, {"norm", norm}})->perturb(objective, images, context);
      const auto pgd = make("pgd", {{"eps", eps},
                                    {"norm", norm},
                                    {"steps", 3},
                                    {"step_size", 0.4 * eps},
                                    {"random_start", false}})
                           ->perturb(objective, images, context);
      auto x = images.clone();
      const auto move = [&](double alpha) {
        auto g = gradientAt(x);
        if (l2) {
          x = x + alpha * g / g.flatten(1).norm(2, 1).view({-1, 1, 1, 1});
          const auto delta = x - images;
          const auto length = delta.flatten(1).norm(2, 1).view({-1, 1, 1, 1});
          x = images + delta * torch::clamp_max(eps / length, 1);
        } else {
          x = x + alpha * g.sign();
          x = torch::max(torch::min(x, images + eps), images - eps);
        }
        x = x.clamp(0, 1);
      };
      move(eps);
      QVERIFY(torch::allclose(fgsm.images, x, 0, 1e-5));
      QVERIFY(torch::allclose(fgsm.values, wavy(x).to(torch::kFloat64), 1e-5, 1e-5));
      x = images.clone();
      for (int step = 0; step <= 3; ++step) {
        for (int i = 0; i < 5; ++i) {
          QVERIFY(torch::allclose(pgd.snapshots[i][step], x[i], 0, 1e-5));
          QVERIFY(std::abs(pgd.snapshotValues[i][step].item<double>() - wavy(x)[i].item<double>()) <
                  1e-4);
        }
        QVERIFY(std::abs(pgd.trajectory[static_cast<std::size_t>(step)] -
                         wavy(x).mean().item<double>()) < 1e-4);
        move(0.4 * eps);
      }
    }
  }

  void countersAreExact() {
    const auto images = uniform({24, 1, 4, 4}, 11, 0, 1);
    Task task;
    const auto count = [&](const std::string& name, const Json& options, bool given) {
      Formula objective(wavy);
      auto context = contextOf(task, 1, 8);
      if (given) context.clean = wavy(images).to(torch::kFloat64);
      const auto attack = make(name, options);
      const auto result = attack->perturb(objective, images, context);
      if (result.forwards != objective.forwards) return std::pair<std::int64_t, std::int64_t>{};
      if (result.forwards > 24 * attack->forwardsPerImage()) return std::pair{-1L, -1L};
      if (result.backwards > 24 * attack->backwardsPerImage()) return std::pair{-1L, -1L};
      return std::pair<std::int64_t, std::int64_t>{result.forwards, result.backwards};
    };
    const auto both = [](std::int64_t f, std::int64_t b) { return std::pair{f, b}; };
    QVERIFY(count("fgsm", Json::object(), true) == both(24 * 2, 24));
    QVERIFY(count("fgsm", Json::object(), false) == both(24 * 2, 24));
    QVERIFY(count("pgd", {{"steps", 7}}, true) == both(24 * 8, 24 * 7));
    QVERIFY(count("pgd", {{"steps", 7}}, false) == both(24 * 9, 24 * 7));
    QVERIFY(count("pgd", {{"steps", 7}, {"random_start", false}}, false) == both(24 * 8, 24 * 7));
    QVERIFY(count("pgd", {{"steps", 7}, {"restarts", 3}}, true) == both(24 * 24, 24 * 21));
  }

  void notANumberIsNamed_data() {
    QTest::addColumn<int>("kind");
    QTest::addColumn<QString>("word");
    QTest::newRow("value") << 0 << "value";
    QTest::newRow("gradient") << 1 << "gradient";
    QTest::newRow("no graph") << 2 << "no gradient";
  }
  void notANumberIsNamed() {
    QFETCH(int, kind);
    QFETCH(QString, word);
    const auto images = uniform({9, 1, 4, 4}, 14, 0.1, 0.9);
    Formula* self = nullptr;
    Formula objective([&](const torch::Tensor& x) {
      const auto total = x.flatten(1).sum(1);
      const auto bad = self->lastSamples == 6;
      if (kind == 0) return torch::where(bad, torch::full_like(total, NAN), total);
      if (kind == 1) {
        // Finite value, gradient 0 * inf: what a square root at zero gives.
        return total + torch::sqrt(total * 0 + bad.logical_not().to(torch::kFloat32));
      }
      return total.detach();
    });
    self = &objective;
    Task task;
    auto context = contextOf(task, 1, 4);
    try {
      make("pgd", {{"steps", 3}, {"random_start", false}})->perturb(objective, images, context);
      QFAIL("accepted");
    } catch (const Error& error) {
      const QString text = error.what();
      QVERIFY2(text.contains(word), qPrintable(text));
      QVERIFY2(kind == 2 || text.contains("image 6"), qPrintable(text));
    }
  }

  void zeroGradientIsReported() {
    const auto images = uniform({6, 1, 4, 4}, 15, 0.2, 0.8);
    Formula* self = nullptr;
    Formula objective([&](const torch::Tensor& x) {
      return x.flatten(1).sum(1) * (self->lastSamples >= 4).to(torch::kFloat32);
    });
    self = &objective;
    Task task;
    for (const char* norm : {"linf", "l2"}) {
      auto context = contextOf(task);
      const auto result =
          make("pgd", {{"steps", 3}, {"norm", norm}})->perturb(objective, images, context);
      for (int i = 0; i < 6; ++i) QCOMPARE(result.zeroGradient[i].item<bool>(), i < 4);
    }
  }

  void largerRadiusIsNotWeaker() {
    const auto images = uniform({40, 1, 6, 6}, 16, 0, 1);
    Task task;
    double previous = -1e30;
    for (const double eps : {0.0, 0.01, 0.03, 0.1}) {
      Formula objective(wavy);
      auto context = contextOf(task);
      const auto result =
          make("pgd", {{"eps", eps}, {"steps", 20}})->perturb(objective, images, context);
      const double mean = result.values.mean().item<double>();
      QVERIFY(mean >= previous);
      previous = mean;
    }
  }

  void badOptionsAndImages() {
    const auto refuses = [](const std::string& name, const Json& options, const QString& word) {
      try {
        make(name, options);
      } catch (const Error& error) {
        return QString(error.what()).contains(word);
      }
      return false;
    };
    QVERIFY(refuses("pgd", {{"eps", -0.1}}, "eps"));
    QVERIFY(refuses("pgd", {{"eps", "8/256x"}}, "eps"));
    QVERIFY(refuses("fgsm", {{"eps", 1.01}}, "eps"));
    QVERIFY(refuses("pgd", {{"norm", "l1"}}, "norm"));
    QVERIFY(refuses("pgd", {{"restarts", 2}, {"random_start", false}}, "attacks[0].restarts"));
    QVERIFY(refuses("pgd", {{"step", 2}}, "steps"));
    QCOMPARE(make("pgd", {{"eps", "8/255"}})->threat().epsilon, kEps);

    Task task;
    Formula objective(wavy);
    auto context = contextOf(task);
    const auto attack = make("pgd", Json::object());
    QVERIFY_EXCEPTION_THROWN(attack->perturb(objective, torch::full({2, 1, 4, 4}, 1.5F), context),
                             Error);
    QVERIFY_EXCEPTION_THROWN(attack->perturb(objective, torch::full({2, 1, 4, 4}, NAN), context),
                             Error);
    QVERIFY_EXCEPTION_THROWN(
        attack->perturb(objective, torch::zeros({2, 1, 4, 4}, torch::kUInt8), context), Error);
    const auto none = attack->perturb(objective, torch::zeros({0, 1, 4, 4}), context);
    QCOMPARE(none.images.size(0), 0);
  }

  /// On an accelerator the values are read back in blocks of steps; the result is the same.
  void sameOnCuda() {
    if (!torch::cuda::is_available()) QSKIP("there is no CUDA device");
    const auto images = uniform({50, 1, 6, 6}, 18, 0, 1);
    Task task;
    for (const char* norm : {"linf", "l2"}) {
      const auto attack =
          make("pgd", {{"eps", 0.05}, {"norm", norm}, {"steps", 10}, {"restarts", 2}});
      const auto run = [&](const torch::Device& device, double bound) {
        Formula objective(wavy);
        auto context = contextOf(task);
        context.device = device;
        context.clean = wavy(images).to(torch::kFloat64);
        context.saturation = bound;
        context.snapshotSamples = {3, 40};
        context.snapshotSteps = {0, 6, 20};
        return attack->perturb(objective, images, context);
      };
      const double never = std::numeric_limits<double>::infinity();
      const auto cpu = run(torch::kCPU, never), cuda = run(torch::kCUDA, never);
      // Rounding may turn a single sign, which the score forgives more than the pixels do.
      QVERIFY(torch::allclose(cuda.values, cpu.values, 1e-3, 1e-2));
      QVERIFY(torch::allclose(cuda.snapshotValues, cpu.snapshotValues, 1e-3, 1e-2));
      QCOMPARE(cuda.forwards, cpu.forwards);
      QCOMPARE(cuda.backwards, cpu.backwards);
      QVERIFY(increasing(cuda.trajectory));
      const double bound = cuda.values.median().item<double>();
      const auto saturated = run(torch::kCUDA, bound);
      const auto stayed = saturated.saturated.logical_not();
      QVERIFY(torch::equal(saturated.values.index({stayed}), cuda.values.index({stayed})));
      QVERIFY((cuda.values.index({saturated.saturated}) > bound).all().item<bool>());
    }
  }

  /// Cross-entropy: value and gradient's direction, also where float32 saturates.
  void classificationObjective() {
    class Scaled : public Network {
     public:
      explicit Scaled(double scale) : Network({1, 2, 2, 4}), scale_(scale) {
        registerNormalisation();
      }
      torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
        keep(taps, "features", images.flatten(1));
        return images.flatten(1) * scale_;
      }
      std::vector<std::string> taps() const override { return {"features"}; }

     private:
      double scale_;
    };
    const auto images = uniform({6, 1, 2, 2}, 17, 0, 1);
    const auto labels = torch::tensor({0, 1, 2, 3, 0, 1}, torch::kInt64);
    Scaled mild(3);
    ClassificationObjective objective(mild, labels);
    const auto samples = torch::tensor({5, 2, 0}, torch::kInt64);
    const auto leaf = images.index_select(0, samples).requires_grad_();
    const auto values = objective.evaluate(leaf, samples);
    const auto expected = torch::nn::functional::cross_entropy(
        mild.forward(leaf), labels.index_select(0, samples),
        torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kNone));
    const auto scores = mild.forward(images.index_select(0, samples));
    for (int i = 0; i < 3; ++i) {
      double other = -1e9;
      const auto truth = labels[samples[i].item<std::int64_t>()].item<std::int64_t>();
      for (int k = 0; k < 4; ++k) {
        if (k != truth) other = std::max(other, scores[i][k].item<double>());
      }
      const double margin = other - scores[i][truth].item<double>();
      QVERIFY(std::abs(values.judged[i].item<double>() - margin) < 1e-6);
    }
    const auto guide = torch::autograd::grad({values.guide.sum()}, {leaf})[0];
    const auto plain = torch::autograd::grad({expected.sum()}, {leaf})[0];
    QVERIFY(torch::equal(guide.sign(), plain.sign()));
    QVERIFY(!values.judged.requires_grad());

    // A margin of 1000: the cross-entropy's own gradient is zero, the guide's is not.
    Scaled steep(1000);
    ClassificationObjective saturated(steep, torch::tensor({0}, torch::kInt64));
    const auto sure = torch::tensor({1.0F, 0.0F, 0.0F, 0.0F}).view({1, 1, 2, 2}).requires_grad_();
    const auto steepValues = saturated.evaluate(sure, torch::zeros({1}, torch::kInt64));
    const auto steepGradient = torch::autograd::grad({steepValues.guide.sum()}, {sure})[0];
    QVERIFY(steepGradient.abs().max().item<float>() > 100.0F);
    QVERIFY_EXCEPTION_THROWN(ClassificationObjective(mild, torch::tensor({4}, torch::kInt64)),
                             Error);
    QVERIFY_EXCEPTION_THROWN(ClassificationObjective(mild, torch::tensor({-1}, torch::kInt64)),
                             Error);
  }
};

QTEST_GUILESS_MAIN(TestAttacks)
#include "tst_attacks.moc"
