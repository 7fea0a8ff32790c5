// Known faults of a score, planted one at a time: each turns its own lights and no others. Faults
// of an attack are in tst_health_attacks.
#include "core/detectors/detector_objective.h"
#include "core/experiment/health.h"
#include "core/health/training_end.h"
#include "core/metrics/roc.h"
#include "core/training/evaluate.h"
#include "health_support.h"

using namespace bulwark;
using namespace planted;

namespace {

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
    // No gradient, no step: whatever moves at all wins, and no radius is large enough.
    QVERIFY2(lights(report.checks) == "H27 H28 H29 H30 H31", told(report.checks));
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
    Made sound(smooth);
    const auto last = examine(sound).back();  // without an attack there are no starts to differ
    QVERIFY(last.id == "H26" && last.verdict == Verdict::NotApplicable);
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

  /// Rounded input: no gradient comes through, so H15 lights beside H20; Square and
  /// noise win, and the attack gets nowhere at any radius.
  void quantisedInput() {
    Made rounded([](const torch::Tensor& x) { return smooth((x * 255.0).round() / 255.0); });
    const auto checks = examine(rounded);
    QVERIFY2(lights(checks) == "H15 H20", told(checks));
    Lab lab;
    Task task;
    auto setting = lab.setting(rounded, {{"eps", 0.1}, {"steps", 10}});
    const auto report = probe(HealthThresholds(), setting, Seed(7), task);
    QVERIFY2(lights(report.checks) == "H27 H28 H30 H31", told(report.checks));
    // What was measured, and what it may mean: not only that gradients are masked.
    const auto said = told(report.checks);
    QVERIFY2(said.contains("square, which needs no gradients, did better on ") &&
                 said.contains(" % of the images (") &&
                 said.contains("the gradient attack is too weak or gradients are "
                               "masked"),
             said);
  }
};

QTEST_GUILESS_MAIN(TestHealthFixtures)
#include "tst_health_fixtures.moc"
