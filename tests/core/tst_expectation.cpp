// Scores without a plain gradient: random ones, whose gradients are averaged over draws, and
// quantised ones, whose steps a surrogate passes straight through.
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/attacks/classification_objective.h"
#include "core/attacks/demands.h"
#include "core/base/error.h"
#include "core/detectors/declarations.h"
#include "core/detectors/detector_objective.h"
#include "core/experiment/joint_evasion.h"
#include "core/experiment/runner.h"
#include "core/experiment/store_journal.h"
#include "core/health/convergence.h"
#include "core/health/probes.h"
#include "core/nn/network.h"
#include "core/nn/straight_through.h"
#include "core/store/run_store.h"
#include "core/training/recipe.h"
#include "tests/support/attack_support.h"
#include "tests/support/tiny_net.h"

using namespace bulwark;
using attack_support::make;
using attack_support::uniform;

namespace {

/// A detector that is fitted as it is made.
class Ready : public Detector {
 public:
  void fit(const DetectorContext& /*context*/) override {}
  void save(TensorFile& /*file*/) const override {}
  void load(const TensorFile&, Network*, const torch::Device&) override {}
};

/// <w, q(x)>, q rounding to eighths.
class Silent : public Ready {
 public:
  explicit Silent(torch::Tensor weights) : weights_(std::move(weights)) {}
  DetectorTraits traits() const override {
    DetectorTraits traits;
    traits.needsClassifier = false;
    traits.quantised = true;
    return traits;
  }
  torch::Tensor score(const torch::Tensor& images) override {
    ++scores;
    return torch::mv((images.flatten(1) * 8).round() / 8, weights_);
  }
  torch::Tensor guide(const torch::Tensor& images) override {
    ++guides;
    const auto fine = images.flatten(1) * 8;
    return torch::mv(straightThrough(fine, fine.round()) / 8, weights_);
  }
  int scores = 0, guides = 0;

 private:
  torch::Tensor weights_;
};

/// The same, saying what it is that guides.
class Quantised : public Silent, public HasSurrogate {
 public:
  using Silent::Silent;
  std::string surrogate() const override { return "rounding is the identity in the backward pass"; }
};

/// <w + 3 z, x - 1/2> with |w_i| = 1 and a fresh normal z for every image and call.
class Noisy : public Ready, public RandomScore {
 public:
  DetectorTraits traits() const override {
    DetectorTraits traits;
    traits.needsClassifier = false;
    traits.randomised = true;
    return traits;
  }
  void reseed(Seed seed) override { random_ = Random(seed); }
  torch::Tensor score(const torch::Tensor& images) override {
    calls += images.size(0);
    const auto offset = images.flatten(1) - 0.5;
    auto noise = torch::empty(offset.sizes(), torch::kFloat32);
    for (std::int64_t i = 0; i < noise.numel(); ++i) {
      noise.data_ptr<float>()[i] = static_cast<float>(random_.normal());
    }
    return (offset * (weights(offset.size(1)) + 3 * noise)).sum(1);
  }
  static torch::Tensor weights(std::int64_t count) {
    return 1.0 - 2.0 * torch::arange(count, torch::kFloat32).remainder(2);
  }
  std::int64_t calls = 0;

 private:
  Random random_{Seed{1}};
};

}  // namespace

class TestExpectation : public QObject {
  Q_OBJECT

  /// Checks that compare draws do not apply. Curves draw as the results do, and no rank is final:
  /// every image is attacked to the end.
  static void judgedAsRandom(const RunStore& store) {
    const auto summary = store.run(2).summary;
    QStringList skipped;
    for (const auto& json : summary.at("health_checks")) {
      const auto check = HealthCheck::fromJson(json);
      if (check.detail.find("the score is random") == std::string::npos) continue;
      QVERIFY(check.verdict == Verdict::NotApplicable);
      skipped << QString::fromStdString(check.id);
    }
    for (const char* id : {"H1", "H2", "H6", "H25"}) QVERIFY2(skipped.contains(id), id);
    QCOMPARE(summary.at("curve_forwards").get<double>(), 3.0 * 50 * 4 * 10);
    QCOMPARE(summary.at("curve_backwards").get<double>(), 3.0 * 50 * 3 * 10);
    const auto rows = store.results(2);
    int compared = 0;
    for (const auto& curve : store.curves(2)) {
      if (curve.kind != "auroc-restarts") continue;
      for (const auto& row : rows) {
        if (row.attack.empty() || row.setting != curve.setting) continue;
        QCOMPARE(curve.y.back(), row.auroc);
        ++compared;
      }
    }
    QCOMPARE(compared, 3);
  }

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  void straightThroughIsExact() {
    const auto soft = uniform({50}, 3, -4, 4).requires_grad_();
    const auto value = straightThrough(soft, soft.round());
    QVERIFY(torch::equal(value, soft.round()));
    const auto gradient = torch::autograd::grad({(value * value).sum()}, {soft})[0];
    QVERIFY(torch::equal(gradient, 2 * soft.round()));
  }

  /// The attack reaches the closed form of the true score: each entry as far as its weight says.
  void quantisedScores() {
    const auto images = uniform({12, 1, 6, 6}, 4, 0, 1);
    const auto weights = uniform({36}, 5, -1, 1);
    Task task;
    AttackContext context{.seed = Seed{6}, .task = task};
    const auto samples = torch::arange(12);
    for (const int direction : {1, -1}) {
      Quantised detector(weights);
      DetectorObjective objective(detector, direction);
      context.clean = objective.judge(images, samples).to(torch::kFloat64);
      detector.scores = detector.guides = 0;
      const auto found =
          make("pgd", {{"eps", 0.1}, {"steps", 10}})->perturb(objective, images, context);
      const auto corner = (images + 0.1 * direction * weights.sign().view({1, 6, 6})).clamp(0, 1);
      const auto best = objective.judge(corner, samples).to(torch::kFloat64);
      QVERIFY((best > context.clean + 0.3).all().item<bool>());
      QVERIFY((found.values - best).abs().max().item<double>() < 1e-5);
      QVERIFY(
          torch::equal(objective.judge(found.images, samples).to(torch::kFloat64), found.values));
      // The guide and the score were both propagated, the last point by the score alone.
      QCOMPARE(found.forwards, std::int64_t{12 * (2 * 10 + 1)});
      QCOMPARE(found.backwards, std::int64_t{12 * 10});
      QCOMPARE(detector.guides, 10);
    }
    Silent silent(weights);
    try {
      DetectorObjective objective(silent, 1);
      QFAIL("accepted");
    } catch (const Error& error) {
      QVERIFY(error.problem().find("surrogate") != std::string::npos);
    }
  }

  /// One draw points anywhere; the mean of several finds the way.
  void randomScores() {
    const auto images = uniform({16, 1, 10, 10}, 7, 0.45, 0.55);
    const auto samples = torch::arange(16);
    const auto expected = [](const torch::Tensor& points) {
      return torch::mv(points.flatten(1) - 0.5, Noisy::weights(100)).mean().item<double>();
    };
    const double most = 0.1 * 100;  // eps times the l1 norm of w
    const auto gain = [&](int eot, std::int64_t draws, int warnings) {
      int warned = 0;
      Task task(nullptr, {}, [&](LogLevel level, const std::string&) {
        warned += level == LogLevel::Warning ? 1 : 0;
      });
      Noisy detector;
      detector.reseed(Seed{8});
      DetectorObjective objective(detector, 1);
      AttackContext context{.seed = Seed{9}, .task = task};
      context.clean = torch::full({16}, -1000.0, torch::kFloat64);  // any point is taken
      const auto attack = make("fgsm", {{"eps", 0.1}, {"eot", eot}});
      const auto found = attack->perturb(objective, images, context);
      if (warned != warnings) return -1.0;
      // Two points, each so many draws; the first with gradients.
      if (found.forwards != 16 * 2 * draws || found.backwards != 16 * draws) return -2.0;
      if (detector.calls != found.forwards) return -3.0;
      const auto bound = propagationsOf(*attack, {.randomised = true});
      if (found.forwards > 16 * bound.forwards || bound.backwards != draws) return -4.0;
      return expected(found.images) - expected(images);
    };
    const double one = gain(1, 1, 1), usual = gain(0, 10, 0), many = gain(40, 40, 0);
    QVERIFY2(one > -0.5 && one < 0.5 * most, qPrintable(QString::number(one)));
    QVERIFY2(usual > 1.7 * one && usual > 0.5 * most, qPrintable(QString::number(usual)));
    QVERIFY2(many > 1.2 * usual && many > 0.9 * most, qPrintable(QString::number(many)));
  }

  /// Scores that are not random are attacked as ever, whatever the option says.
  void withoutEffectOnOthers() {
    TinyNet net;
    ClassificationObjective classes(net, net.labels);
    TinyScore score(net);
    for (Objective* objective :
         {static_cast<Objective*>(&classes), static_cast<Objective*>(&score)}) {
      for (const char* name : {"fgsm", "pgd", "apgd", "bim_b", "deepfool", "cw_l2", "jsma"}) {
        const auto run = [&](int eot) {
          Task task;
          AttackContext context{.seed = Seed{2}, .task = task, .thresholds = {0.0}};
          Json options{{"eot", eot}};
          if (std::string(name) == "cw_l2") options.update({{"steps", 20}, {"searches", 2}});
          return make(name, options)->perturb(*objective, net.images, context);
        };
        const auto a = run(0), b = run(7);
        QVERIFY2(torch::equal(a.images, b.images), name);
        QCOMPARE(a.forwards, b.forwards);
        QCOMPARE(a.backwards, b.backwards);
      }
    }
  }

  void otherScoresAreJudgedBesideRandomOnes() {
    ScoreSet clean;
    clean.detector = "plain";
    clean.dataset = "in";
    clean.scores = {0.0, 1.0};
    ScoreSet attacked = clean;
    attacked.attack = "pgd";
    attacked.scores = {0.5, 0.5};
    attacked.trajectory = {0.5, 0.9};
    std::vector<ScoreSet> sets = {clean, attacked};
    const auto find = [&](const char* id, std::set<std::string> randomised) {
      const RunFacts facts{sets, {}, {{.label = "pgd", .type = "pgd"}}, std::move(randomised)};
      auto checks = checkResults({}, facts);
      for (auto& check : checkConvergence({}, facts)) checks.push_back(std::move(check));
      for (const auto& check : checks) {
        if (check.id == id) return check.verdict;
      }
      return Verdict::Green;
    };
    for (const char* id : {"H1", "H25"}) {
      QVERIFY(find(id, {}) == Verdict::Red);
      QVERIFY(find(id, {"another"}) == Verdict::Red);
      QVERIFY(find(id, {"plain"}) == Verdict::NotApplicable);
    }
    const auto rescored = [](std::int64_t random) {
      return checkAudits({}, 0.5, 0.0, 4, 4, random).front();
    };
    QVERIFY(rescored(0).verdict == Verdict::Red);
    QVERIFY(rescored(3).verdict == Verdict::Red);
    QVERIFY(rescored(3).detail.starts_with("3 sets of random scores"));
    QVERIFY(rescored(4).verdict == Verdict::NotApplicable);
    QVERIFY(checkAudits({}, 0.0, 0.5, 4, 4, 4).back().verdict == Verdict::Red);
  }

  void noiseDoesNotCompeteWithARandomScore() {
    const auto registries = builtinRegistries();
    Noisy detector;
    const auto attack = registries.attacks.make("pgd", {{"eps", 0.1}, {"steps", 2}}, "pgd");
    const ProbeSetting setting{
        .detector = detector,
        .label = "noisy",
        .registries = registries,
        .in = uniform({6, 1, 6, 6}, 1, 0.2, 0.4),
        .out = uniform({6, 1, 6, 6}, 2, 0.5, 0.8),
        .inLabels = {},
        .reference = {"pgd", "pgd", {{"eps", 0.1}, {"steps", 2}}, attack->threat()},
        .budget = {.draws = 10, .noiseImages = 2, .restarts = 2, .squareQueries = 10}};
    Task task;
    const auto checks = probe({}, setting, Seed(7), task).checks;
    const auto found = std::find_if(checks.begin(), checks.end(),
                                    [](const HealthCheck& check) { return check.id == "H28"; });
    QVERIFY(found != checks.end());
    QVERIFY(found->verdict == Verdict::NotApplicable);
    QVERIFY(found->detail.find("random") != std::string::npos);
  }

  /// Of sixty draws one accepts nearly every image; a fresh one accepts few.
  void aJointAttackIsCountedByAFreshDraw() {
    TinyNet net;
    const auto images = uniform({40, 1, 6, 6}, 3, 0.45, 0.55);
    const auto wrong = (net.forward(images).argmax(1) + 1).remainder(5).to(torch::kInt64);
    const TensorImageSet set("in", images, wrong, {"a", "b", "c", "d", "e"});
    const FittedDetector noisy{"noisy", std::make_unique<Noisy>()};
    const JointAttack attack({Norm::Linf, 1e-4}, 60, 1);
    Task task;
    const auto found =
        jointEvasion(noisy, net, attack, "joint", set, -0.9, 8, torch::kCPU, Seed{4}, task);
    QVERIFY2(found.clean < 0.3, qPrintable(QString::number(found.clean)));
    QVERIFY2(found.attacked < 0.3, qPrintable(QString::number(found.attacked)));
    // What the attack itself took for a success: the best of its draws.
    dynamic_cast<Noisy&>(*noisy.detector).reseed(Seed{5});
    ClassificationObjective classifier(net, wrong);
    DetectorObjective acceptance(*noisy.detector, -1);
    JointObjective objective(classifier, acceptance, 0.9);
    AttackContext context{.seed = Seed{6}, .task = task, .thresholds = {0.0}};
    context.mode = AttackMode::Cross;
    const auto lucky = attack.perturb(objective, images, context).values.gt(0);
    QVERIFY(lucky.to(torch::kFloat64).mean().item<double>() > 0.7);
    const auto again =
        jointEvasion(noisy, net, attack, "joint", set, -0.9, 8, torch::kCPU, Seed{4}, task);
    QCOMPARE(again.attacked, found.attacked);
  }

  /// A run with a random score: draws come from the run's seed, the counters count them, the stored
  /// scores are those of a fresh draw.
  void inARun() {
    auto registries = builtinRegistries();
    ComponentInfo info;
    info.name = "noisy";
    info.title = "Noisy";
    registries.detectors.add(info, [](const Params&) { return std::make_unique<Noisy>(); });
    const DatasetCatalogue catalogue(DatasetCatalogue::defaultFolders());
    const auto json = Json::parse(R"({
      "name": "random", "threads": 1,
      "data": {"in": {"dataset": "glyphs", "train_limit": 40, "test_limit": 30, "size": 12},
               "out": [{"dataset": "noise-uniform", "test_limit": 20}]},
      "detectors": ["noisy"],
      "attacks": [{"type": "pgd", "steps": 3}],
      "curves": [{"over": "restarts", "values": [1]}, {"over": "epsilon", "values": ["1/255", 0.5]}],
      "evaluation": {"bootstrap": 100, "image_pairs": 1, "batch_size": 10}
    })");
    const auto spec = Specification::fromJson(json, registries, catalogue);
    QTemporaryDir folder;
    auto store = RunStore::open(folder.filePath("runs.db").toStdString());
    std::vector<double> scores[2];
    double spent = 0;
    for (const int i : {0, 1}) {
      const auto run = store.createRun(spec.name, spec.toJson(), spec.seed, spec.device);
      StoreJournal journal(store, run, [](const Json&) {});
      Task task;
      Runner(registries, catalogue).execute(spec, journal, task);
      const auto found = store.scores(run, "noisy", "pgd", "glyphs", false);
      QVERIFY(found.has_value());
      scores[i] = found->scores;
      // Three steps and their start, ten draws each.
      QCOMPARE(found->forwards, std::int64_t{30 * 4 * 10});
      QCOMPARE(found->backwards, std::int64_t{30 * 3 * 10});
      spent = 0;
      for (const auto& set : store.scoreSets(run)) {
        if (!set.attack.empty()) spent += static_cast<double>(set.forwards + set.backwards);
      }
    }
    QCOMPARE(scores[0], scores[1]);
    judgedAsRandom(store);
    QVERIFY(spent <= estimateCost(spec, registries, catalogue).attackPropagations);
  }
};

QTEST_GUILESS_MAIN(TestExpectation)
#include "tst_expectation.moc"
