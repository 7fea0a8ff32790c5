// Known faults of an attack, planted one at a time: each turns its own lights and no others.
#include "core/detectors/detector_objective.h"
#include "core/experiment/health.h"
#include "core/experiment/health_probe.h"
#include "health_support.h"

using namespace bulwark;
using namespace planted;

namespace {

/// Images without any structure, [count, 1, 6, 6].
torch::Tensor noise(std::int64_t count, std::uint64_t seed) {
  Random random{Seed(seed)};
  auto images = torch::empty({count, 1, 6, 6}, torch::kFloat32);
  for (std::int64_t i = 0; i < images.numel(); ++i) {
    images.data_ptr<float>()[i] = static_cast<float>(random.uniform());
  }
  return images;
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

}  // namespace

class TestHealthAttacks : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

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

  /// BIM-b with steps that overshoot, as published: it gives its last iterate away although it has
  /// seen better ones. The same walk that keeps its best point lights nothing.
  void lastIterate() {
    Made wavy([](const torch::Tensor& x) { return torch::sin(40.0 * x.flatten(1).mean(1)); });
    const auto images = imagesAround(0.3, 1);
    Lab lab;
    for (const char* keep : {"last", "best"}) {
      const Json options = {{"eps", 0.1}, {"steps", 9}, {"step_size", 0.06}, {"keep", keep}};
      const auto attack = lab.registries.attacks.make("bim_b", options, "attacks[0]");
      DetectorObjective objective(wavy, 1);
      Task task;
      AttackContext context{.seed = Seed(5), .task = task};
      context.clean = objective.judge(images, torch::arange(kCount)).to(torch::kFloat64);
      const auto attacked = attack->perturb(objective, images, context);
      ScoreSet before;
      before.detector = "made";
      before.dataset = "in";
      before.scores = toVector(context.clean);
      ScoreSet after = before;
      after.attack = "bim";
      after.scores = toVector(attacked.values);
      after.trajectory = attacked.trajectory;
      QCOMPARE(after.trajectory.size(), std::size_t{10});
      const AttackFacts bim{"bim", "bim_b", options, attack->threat()};
      const std::vector<ScoreSet> sets = {before, after};
      const RunFacts facts{sets, {}, {bim}};
      auto checks = checkResults(HealthThresholds(), facts);
      for (auto& check : checkConvergence(HealthThresholds(), facts)) checks.push_back(check);
      const bool last = std::string(keep) == "last";
      QVERIFY2(lights(checks) == (last ? "H1 H25" : ""), told(checks));
      int judged = 0;
      for (const auto& check : checks) {
        if (check.id != "H1" && check.id != "H25") continue;
        QVERIFY2(check.verdict == (last ? Verdict::Red : Verdict::Green), told({check}));
        ++judged;
      }
      QCOMPARE(judged, 2);
    }
  }

  /// Three steps on the softmax score of a network that was trained against PGD. What they leave
  /// behind is there for Square to find, so its light goes with the two of the steps.
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
    setting.out = noise(24, 8);
    const auto report = probe(HealthThresholds(), setting, Seed(7), task);
    QVERIFY2(lights(report.checks) == "H24 H22 H27", told(report.checks));
  }

  /// Five starts of ten steps each, none of which comes to rest: the later ones, which find nothing
  /// better, must not make the attack look finished.
  void restartsThatDoNotComeToRest() {
    std::vector<double> best = {0.0};
    for (int step = 1; step <= 50; ++step) best.push_back(std::min(step, 10));
    QCOMPARE(lateRise(best), 0.0);
    QCOMPARE(lateRise(best, 5), 0.5);
    QCOMPARE(lateRise({0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3.0}, 2), 2.0 / 3.0);
    QCOMPARE(lateRise({1.0, 1.0, 1.0}, 2), 0.0);
    ScoreSet set;
    set.detector = "made";
    set.attack = "pgd";
    set.dataset = "in";
    set.trajectory = best;
    const std::vector<ScoreSet> sets = {set};
    const auto verdict = [&](const Json& options) {
      const RunFacts facts{sets, {}, {{.label = "pgd", .type = "pgd", .options = options}}};
      for (const auto& check : checkConvergence({}, facts)) {
        if (check.id == "H24") return check.verdict;
      }
      return Verdict::Red;
    };
    QVERIFY(verdict({{"steps", 50}}) == Verdict::Green);
    QVERIFY(verdict({{"steps", 10}, {"restarts", 5}}) == Verdict::Amber);
    QVERIFY(verdict({{"steps", 2}, {"restarts", 25}}) == Verdict::NotApplicable);

    Made sound(smooth);
    Lab lab;
    Task task;
    for (const double size : {0.002, 0.05}) {
      auto setting =
          lab.setting(sound, {{"eps", 0.1}, {"steps", 10}, {"restarts", 5}, {"step_size", size}});
      setting.budget = {.draws = 10, .noiseImages = 2, .restarts = 6, .squareQueries = 10};
      const auto checks = probe(HealthThresholds(), setting, Seed(7), task).checks;
      QVERIFY2(lights(checks).contains("H24") == (size < 0.01), told(checks));
    }
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
    attacks.back().options["loss"] = "total";  // follows a cost that the score does not see
    QCOMPARE(examined(), std::string("pgd"));
    attacks.back().options["loss"] = "objective";
    add("one step", "pgd", {{"eps", "8/255"}, {"steps", 1}});
    add("pgd", "pgd", {{"eps", "8/255"}, {"steps", 100}});
    QCOMPARE(examined(), std::string("pgd"));
    add("smaller", "pgd", {{"eps", "2/255"}, {"steps", 100}});
    QCOMPARE(examined(), std::string("pgd"));
    std::swap(attacks.back(), attacks[attacks.size() - 2]);
    QCOMPARE(examined(), std::string("pgd"));
    attacks.erase(attacks.end() - 2);
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

  /// H33 and H34 say nothing of a detector: filed once, not found again under each.
  void whatConcernsTheRunIsFiledOnce() {
    Made sound(smooth), twin(smooth);
    NormedNet network;
    network.freeze();
    Lab lab;
    Task task;
    Json summary = Json::object();
    HealthReport before;
    before.checks = {judged({}, "H33", "made", 0.5), judged({}, "H26", "", 0.0)};
    writeHealth(before, summary);
    const auto count = [&](const std::string& id) {
      return std::count_if(summary["health_checks"].begin(), summary["health_checks"].end(),
                           [&](const Json& check) { return check.at("id") == id; });
    };
    for (const bool ofRun : {true, false, true}) {
      auto setting = lab.setting(sound, {{"eps", 0.1}, {"steps", 30}, {"step_size", 0.02}});
      setting.ofRun = ofRun;
      setting.features = &network;
      setting.twin = &twin;
      setting.budget = {.draws = 10, .noiseImages = 2, .restarts = 2, .squareQueries = 10};
      setting.label = std::string(ofRun ? "made" : "other");
      const auto report = probe(HealthThresholds(), setting, Seed(7), task);
      for (const auto& check : report.checks) {
        const bool general = check.id == "H33" || check.id == "H34";
        QCOMPARE(check.subject, general ? std::string() : setting.label);
        QVERIFY(ofRun || !general);
        if (check.id == "H33") QVERIFY2(check.verdict != Verdict::NotApplicable, told({check}));
      }
      mergeHealth(report, setting.label, summary);
      QCOMPARE(count("H33"), 1);
      QCOMPARE(count("H34"), 1);
      QCOMPARE(count("H26"), 1);
    }
    QCOMPARE(count("H22"), 2);
  }

  /// With a radius of 0 an attack gives the detector's own scores of the clean images.
  void aRadiusOfZeroIsMeasuredOnTheDetector() {
    Lab lab;
    Task task;
    double calls = 0.0;
    Made sound(smooth), drifts([&](const torch::Tensor&x) { return smooth(x) + 0.1 * ++calls; });
    const AttackContext context{.batchSize = 4, .seed = Seed(1), .task = task, .thresholds = {1e9}};
    for (const char* type : {"fgsm", "pgd", "apgd", "bim_a", "square", "autoattack"}) {
      const auto attack = lab.registries.attacks.make(type, {{"eps", 0}}, type);
      for (Detector* detector : std::initializer_list<Detector*>{&sound, &drifts}) {
        DetectorObjective objective(*detector, 1);
        const auto check = checkZeroRadius({}, type, *attack, objective,
                                           imagesAround(0.3, 1).narrow(0, 0, 4), context);
        const auto expected = detector == &sound ? Verdict::Green : Verdict::Red;
        QVERIFY2(check.verdict == expected, told({check}));
      }
    }
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

QTEST_GUILESS_MAIN(TestHealthAttacks)
#include "tst_health_attacks.moc"
