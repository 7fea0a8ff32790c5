#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "core/attacks/attack.h"
#include "core/attacks/square_windows.h"
#include "core/base/error.h"
#include "tests/support/attack_support.h"

using namespace bulwark;
using attack_support::make;
using attack_support::uniform;

namespace {

class Formula : public Objective {
 public:
  using Function = std::function<torch::Tensor(const torch::Tensor& images)>;
  explicit Formula(Function function) : function_(std::move(function)) {}
  Values evaluate(const torch::Tensor& images, const torch::Tensor& /*samples*/) override {
    forwards += images.size(0);
    const auto value = function_(images);
    return {value, value.detach()};
  }
  std::int64_t forwards = 0;

 private:
  Function function_;
};

AttackContext contextOf(Task& task, std::uint64_t seed = 1, std::int64_t batchSize = 16) {
  AttackContext context{.task = task};
  context.seed = Seed{seed};
  context.batchSize = batchSize;
  context.thresholds = {1e9};
  return context;
}

/// A smooth score with many local maxima, summed the same way in every row and batch.
torch::Tensor wavy(const torch::Tensor& images) {
  const auto flat = images.flatten(1);
  const auto phases = torch::linspace(0, 9, flat.size(1), flat.options());
  return (torch::sin(flat * 25 + phases) + flat * phases).sum(1);
}

struct Variant {
  const char* row;
  const char* attack;
  Json options;
};

/// Settings that keep the tests short, one row per attack and kind of ball.
std::vector<Variant> variants() {
  return {
      {"momentum linf", "pgd", {{"momentum", 1.0}, {"steps", 8}}},
      {"momentum l2", "pgd", {{"momentum", 0.5}, {"norm", "l2"}, {"steps", 8}}},
      {"bim_a", "bim_a", {{"steps", 8}, {"step_size", "2/255"}}},
      {"bim_b", "bim_b", {{"steps", 8}, {"step_size", "2/255"}}},
      {"least_likely", "least_likely", Json::object()},
      {"noise_uniform linf", "noise_uniform", {{"draws", 4}}},
      {"noise_uniform l2", "noise_uniform", {{"norm", "l2"}, {"draws", 4}}},
      {"noise_gaussian", "noise_gaussian", {{"draws", 4}}},
      {"noise_gaussian l2", "noise_gaussian", {{"norm", "l2"}, {"draws", 4}}},
      {"noise_gaussian none", "noise_gaussian", {{"norm", "none"}, {"sigma", 0.2}, {"draws", 4}}},
      {"salt_pepper", "salt_pepper", {{"draws", 4}}},
      {"semantic", "semantic", Json::object()},
      {"random_search linf", "random_search", {{"draws", 20}}},
      {"random_search l2", "random_search", {{"norm", "l2"}, {"draws", 20}}},
      {"square linf", "square", {{"queries", 30}}},
      {"square l2", "square", {{"norm", "l2"}, {"queries", 30}, {"restarts", 2}}},
      {"simba pixel", "simba", {{"queries", 30}}},
      {"simba dct", "simba", {{"basis", "dct"}, {"queries", 30}, {"frequencies", 3}}},
      {"simba l2", "simba", {{"basis", "dct"}, {"norm", "l2"}, {"queries", 30}}},
  };
}

/// Whether the attack moves in a ball, so that "eps" and H32 apply.
bool bounded(const Variant& variant) {
  return make(variant.attack, variant.options)->threat().norm != Norm::None;
}

Json withEps(Json options, double eps) {
  options["eps"] = eps;
  return options;
}

constexpr double kEps = 8.0 / 255.0;

}  // namespace

/// What holds for every attack that walks.
class TestWalks : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  /// H32: on a linear score the maximum over the l-inf ball is s(x) + eps ||w||_1.
  void linearScore_data() {
    QTest::addColumn<QString>("attack");
    QTest::addColumn<QString>("options");
    QTest::addRow("momentum") << "pgd"
                              << R"({"momentum": 1, "steps": 20})";
    QTest::addRow("bim_b") << "bim_b"
                           << "{}";
    QTest::addRow("bim_b last") << "bim_b"
                                << R"({"keep": "last"})";
    QTest::addRow("bim_a") << "bim_a"
                           << "{}";
    QTest::addRow("least_likely") << "least_likely"
                                  << "{}";
  }
  void linearScore() {
    QFETCH(QString, attack);
    QFETCH(QString, options);
    const auto images = uniform({6, 2, 5, 4}, 3, 0.2, 0.8);
    const auto weights = uniform({40}, 4, -1, 1);
    Formula objective([&](const torch::Tensor& x) { return torch::mv(x.flatten(1), weights); });
    Task task;
    const auto context = contextOf(task);
    const auto built = make(attack.toStdString(), Json::parse(options.toStdString()));
    QCOMPARE(built->threat().epsilon, kEps);
    const auto result = built->perturb(objective, images, context);
    const auto exact = weights.to(torch::kFloat64);
    const auto best = torch::mv(images.flatten(1).to(torch::kFloat64), exact) +
                      kEps * exact.abs().sum().item<double>();
    const double worst = (result.values - best).abs().max().item<double>();
    QVERIFY2(worst <= 1e-5, qPrintable(QString::number(worst)));
  }

  void epsilonZeroIsTheInput() {
    const auto images = uniform({7, 1, 5, 5}, 7, 0, 1);
    Task task;
    for (const auto& variant : variants()) {
      if (!bounded(variant)) continue;
      Formula objective(wavy);
      auto context = contextOf(task, 1, 3);
      context.clean = wavy(images).to(torch::kFloat64) + 1e-9;  // not what a forward would give
      const auto result =
          make(variant.attack, withEps(variant.options, 0))->perturb(objective, images, context);
      QVERIFY2(torch::equal(result.images, images), variant.row);
      QVERIFY2(torch::equal(result.values, context.clean), variant.row);
      QCOMPARE(result.forwards, 0);
      QCOMPARE(objective.forwards, 0);
    }
  }

  /// The value is that of the image, in ball and box, never below the clean one; counters count.
  void resultIsWhatItSays() {
    const auto images = uniform({19, 2, 6, 6}, 8, -0.2, 1.2).clamp(0, 1);
    const auto clean = wavy(images).to(torch::kFloat64);
    Task task;
    for (const auto& variant : variants()) {
      const bool ball = bounded(variant);
      const auto attack =
          make(variant.attack, ball ? withEps(variant.options, 0.3) : variant.options);
      Formula objective(wavy);
      auto context = contextOf(task, 2, 8);
      context.clean = clean;
      const auto result = attack->perturb(objective, images, context);
      QVERIFY2(torch::allclose(result.values, wavy(result.images).to(torch::kFloat64), 1e-5, 1e-4),
               variant.row);
      QVERIFY2((result.values >= clean).all().item<bool>(), variant.row);
      QVERIFY2(std::is_sorted(result.trajectory.begin(), result.trajectory.end()), variant.row);
      QVERIFY(std::abs(result.trajectory.back() - result.values.mean().item<double>()) < 1e-9);
      QVERIFY(result.images.min().item<float>() >= 0.0F);
      QVERIFY(result.images.max().item<float>() <= 1.0F);
      if (ball) {
        QVERIFY2((result.values > clean).any().item<bool>(), variant.row);
        const auto delta = (result.images - images).flatten(1).to(torch::kFloat64);
        const double order = attack->threat().norm == Norm::L2 ? 2.0 : HUGE_VAL;
        const double size =
            torch::linalg_vector_norm(delta, order, torch::IntArrayRef{1}).max().item<double>();
        QVERIFY2(size <= 0.3 + 1e-6, variant.row);
      }
      QCOMPARE(result.forwards, objective.forwards);
      // 19 images in 3 passes of 7 rows.
      QVERIFY2(result.forwards <= 21 * attack->forwardsPerImage(), variant.row);
      QVERIFY2(result.backwards <= 21 * attack->backwardsPerImage(), variant.row);
    }
  }

  /// What a sample meets hangs on seed and position alone.
  void batchesDoNotMatter() {
    const auto images = uniform({11, 2, 6, 6}, 9, 0, 1);
    Task task;
    for (const auto& variant : variants()) {
      const auto attack = make(variant.attack, variant.options);
      const auto run = [&](std::int64_t batchSize) {
        Formula objective(wavy);
        return attack->perturb(objective, images, contextOf(task, 5, batchSize));
      };
      const auto reference = run(11);
      const auto again = run(11);
      QVERIFY2(torch::equal(again.images, reference.images), variant.row);
      QVERIFY2(torch::equal(again.values, reference.values), variant.row);
      for (const std::int64_t batchSize : {1, 4}) {
        const auto other = run(batchSize);
        QVERIFY2(torch::allclose(other.images, reference.images, 0, 1e-5), variant.row);
        QVERIFY2(torch::allclose(other.values, reference.values, 1e-5, 1e-4), variant.row);
      }
    }
  }

  /// S1: whoever does not pass the bound gets bit-identical results, whoever does is beyond it.
  void saturationIsExact() {
    // Black pixels, as in drawn digits: there the offset is the pixel itself, so that a rounding
    // shows which elsewhere is lost in the sum.
    auto images = uniform({37, 1, 6, 6}, 10, 0, 1);
    images.mul_(uniform({37, 1, 6, 6}, 11, 0, 1) > 0.5);
    Task task;
    for (const auto& variant : variants()) {
      const auto attack = make(variant.attack, variant.options);
      const auto run = [&](double bound, AttackMode mode) {
        Formula objective(wavy);
        auto context = contextOf(task, 6, 8);
        context.mode = mode;
        context.saturation = bound;
        if (mode == AttackMode::Cross) context.thresholds = {bound};
        return attack->perturb(objective, images, context);
      };
      const auto full = run(std::numeric_limits<double>::infinity(), AttackMode::Maximise);
      const double bound = full.values.median().item<double>();
      for (const auto mode : {AttackMode::Maximise, AttackMode::Cross}) {
        const auto early = run(bound, mode);
        QVERIFY2(torch::equal(early.saturated, full.values > bound), variant.row);
        QVERIFY2(torch::equal(early.values > bound, early.saturated), variant.row);
        const auto stays = early.saturated.logical_not();
        QVERIFY2(torch::equal(early.values.index({stays}), full.values.index({stays})),
                 variant.row);
        QVERIFY2(torch::equal(early.images.index({stays}), full.images.index({stays})),
                 variant.row);
        QVERIFY2(early.saturated.any().item<bool>() && stays.any().item<bool>(), variant.row);
      }
    }
  }

  /// BIM-b as published: the last iterate, even where it is worse than an earlier one or the
  /// clean image, neither cut short by S1; the trajectory tells what was given away.
  void lastIterate() {
    const auto images = torch::full({5, 1, 3, 3}, 0.5F);
    // Rises to its peak at a mean shift of 0.06, then falls below the clean value.
    Formula objective([](const torch::Tensor& x) {
      const auto shift = (x - 0.5).flatten(1).sum(1) / 9;
      return -(shift - 0.06).abs() + 0.001 * shift;
    });
    Task task;
    for (const char* name : {"bim_b", "least_likely"}) {
      Json options{{"eps", 0.5}, {"steps", 3}, {"step_size", 0.05}};
      auto context = contextOf(task);
      context.saturation = -0.02;  // passed on the way
      const auto best = make(name, options)->perturb(objective, images, context);
      options["keep"] = "last";
      const auto last = make(name, options)->perturb(objective, images, context);
      // Iterates at 0.05, 0.10, 0.05.
      QVERIFY(torch::allclose(last.images, torch::full_like(images, 0.55F), 0, 1e-6));
      QVERIFY(torch::allclose(best.images, torch::full_like(images, 0.55F), 0, 1e-6));
      options["steps"] = 2;
      const auto two = make(name, options)->perturb(objective, images, context);
      QVERIFY(torch::allclose(two.images, torch::full_like(images, 0.6F), 0, 1e-6));
      QVERIFY(std::abs(two.values[0].item<double>() - (-0.04 + 0.0001)) < 1e-6);
      QVERIFY(std::abs(two.trajectory.back() - (-0.01 + 0.00005)) < 1e-6);
      QVERIFY(!two.saturated.any().item<bool>());
    }
  }

  /// A published BIM-a ends where it ends, even below the clean value; of several thresholds the
  /// worst end counts.
  void lastOfSeveralThresholds() {
    const auto images = torch::full({3, 1, 3, 3}, 0.5F);
    Formula objective([](const torch::Tensor& x) {
      const auto shift = (x - 0.5).flatten(1).sum(1) / 9;
      return -(shift - 0.06).abs() + 0.001 * shift;
    });
    const auto attack =
        make("bim_a", {{"eps", 0.5}, {"steps", 3}, {"step_size", 0.2}, {"keep", "last"}});
    Task task;
    auto context = contextOf(task, 1, 2);
    const auto valueUnder = [&](std::vector<double> thresholds) {
      context.thresholds = std::move(thresholds);
      const auto result = attack->perturb(objective, images, context);
      const auto again = objective.evaluate(result.images, torch::arange(3)).judged;
      return torch::allclose(result.values, again.to(torch::kFloat64), 0, 1e-6)
                 ? result.values[2].item<double>()
                 : std::nan("");
    };
    // Shifts 0 (-0.06), 0.2 (-0.1398), 0 and 0.2 again.
    QVERIFY(std::abs(valueUnder({1.0}) + 0.1398) < 1e-6);
    QVERIFY(std::abs(valueUnder({-0.1}) + 0.06) < 1e-6);
    QVERIFY(std::abs(valueUnder({1.0, -0.1, 0.5}) + 0.06) < 1e-6);
  }

  /// Noise is what it says it is.
  void noiseHasItsSize() {
    const auto images = torch::full({40, 3, 10, 10}, 0.5F);
    Formula objective([](const torch::Tensor& x) { return x.flatten(1).sum(1); });
    Task task;
    const auto deltaOf = [&](const std::string& name, Json options) {
      options["keep"] = "last";
      return make(name, options)->perturb(objective, images, contextOf(task)).images - images;
    };
    const auto uniformNoise = deltaOf("noise_uniform", {{"eps", 0.1}});
    QVERIFY(std::abs(uniformNoise.std().item<double>() - 0.1 / std::sqrt(3.0)) < 0.001);
    const auto gaussian = deltaOf("noise_gaussian", {{"norm", "none"}, {"sigma", 0.1}});
    QVERIFY(std::abs(gaussian.std().item<double>() - 0.1) < 0.002);
    QVERIFY(gaussian.abs().max().item<double>() > 0.25);
    const auto clipped = deltaOf("noise_gaussian", {{"eps", 0.1}});
    QVERIFY(clipped.abs().max().item<double>() <= 0.1 + 1e-6);
    // A normal number is beyond one standard deviation with probability 0.3173.
    const double atFace = (clipped.abs() > 0.0999).to(torch::kFloat64).mean().item<double>();
    QVERIFY(std::abs(atFace - 0.3173) < 0.02);
    const auto sphere = deltaOf("noise_gaussian", {{"norm", "l2"}, {"eps", 1.0}});
    QVERIFY(std::abs(sphere.flatten(1).norm(2, 1).mean().item<double>() - 0.98) < 0.02);
    const auto flipped = deltaOf("salt_pepper", {{"share", 0.2}}) + 0.5;
    const auto black = flipped.eq(0), white = flipped.eq(1);
    QVERIFY(torch::equal(flipped.ne(0.5), black.logical_or(white)));
    QVERIFY(torch::equal(white.all(1), white.any(1)));  // all channels together
    QVERIFY(std::abs(black.to(torch::kFloat64).mean().item<double>() - 0.1) < 0.015);
    QVERIFY(std::abs(white.to(torch::kFloat64).mean().item<double>() - 0.1) < 0.015);
  }

  /// Draws differ, are shared by no two samples, and more of them never do worse.
  void moreDrawsAreWorse() {
    const auto images = torch::full({8, 1, 6, 6}, 0.5F);
    Formula objective([](const torch::Tensor& x) { return x.flatten(1).sum(1); });
    Task task;
    torch::Tensor before;
    for (const int draws : {1, 5, 50}) {
      const auto result = make("random_search", {{"draws", draws}, {"eps", 0.1}})
                              ->perturb(objective, images, contextOf(task));
      QCOMPARE(result.trajectory.size(), static_cast<std::size_t>(draws));
      if (before.defined()) {
        QVERIFY((result.values >= before).all().item<bool>());
        QVERIFY((result.values > before).any().item<bool>());
      }
      before = result.values;
      if (draws == 50) QVERIFY(!torch::equal(result.images[0], result.images[1]));
    }
    // Corners alone: every pixel at the face.
    const auto corner = make("random_search", {{"draws", 3}, {"eps", 0.1}, {"corners", 1}})
                            ->perturb(objective, images, contextOf(task));
    const auto moved = (corner.images - images).abs().flatten(1).amax(1);
    QVERIFY(((moved - 0.1).abs() < 1e-6).logical_or(moved == 0).all().item<bool>());
  }

  /// Square's schedule (methods, section 11) on both image sizes, and where windows may lie.
  void squareWindows() {
    const std::vector<std::int64_t> firsts = {0, 11, 51, 201, 501, 1001, 2001, 4001, 6001, 8001};
    const std::vector<std::int64_t> small = {25, 18, 13, 9, 6, 4, 3, 2, 2, 1};
    const std::vector<std::int64_t> large = {29, 20, 14, 10, 7, 5, 4, 3, 2, 1};
    for (std::size_t i = 0; i < firsts.size(); ++i) {
      const double share = squareShare(0.8, firsts[i], 0);
      QCOMPARE(share, 0.8 / std::pow(2.0, static_cast<double>(i)));
      if (i > 0) QCOMPARE(squareShare(0.8, firsts[i] - 1, 0), 2 * share);
      QCOMPARE(squareSide(share, 28, 28, false), small[i]);
      QCOMPARE(squareSide(share, 32, 32, false), large[i]);
      QVERIFY(squareSide(share, 28, 28, true) % 2 == 1);
      QCOMPARE(squareShare(0.8, firsts[i] / 10 + 1, 1000), share);
    }
    QCOMPARE(squareSide(1.0, 4, 28, false), 4);
    Random random(Seed{3});
    std::int64_t lowest = 0, rightmost = 0;
    for (int i = 0; i < 500; ++i) {
      const Window window = randomWindow(3, 5, 7, random);
      lowest = std::max(lowest, window.top);
      rightmost = std::max(rightmost, window.left);
      const auto mask = windowMask({window}, 5, 7, torch::kCPU);
      QCOMPARE(mask.sum().item<std::int64_t>(), 9);
      QVERIFY(mask[0][0][window.top + 2][window.left].item<bool>());
    }
    QCOMPARE(lowest, 2);
    QCOMPARE(rightmost, 4);
    for (const std::int64_t side : {1, 2, 3, 7}) {
      QVERIFY(std::abs(squareBump(side, false).norm().item<double>() - 1) < 1e-6);
      QVERIFY(torch::equal(squareBump(side, true), squareBump(side, false).t()));
    }
  }

  /// A linear score under l2: black boxes come near eps ||w||_2, but not beyond. Square's bumps are
  /// never smaller than 3 x 3, which on 6 x 6 pixels follows the weights only roughly.
  void linearScoreL2() {
    const auto images = uniform({4, 1, 6, 6}, 3, 0.3, 0.7);
    const auto weights = uniform({36}, 4, -1, 1);
    Formula objective([&](const torch::Tensor& x) { return torch::mv(x.flatten(1), weights); });
    Task task;
    auto context = contextOf(task);
    context.clean = torch::mv(images.flatten(1), weights).to(torch::kFloat64);
    const double most = 0.2 * weights.norm().item<double>();
    for (const auto& [name, options, least] :
         {std::tuple{"square", Json{{"queries", 3000}, {"rescale_schedule", true}}, 0.6},
          std::tuple{"simba", Json{{"queries", 600}, {"step_size", 0.05}}, 0.9},
          std::tuple{"simba", Json{{"queries", 600}, {"step_size", 0.05}, {"basis", "dct"}},
                     0.9}}) {
      Json all = options;
      all["eps"] = 0.2;
      all["norm"] = "l2";
      const auto gain = make(name, all)->perturb(objective, images, context).values - context.clean;
      const double smallest = gain.min().item<double>() / most;
      qInfo("%s reaches %.3f of the maximum", name, smallest);
      QVERIFY2(smallest >= least, name);
      QVERIFY2(gain.max().item<double>() <= most + 1e-5, name);
    }
  }

  /// BIM-a ends at the first crossing of the highest threshold; without one it cannot run.
  void firstCrossing() {
    const auto images = uniform({4, 1, 3, 3}, 12, 0.4, 0.6);
    Formula objective([](const torch::Tensor& x) { return x.flatten(1).mean(1); });
    const auto clean = images.flatten(1).mean(1).to(torch::kFloat64);
    const auto attack = make("bim_a", {{"eps", 0.2}, {"step_size", 0.02}, {"steps", 20}});
    Task task;
    auto context = contextOf(task);
    context.thresholds = {0.55, 0.2, 0.6};
    const auto result = attack->perturb(objective, images, context);
    for (int i = 0; i < 4; ++i) {
      double value = clean[i].item<double>();
      while (value <= 0.6) value += 0.02;
      QVERIFY(std::abs(result.values[i].item<double>() - value) < 1e-5);
    }
    QVERIFY(result.saturated.all().item<bool>());
    context.thresholds.clear();
    QVERIFY_EXCEPTION_THROWN(attack->perturb(objective, images, context), Error);
  }
};

QTEST_GUILESS_MAIN(TestWalks)
#include "tst_walks.moc"
