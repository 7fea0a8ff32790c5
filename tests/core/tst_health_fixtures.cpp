// Known faults, planted one at a time: each turns its own lights and no others.
#include <functional>

#include "core/attacks/attack.h"
#include "core/base/error.h"
#include "core/detectors/detector_objective.h"
#include "core/experiment/health.h"
#include "core/experiment/health_probe.h"
#include "core/health/convergence.h"
#include "core/health/probes.h"
#include "core/health/training_end.h"
#include "core/metrics/roc.h"
#include "core/nn/network.h"
#include "core/training/evaluate.h"
#include "core/training/recipe.h"

using namespace bulwark;

namespace {

using Score = std::function<torch::Tensor(const torch::Tensor&)>;

class Made : public Detector {
 public:
  explicit Made(Score score) : score_(std::move(score)) {}
  DetectorTraits traits() const override { return {.needsClassifier = false}; }
  void fit(const DetectorContext&) override {}
  torch::Tensor score(const torch::Tensor& images) override { return score_(images); }
  void save(TensorFile&) const override {}
  void load(const TensorFile&, Network*, const torch::Device&) override {}

 private:
  Score score_;
};

constexpr std::int64_t kCount = 64;

/// In images are dark, out images are bright; the last is brighter than all others.
torch::Tensor imagesAround(double level, std::uint64_t seed) {
  Random random{Seed(seed)};
  auto images = torch::empty({kCount, 1, 6, 6}, torch::kFloat32);
  for (std::int64_t i = 0; i < kCount; ++i) {
    const double own = level + 0.2 * (random.uniform() - 0.5);
    for (std::int64_t p = 0; p < 36; ++p) {
      images[i].view({36})[p] = own + 0.2 * (random.uniform() - 0.5);
    }
  }
  return images;
}

/// A smooth score: a fixed small tanh network.
torch::Tensor smooth(const torch::Tensor& images) {
  Random random{Seed(5)};
  auto weights = torch::empty({36, 8}, torch::kFloat32);
  for (std::int64_t i = 0; i < weights.numel(); ++i) {
    weights.data_ptr<float>()[i] = static_cast<float>(random.normal() * 0.3);
  }
  const auto flat = images.flatten(1);
  return 4.0 * flat.mean(1) + torch::tanh(flat.matmul(weights)).mean(1);
}

/// Linear layer, batch norm, softsign, dropout, logits.
class NormedNet : public Network {
 public:
  NormedNet() : Network({1, 6, 6, 3}) {
    registerNormalisation();
    linear_ =
        register_module("linear", torch::nn::Linear(torch::nn::LinearOptions(36, 12).bias(false)));
    norm_ = register_module("norm", torch::nn::BatchNorm1d(12));
    dropout_ = register_module("dropout", torch::nn::Dropout(0.5));
    head_ = register_module("head", torch::nn::Linear(12, 3));
  }
  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    prepare(taps);
    // Not tanh: its tails would lose their gradients far from the data.
    const auto sums = norm_(linear_(normalise(images).flatten(1)));
    const auto hidden = sums / (1.0 + sums.abs());
    keep(taps, "features", hidden);
    return head_(dropout_(hidden));
  }
  std::vector<std::string> taps() const override { return {"features"}; }
  torch::nn::Linear linear_{nullptr}, head_{nullptr};
  torch::nn::BatchNorm1d norm_{nullptr};
  torch::nn::Dropout dropout_{nullptr};
};

/// Three classes of images [n, 1, 6, 6]: dark, grey and bright.
std::shared_ptr<TensorImageSet> shades(std::int64_t count, std::uint64_t seed) {
  Random random{Seed(seed)};
  auto images = torch::empty({count, 1, 6, 6}, torch::kFloat32);
  auto labels = torch::empty({count}, torch::kInt64);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::int64_t>(random.below(3));
    labels[i] = label;
    for (std::int64_t p = 0; p < 36; ++p) {
      images.data_ptr<float>()[36 * i + p] =
          static_cast<float>(0.1 + 0.3 * static_cast<double>(label) + 0.2 * random.uniform());
    }
  }
  return std::make_shared<TensorImageSet>("shades", images, labels,
                                          std::vector<std::string>{"dark", "grey", "bright"});
}

/// A small network fitted to `train` by a recipe of the program.
std::shared_ptr<NormedNet> trained(const TensorImageSet& train, const std::string& recipe,
                                   const Json& options) {
  torch::manual_seed(3);
  auto network = std::make_shared<NormedNet>();
  Registries registries;
  registerRecipes(registries.recipes);
  Task task;
  FitContext context{.network = *network, .train = train, .seed = Seed(9), .task = task};
  registries.recipes.make(recipe, options, recipe)->fit(context);
  return network;
}

/// Standardises the pixels before a network that does so itself.
class TwiceNormalised : public Network {
 public:
  explicit TwiceNormalised(std::shared_ptr<NormedNet> inner)
      : Network(inner->shape()), inner_(std::move(inner)) {
    registerNormalisation();
  }
  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    const auto buffers = inner_->named_buffers();
    return inner_->run((images - buffers["input_mean"]) / buffers["input_deviation"], taps);
  }
  std::vector<std::string> taps() const override { return inner_->taps(); }

 private:
  std::shared_ptr<NormedNet> inner_;
};

QString lights(const std::vector<HealthCheck>& checks) {
  QStringList found;
  for (const auto& check : checks) {
    const auto id = QString::fromStdString(check.id);
    const bool lit = check.verdict == Verdict::Red || check.verdict == Verdict::Amber;
    if (lit && !found.contains(id)) found << id;
  }
  return found.join(' ');
}

QByteArray told(const std::vector<HealthCheck>& checks) {
  std::string text;
  for (const auto& check : checks) {
    text += check.name() + " " + toString(check.verdict) + " " + std::to_string(check.value) + " " +
            check.detail + "\n";
  }
  return QByteArray::fromStdString(text);
}

std::vector<double> toVector(const torch::Tensor& values) {
  const auto flat = values.detach().to(torch::kFloat64).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

/// C.2 and H26 of a score.
std::vector<HealthCheck> examine(Detector& detector, Network* network = nullptr) {
  const torch::NoGradGuard noGrad;
  const auto in = imagesAround(0.3, 1), out = imagesAround(0.6, 2);
  Target target{.detector = detector, .label = "made", .classifier = network, .images = in};
  for (const auto& images : {in, out}) {
    const auto scores = toVector(detector.score(images));
    target.scores.insert(target.scores.end(), scores.begin(), scores.end());
  }
  Task task;
  auto checks = checkTarget(HealthThresholds(), target, Seed(3), task).checks;
  checks.push_back(checkStarts(HealthThresholds(), target, {}, Seed(4)));
  return checks;
}

/// Draws its start from the seed of the set instead of the image's.
class SameStart : public Attack {
 public:
  ThreatModel threat() const override { return {Norm::Linf, 0.1}; }
  std::int64_t forwardsPerImage() const override { return 1; }
  std::int64_t backwardsPerImage() const override { return 0; }
  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    const double shift = 0.1 * Random(context.seed).uniform();
    AttackResult result;
    result.images = (images + shift).clamp(0, 1);
    result.values = objective.judge(result.images, torch::arange(images.size(0)));
    return result;
  }
};

class Lab {
 public:
  Lab() { registerAttacks(registries.attacks); }
  ProbeSetting setting(Detector& detector, const Json& options) {
    AttackFacts pgd{.label = "pgd", .type = "pgd"};
    pgd.options = Params(registries.attacks.info("pgd").options, options, "pgd").values();
    pgd.threat = registries.attacks.make("pgd", pgd.options, "pgd")->threat();
    return {.detector = detector,
            .label = "made",
            .registries = registries,
            .in = imagesAround(0.3, 1).narrow(0, 0, 24),
            .out = imagesAround(0.6, 2).narrow(0, 0, 24),
            .inLabels = {},
            .reference = pgd,
            .budget = {.draws = 300, .noiseImages = 4, .restarts = 4, .squareQueries = 150}};
  }
  Registries registries;
};

}  // namespace

class TestHealthFixtures : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  void aSoundScoreIsGreen() {
    Made sound(smooth);
    const auto checks = examine(sound);
    QVERIFY2(lights(checks).isEmpty(), told(checks));
    Lab lab;
    Task task;
    // Rests at the corners of the ball well before its last ten steps.
    auto setting = lab.setting(sound, {{"eps", 0.1}, {"steps", 30}, {"step_size", 0.02}});
    const auto report = probe(HealthThresholds(), setting, Seed(7), task);
    QVERIFY2(lights(report.checks).isEmpty(), told(report.checks));
    QStringList kinds;
    for (const auto& series : report.series) {
      if (series.kind == "blackbox_gain") {
        // In and out images alike: no attack helps the detector, and Square never wins.
        QCOMPARE(series.x.size(), std::size_t{48});
        for (std::size_t i = 0; i < series.x.size(); ++i) {
          QVERIFY(series.y[i] >= 0.0);
          QVERIFY(series.x[i] >= series.y[i]);
        }
      }
      kinds << QString::fromStdString(series.kind);
      QCOMPARE(series.x.size(), series.y.size());
      QVERIFY(!series.x.empty());
    }
    for (const char* kind : {"best_score", "auroc_eps", "auroc_restarts", "blackbox_gain"}) {
      QVERIFY2(kinds.contains(kind), kind);
    }
  }

  void saturatedSigmoid() {
    Made masked([](const torch::Tensor& x) { return torch::sigmoid(1e4 * (smooth(x) - 2.0)); });
    const auto checks = examine(masked);
    QVERIFY2(lights(checks) == "H13 H14 H15", told(checks));
  }

  void detachedScore() {
    Made detached([](const torch::Tensor& x) { return smooth(x).detach(); });
    const auto checks = examine(detached);
    QVERIFY2(lights(checks) == "H15", told(checks));
    Lab lab;
    Task task;
    Made sound(smooth);
    auto setting = lab.setting(detached, {{"eps", 0.1}, {"steps", 10}});
    setting.surrogate = &sound;
    setting.surrogateName = "the score before it was cut off";
    const auto report = probe(HealthThresholds(), setting, Seed(7), task);
    QVERIFY2(lights(report.checks).contains("H29"), told(report.checks));
  }

  void batchNormInTrainingMode() {
    auto network = std::make_shared<NormedNet>();
    network->freeze();
    network->norm_->train();
    Made score([&](const torch::Tensor& x) { return -torch::logsumexp(network->forward(x), 1); });
    const auto checks = examine(score, network.get());
    QVERIFY2(lights(checks) == "H11 H12", told(checks));
  }

  void dropoutLeftOn() {
    auto network = std::make_shared<NormedNet>();
    network->freeze();
    // So few that no image loses all of its features, and its gradient with them.
    Made score([&](const torch::Tensor& x) {
      return network->head_(torch::dropout(network->features(x), 0.1, true)).sum(1);
    });
    const auto checks = examine(score, network.get());
    QVERIFY2(lights(checks) == "H10", told(checks));
  }

  void normalisedTwice() {
    const auto train = shades(300, 1), validation = shades(200, 2), test = shades(200, 3);
    const auto network = trained(*train, "standard", {{"epochs", 6}, {"batch_size", 30}});
    Task task;
    TrainingEnd end;
    end.logits = probeLogits(*network, probeImages(*train), torch::kCPU);
    end.validationImages = validation->size();
    end.validationAccuracy = accuracy(*network, *validation, torch::kCPU, 100, task);
    QVERIFY(end.validationAccuracy > 0.9);
    const auto stored = TrainingEnd::fromText(end.toText());
    QVERIFY(stored && torch::equal(stored->logits, end.logits));
    QCOMPARE(stored->validationAccuracy, end.validationAccuracy);
    const auto all = [&](Network& used) {
      used.freeze();
      Made score([&](const torch::Tensor& x) { return -torch::logsumexp(used.forward(x), 1); });
      auto checks = examine(score, &used);
      const double right = accuracy(used, *test, torch::kCPU, 100, task);
      for (auto& check : checkTrainingEnd({}, used, probeImages(*train), torch::kCPU, right,
                                          test->size(), stored)) {
        checks.push_back(std::move(check));
      }
      return checks;
    };
    const auto sound = all(*network);
    QVERIFY2(lights(sound).isEmpty(), told(sound));
    TwiceNormalised twice(network);
    const auto checks = all(twice);
    QVERIFY2(lights(checks) == "H37 H38", told(checks));
    for (const auto& check : checkTrainingEnd({}, *network, probeImages(*train), torch::kCPU, 1.0,
                                              test->size(), TrainingEnd::fromText("{}"))) {
      QVERIFY(check.verdict == Verdict::NotApplicable);
    }
  }

  void reseedingInsideForward() {
    Made score([](const torch::Tensor& x) {
      torch::manual_seed(0);
      return smooth(x);
    });
    const auto checks = examine(score);
    QVERIFY2(lights(checks) == "H26", told(checks));
  }

  /// All images of a batch begin at one point; the negative image is one point by its definition.
  void repeatedStarts() {
    Made sound(smooth);
    const auto images = imagesAround(0.3, 1);
    const Target target{.detector = sound, .label = "made", .images = images};
    const SameStart same;
    const auto bad = checkStarts(HealthThresholds(), target, {&same}, Seed(4));
    QVERIFY2(bad.verdict == Verdict::Red && bad.value == 6.0, told({bad}));
    Lab lab;
    for (const char* type : {"semantic", "pgd", "square", "salt_pepper", "fgsm"}) {
      const auto attack = lab.registries.attacks.make(type, Json::object(), type);
      const auto good = checkStarts(HealthThresholds(), target, {attack.get()}, Seed(4));
      QVERIFY2(good.verdict == Verdict::Green, told({good}));
    }
  }

  /// PGD that overshoots and gives its last iterate away although it has seen better ones.
  void lastIterate() {
    const auto clean = imagesAround(0.3, 1);
    const auto value = [](const torch::Tensor& x) {
      return torch::sin(40.0 * x.flatten(1).mean(1));
    };
    ScoreSet before;
    before.detector = "made";
    before.dataset = "in";
    before.scores = toVector(value(clean));
    ScoreSet after = before;
    after.attack = "last";
    auto points = clean.clone();
    auto best = value(points);
    for (int step = 0; step <= 8; ++step) {
      best = torch::maximum(best, value(points));
      after.trajectory.push_back(best.mean().item<double>());
      after.scores = toVector(value(points));
      auto leaf = points.detach().set_requires_grad(true);
      const auto gradient = torch::autograd::grad({value(leaf).sum()}, {leaf})[0];
      points = torch::min(torch::max(points + 0.06 * gradient.sign(), clean - 0.1), clean + 0.1);
    }
    const std::vector<ScoreSet> sets = {before, after};
    const RunFacts facts{sets, {}, {{.label = "last", .type = "fgsm"}}};
    auto checks = checkResults(HealthThresholds(), facts);
    for (auto& check : checkConvergence(HealthThresholds(), facts)) checks.push_back(check);
    QVERIFY2(lights(checks) == "H1 H25", told(checks));
  }

  /// Three steps on the softmax score of a network that was trained against PGD.
  void threeSteps() {
    const auto train = shades(300, 1);
    const auto network = trained(
        *train, "adversarial",
        {{"eps", 0.1}, {"steps", 5}, {"epochs", 6}, {"batch_size", 30}, {"robust_images", 0}});
    network->freeze();
    Made msp(
        [&](const torch::Tensor& x) { return -torch::softmax(network->forward(x), 1).amax(1); });
    Lab lab;
    Task task;
    auto setting = lab.setting(msp, {{"eps", 0.05}, {"steps", 3}});
    setting.in = shades(24, 5)->range(0, 24);
    torch::rand({24, 1, 6, 6});
    setting.out = torch::rand({24, 1, 6, 6});
    const auto report = probe(HealthThresholds(), setting, Seed(7), task);
    const auto found = lights(report.checks);
    QVERIFY2(found.contains("H22") && found.contains("H24"), told(report.checks));
  }

  /// The costly checks vary the most thorough attack of the run, and say which.
  void theMostThoroughAttackIsExamined() {
    Lab lab;
    std::vector<AttackFacts> attacks;
    const auto examined = [&] { return attackToExamine(attacks, lab.registries).label; };
    const auto add = [&](const char* label, const char* type, const Json& options) {
      const auto attack = lab.registries.attacks.make(type, options, label);
      const auto values = Params(lab.registries.attacks.info(type).options, options, label);
      attacks.push_back({label, type, values.values(), attack->threat()});
    };
    add("square", "square", {{"eps", "4/255"}});
    const auto made = attackToExamine(attacks, lab.registries);
    QCOMPARE(made.type, std::string("pgd"));
    QCOMPARE(made.threat.epsilon, 4.0 / 255.0);
    attacks.clear();
    add("unbounded", "pgd", {{"eps", 1}, {"steps", 1000}});
    QCOMPARE(examined(), std::string("unbounded"));  // no other
    add("fgsm", "fgsm", {{"eps", "8/255"}});
    QCOMPARE(examined(), std::string("fgsm"));
    add("one step", "pgd", {{"eps", "8/255"}, {"steps", 1}});
    add("pgd", "pgd", {{"eps", "8/255"}, {"steps", 100}});
    QCOMPARE(examined(), std::string("pgd"));
    add("restarts", "apgd", {{"eps", "8/255"}, {"steps", 50}, {"restarts", 3}});
    add("square", "square", {{"eps", "8/255"}});
    add("last", "bim_b", {{"eps", "8/255"}, {"steps", 500}, {"keep", "last"}});
    QCOMPARE(examined(), std::string("restarts"));
    add("l2", "pgd", {{"eps", 0.9}, {"norm", "l2"}, {"steps", 200}});
    QCOMPARE(examined(), std::string("l2"));

    Made sound(smooth);
    auto setting = lab.setting(sound, {{"eps", 0.1}, {"steps", 4}});
    setting.reference.label = "mine";
    Task task;
    for (const auto& check : probe(HealthThresholds(), setting, Seed(7), task).checks) {
      if (check.verdict == Verdict::NotApplicable) continue;
      QVERIFY2(QString::fromStdString(check.detail).startsWith("mine"), told({check}));
    }
  }

  /// H22 halves the steps however their length was given.
  void twiceTheStepsAreHalfAsLong_data() {
    QTest::addColumn<QString>("type");
    QTest::addColumn<QString>("options");
    QTest::addColumn<double>("half");
    QTest::newRow("number") << "pgd"
                            << R"({"step_size": 0.02})" << 0.01;
    QTest::newRow("fraction") << "pgd"
                              << R"({"step_size": "2/255"})" << 1.0 / 255.0;
    QTest::newRow("made from the steps") << "pgd"
                                         << R"({"step_size": 0})" << 0.0;
    QTest::newRow("made from the radius") << "bim_a"
                                          << R"({"step_size": 0})" << 0.1 / 80.0;
    QTest::newRow("bim, fraction") << "bim_b"
                                   << R"({"step_size": "1/50"})" << 0.01;
  }

  void twiceTheStepsAreHalfAsLong() {
    QFETCH(QString, type);
    QFETCH(QString, options);
    QFETCH(double, half);
    Lab lab;
    const std::string name = type.toStdString();
    const auto& info = lab.registries.attacks.info(name);
    std::vector<std::pair<std::int64_t, double>> made;
    Registries recording;
    recording.attacks.add(info, [&](const Params& params) {
      for (const auto& option : info.options.options()) {  // all must be read
        if (option.type == OptionType::Bool) params.getBool(option.key);
        if (option.type == OptionType::Choice) params.getText(option.key);
        if (option.type == OptionType::Int || option.type == OptionType::Float) {
          params.getNumber(option.key);
        }
      }
      made.emplace_back(params.getInt("steps"), params.getNumber("step_size"));
      return lab.registries.attacks.make(name, params.values(), name);
    });
    Json given = Json::parse(options.toStdString());
    given["eps"] = 0.1;
    given["steps"] = 4;
    const AttackFacts reference{.label = name,
                                .type = name,
                                .options = Params(info.options, given, name).values(),
                                .threat = {Norm::Linf, 0.1}};
    Made sound(smooth);
    const ProbeSetting setting{.detector = sound,
                               .label = "made",
                               .registries = recording,
                               .in = imagesAround(0.3, 1).narrow(0, 0, 4),
                               .out = imagesAround(0.6, 2).narrow(0, 0, 4),
                               .inLabels = {},
                               .reference = reference,
                               .budget = {.draws = 10, .noiseImages = 2, .restarts = 2}};
    Task task;
    probe(HealthThresholds(), setting, Seed(7), task);
    const auto longer =
        std::find_if(made.begin(), made.end(), [](const auto& one) { return one.first == 8; });
    QVERIFY(longer != made.end());
    QCOMPARE(longer->second, half);
  }

  /// A twin that does not break: too few images say nothing, enough of them are red.
  void aTwinNeedsImages() {
    Lab lab;
    Task task;
    Made sound(smooth), twin(smooth);
    for (const bool enough : {false, true}) {
      auto setting = lab.setting(sound, {{"eps", 0.001}, {"steps", 2}});
      if (enough) {
        setting.in = imagesAround(0.3, 1);
        setting.out = imagesAround(0.6, 2);
      }
      setting.twin = &twin;
      setting.budget = {.draws = 10, .noiseImages = 2, .restarts = 2, .squareQueries = 10};
      const auto checks = probe(HealthThresholds(), setting, Seed(7), task).checks;
      const auto found = std::find_if(checks.begin(), checks.end(),
                                      [](const HealthCheck& check) { return check.id == "H34"; });
      QVERIFY(found != checks.end());
      QVERIFY2(found->verdict == (enough ? Verdict::Red : Verdict::NotApplicable), told({*found}));
      if (!enough) QVERIFY(found->detail.find("24 images of a kind") != std::string::npos);
    }
  }

  void eightBitsPerChannel() {
    Made score(smooth);
    Lab lab;
    Task task;
    const auto pgd = lab.registries.attacks.make("pgd", {{"eps", 0.0015}, {"steps", 10}}, "pgd");
    // Attacked and clean round to the same eight bits: a third of a step does not survive.
    const auto eighths = [](const torch::Tensor& x) { return (x * 255.0).round() / 255.0; };
    std::vector<double> rates;
    const auto in = eighths(imagesAround(0.40, 1)), out = eighths(imagesAround(0.405, 2));
    std::vector<std::vector<double>> ins, outs;
    for (const bool isOut : {false, true}) {
      DetectorObjective objective(score, isOut ? -1 : 1);
      const AttackContext context{.seed = Seed(1), .task = task};
      const auto& images = isOut ? out : in;
      const auto attacked = pgd->perturb(objective, images, context).images;
      auto& all = isOut ? outs : ins;
      for (const auto& points : {images, attacked, eighths(attacked)}) {
        all.push_back(toVector(smooth(points)));
      }
    }
    const auto check = checkRoundTrip(HealthThresholds(), "", auroc(ins[0], outs[0]),
                                      auroc(ins[1], outs[1]), auroc(ins[2], outs[2]));
    QVERIFY2(check.verdict == Verdict::Amber, told({check}));
    QVERIFY(checkRoundTrip(HealthThresholds(), "", 0.9, 0.4, 0.41).verdict == Verdict::Green);
  }

  /// Rounded input: no gradient comes through, so H15 lights beside H20, and Square wins.
  void quantisedInput() {
    Made rounded([](const torch::Tensor& x) { return smooth((x * 255.0).round() / 255.0); });
    const auto checks = examine(rounded);
    QVERIFY2(lights(checks) == "H15 H20", told(checks));
    Lab lab;
    Task task;
    auto setting = lab.setting(rounded, {{"eps", 0.1}, {"steps", 10}});
    const auto report = probe(HealthThresholds(), setting, Seed(7), task);
    QVERIFY2(lights(report.checks).contains("H27"), told(report.checks));
  }

  /// Three of the in images, marked by a bright pixel, give no gradient. A short Square and a
  /// poor surrogate find more on these and less on the others, which must not hide it.
  void partialMasking() {
    Made masked([](const torch::Tensor& x) {
      const auto marked = x.flatten(1).select(1, 0).gt(0.75);
      return torch::where(marked, smooth(x).detach(), smooth(x));
    });
    Made half([](const torch::Tensor& x) { return x.flatten(1).slice(1, 0, 24).mean(1); });
    Made sound(smooth);
    Lab lab;
    Task task;
    for (Detector* detector : std::initializer_list<Detector*>{&masked, &sound}) {
      auto setting = lab.setting(*detector, {{"eps", 0.1}, {"steps", 30}, {"step_size", 0.02}});
      setting.in = setting.in.clone();
      setting.in.slice(0, 0, 3).select(3, 0).select(2, 0) = 0.95;
      setting.budget.squareQueries = 10;
      setting.surrogate = &half;
      setting.surrogateName = "half of the image";
      const auto checks = probe(HealthThresholds(), setting, Seed(7), task).checks;
      QVERIFY2(lights(checks) == (detector == &masked ? "H27 H28 H29 H30" : ""), told(checks));
    }
  }

  void aLinearScoreIsSolved() {
    Lab lab;
    Task task;
    for (const char* type : {"fgsm", "pgd"}) {
      const auto attack = lab.registries.attacks.make(type, {{"eps", 0.05}}, type);
      const auto check = checkLinear({}, type, *attack, Seed(1), task);
      QVERIFY2(check.verdict == Verdict::Green, told({check}));
    }
    const auto timid = lab.registries.attacks.make(
        "pgd", {{"eps", 0.05}, {"steps", 3}, {"step_size", 0.001}}, "pgd");
    QVERIFY(checkLinear({}, "timid", *timid, Seed(1), task).verdict == Verdict::Red);
  }
};

QTEST_GUILESS_MAIN(TestHealthFixtures)
#include "tst_health_fixtures.moc"
