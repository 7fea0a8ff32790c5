// The checks of an evaluation: a sound detector stays green, each known fault turns its own light.
#include <set>

#include "core/health/consistency.h"
#include "core/health/target.h"

using namespace bulwark;

namespace {

enum class Fault { None, Detached, Random, BatchMean, Saturated, ZeroGradient };

/// s(x) = mean pixel, with one fault planted.
class Planted : public Detector {
 public:
  explicit Planted(Fault fault) : fault_(fault) {}
  DetectorTraits traits() const override { return {.needsClassifier = false}; }
  void fit(const DetectorContext&) override {}
  torch::Tensor score(const torch::Tensor& images) override {
    const auto mean = images.flatten(1).mean(1);
    switch (fault_) {
      case Fault::Detached:
        return mean.detach();
      case Fault::Random:
        return mean + 0.1 * ++calls_;
      case Fault::BatchMean:
        return mean - 0.5 * mean.mean();
      case Fault::Saturated:
        return torch::sigmoid(mean * 1e4);
      case Fault::ZeroGradient:
        return mean * 0.0 + mean.detach();
      case Fault::None:
        break;
    }
    return mean;
  }
  void save(TensorFile&) const override {}
  void load(const TensorFile&, Network*, const torch::Device&) override {}

 private:
  Fault fault_;
  int calls_ = 0;
};

std::string reds(const std::vector<HealthCheck>& checks) {
  std::string found;
  for (const auto& check : checks) {
    if (check.verdict == Verdict::Red || check.verdict == Verdict::Amber) {
      found += check.id + " ";
    }
  }
  return found;
}

/// An attacked row, both sets, of detector "d" and out set "o".
ResultRow row(const std::string& attack, double auroc) {
  ResultRow result;
  result.detector = std::string("d");
  result.attack = attack;
  result.setting = std::string("in_out");
  result.out = std::string("o");
  result.auroc = auroc;
  return result;
}

}  // namespace

Q_DECLARE_METATYPE(Fault)

class TestHealth : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void eachFaultTurnsItsLight_data() {
    QTest::addColumn<Fault>("fault");
    QTest::addColumn<QString>("lights");
    QTest::newRow("sound") << Fault::None << "";
    QTest::newRow("detached") << Fault::Detached << "H15 ";
    QTest::newRow("randomised") << Fault::Random << "H10 ";
    QTest::newRow("depends on the batch") << Fault::BatchMean << "H12 ";
    QTest::newRow("saturated") << Fault::Saturated << "H13 H14 H15 ";
    QTest::newRow("zero gradient") << Fault::ZeroGradient << "H15 ";
  }

  void eachFaultTurnsItsLight() {
    QFETCH(Fault, fault);
    QFETCH(QString, lights);
    torch::manual_seed(1);
    const auto pixels = 0.2 + 0.6 * torch::rand({64, 1, 6, 6}) * torch::rand({64, 1, 1, 1});
    Planted detector(fault);
    Target target{.detector = detector, .label = "planted", .images = pixels};
    const auto values = Planted(fault).score(pixels).to(torch::kFloat64).contiguous();
    target.scores.assign(values.data_ptr<double>(), values.data_ptr<double>() + 64);
    Task task;
    const auto checks = checkTarget(HealthThresholds(), target, Seed(1), task).checks;
    QCOMPARE(checks.size(), std::size_t{10});
    QCOMPARE(QString::fromStdString(reds(checks)), lights);
  }

  /// H15 looks at all sets: a score flat where out images lie, or along the attack, is masked.
  void zeroGradientsOfAnySetCount() {
    torch::manual_seed(1);
    const auto pixels = 0.4 * torch::rand({64, 1, 6, 6});
    Planted sound(Fault::None);
    class FlatAbove : public Planted {
     public:
      FlatAbove() : Planted(Fault::None) {}
      torch::Tensor score(const torch::Tensor& images) override {
        return images.flatten(1).mean(1).clamp_max(0.5);
      }
    } flat;
    Task task;
    const auto check = [&](const Target& target) {
      for (const auto& one : checkTarget(HealthThresholds(), target, Seed(1), task).checks) {
        if (one.id == "H15") return one;
      }
      return HealthCheck();
    };
    Target target{.detector = flat, .label = "planted", .images = pixels};
    QVERIFY(check(target).verdict == Verdict::Green);
    target.outs = {{"dark", pixels}, {"bright", torch::cat({pixels, pixels + 0.6})}};
    const auto masked = check(target);
    QVERIFY(masked.verdict == Verdict::Red);
    QCOMPARE(masked.value, 0.5);
    QCOMPARE(masked.detail, std::string("most on bright"));
    Target attacked{.detector = sound, .label = "planted", .images = pixels};
    attacked.outs = target.outs;
    attacked.zeroGradients = {{"pgd on dark", 0.0}, {"pgd on bright", 0.03}};
    const auto found = check(attacked);
    QVERIFY(found.verdict == Verdict::Amber);
    QCOMPARE(found.detail, std::string("most on pgd on bright"));
  }

  void anAttackThatHelpsIsRed() {
    std::vector<ScoreSet> table;
    ScoreSet set;
    set.detector = "d";
    set.dataset = "in";
    set.scores = {1.0, 2.0};
    table.push_back(set);
    set.attack = "pgd";
    set.scores = {1.0, 1.5};  // an in image must not become less anomalous
    table.push_back(set);
    const auto checks = checkResults(HealthThresholds(), {table, {}});
    QVERIFY(checks[0].verdict == Verdict::Red);
    QCOMPARE(checks[0].value, 0.5);
    QVERIFY(checks[0].detail.find("image 1") != std::string::npos);
    QVERIFY(checks[1].verdict == Verdict::NotApplicable);
    // FGSM on a cost of the classifier does not aim at the score; on the score itself it does.
    const auto fgsm = [&](const char* loss) {
      const std::vector<AttackFacts> attacks = {{"pgd", "fgsm", {{"loss", loss}}, {}}};
      return checkResults(HealthThresholds(), {table, {}, attacks})[0].verdict;
    };
    QVERIFY(fgsm("mse") == Verdict::NotApplicable);
    QVERIFY(fgsm("objective") == Verdict::Red);
    // Noise that is kept as it falls is a corruption; noise of which the worst is kept is not.
    const auto noise = [&](const char* type, const char* keep) {
      const std::vector<AttackFacts> attacks = {{"pgd", type, {{"keep", keep}}, {}}};
      return checkResults(HealthThresholds(), {table, {}, attacks})[0].verdict;
    };
    for (const char* type : {"salt_pepper", "noise_uniform", "noise_gaussian"}) {
      QVERIFY(noise(type, "last") == Verdict::NotApplicable);
      QVERIFY(noise(type, "best") == Verdict::Red);
    }
    QVERIFY(noise("pgd", "last") == Verdict::Red);
  }

  void anEnsembleIsNotWeakerThanItsMembers() {
    const ThreatModel ball{Norm::Linf, 0.03};
    const std::vector<ScoreSet> sets;
    // A member of the given kind that beats the ensemble by 0.1.
    const auto verdict = [&](const char* ensemble, const AttackFacts& member) {
      const std::vector<ResultRow> rows = {row("e", 0.4), row("m", 0.3)};
      const std::vector<AttackFacts> attacks = {{"e", ensemble, {{"steps", 100}}, ball}, member};
      for (const auto& check : checkResults(HealthThresholds(), {sets, rows, attacks})) {
        if (check.id == "H5") return check.verdict;
      }
      return Verdict::NotApplicable;
    };
    QVERIFY(verdict("autoattack", {"m", "apgd", {{"steps", 100}}, ball}) == Verdict::Red);
    QVERIFY(verdict("autoattack", {"m", "square", {{"queries", 5000}}, ball}) == Verdict::Red);
    QVERIFY(verdict("autoattack", {"m", "pgd", {{"steps", 100}}, ball}) == Verdict::Red);
    // A single step is beaten by the hundred of APGD, unless it follows something else.
    QVERIFY(verdict("autoattack", {"m", "fgsm", {{"loss", "objective"}}, ball}) == Verdict::Red);
    QVERIFY(verdict("autoattack", {"m", "fgsm", {{"loss", "total"}}, ball}) ==
            Verdict::NotApplicable);
    // More effort than the ensemble's own, a larger ball, or no member at all: nothing to say.
    for (const AttackFacts& other :
         {AttackFacts{"m", "apgd", {{"steps", 1000}}, ball},
          AttackFacts{"m", "apgd", {{"steps", 100}, {"restarts", 5}}, ball},
          AttackFacts{"m", "square", {{"queries", 50000}}, ball},
          AttackFacts{"m", "pgd", {{"steps", 200}}, ball},
          AttackFacts{"m", "pgd", {{"steps", 20}, {"restarts", 5}}, ball},
          AttackFacts{"m", "pgd", {{"steps", 20}, {"momentum", 1.0}}, ball},
          AttackFacts{"m", "fgsm", Json::object(), {Norm::Linf, 0.1}},
          AttackFacts{"m", "simba", Json::object(), ball}}) {
      QVERIFY(verdict("autoattack", other) == Verdict::NotApplicable);
    }
    QVERIFY(verdict("a3", {"m", "square", {{"queries", 10}}, ball}) == Verdict::NotApplicable);
    // Members that were left out are none.
    const auto among = [&](const Json& members, const char* type) {
      const std::vector<ResultRow> rows = {row("e", 0.4), row("m", 0.3)};
      const std::vector<AttackFacts> attacks = {{"e", "autoattack", {{"members", members}}, ball},
                                                {"m", type, Json::object(), ball}};
      return checkResults(HealthThresholds(), {sets, rows, attacks})[4].verdict;
    };
    for (const auto& [member, types] :
         {std::pair{"apgd_ce", std::set<std::string>{"apgd", "fgsm"}},
          std::pair{"apgd_t", std::set<std::string>{"apgd", "fgsm", "pgd"}},
          std::pair{"fab_t", std::set<std::string>{"fab", "fab_t"}},
          std::pair{"square", std::set<std::string>{"square"}}}) {
      for (const char* type : {"apgd", "pgd", "fgsm", "fab", "fab_t", "square"}) {
        const auto expected = types.contains(type) ? Verdict::Red : Verdict::NotApplicable;
        QVERIFY2(among(Json::array({member}), type) == expected, type);
      }
    }
  }

  /// H4 compares what has more steps or restarts and is otherwise the same, at any step size.
  void moreEffortIsComparedAtAnyStepSize() {
    const std::vector<ScoreSet> sets;
    const std::vector<ResultRow> rows = {row("fewer", 0.3), row("more", 0.4)};
    const auto verdict = [&](const Json& changesOfFewer, const Json& changesOfMore,
                             const ThreatModel& ballOfMore, const char* typeOfMore = "pgd") {
      Json fewer = {{"steps", 10}, {"restarts", 1}, {"step_size", 0}, {"momentum", 0}};
      Json more = fewer;
      fewer.update(changesOfFewer);
      more.update(changesOfMore);
      const std::vector<AttackFacts> attacks = {{"fewer", "pgd", fewer, {Norm::Linf, 0.2}},
                                                {"more", typeOfMore, more, ballOfMore}};
      return checkResults(HealthThresholds(), {sets, rows, attacks})[3];
    };
    const ThreatModel ball{Norm::Linf, 0.2};
    const Json none = Json::object();
    // As in the presets of attacks: a step size written out beside an automatic one.
    const auto found = verdict(none, {{"steps", 100}, {"step_size", 0.05}}, ball);
    QCOMPARE(found.id, std::string("H4"));
    QVERIFY(found.verdict == Verdict::Red);
    QVERIFY(std::abs(found.value - 0.1) < 1e-12);
    QVERIFY(found.detail.find("more is weaker than fewer") == 0);
    QVERIFY(verdict(none, {{"steps", 100}}, ball).verdict == Verdict::Red);
    QVERIFY(
        verdict({{"step_size", "8/255"}}, {{"steps", 100}, {"step_size", "1/255"}}, ball).verdict ==
        Verdict::Red);
    QVERIFY(verdict(none, {{"restarts", 5}}, ball).verdict == Verdict::Red);
    QVERIFY(verdict(none, {{"restarts", 5}, {"step_size", 0.05}}, ball).verdict == Verdict::Red);
    // Any other difference makes it another attack, and a step size alone is no effort.
    const Json more = {{"steps", 100}};
    for (const auto& other :
         {verdict(none, {{"step_size", 0.05}}, ball),
          verdict(none, {{"steps", 100}, {"momentum", 1.0}}, ball),
          verdict({{"restarts", 5}}, more, ball), verdict(none, more, {Norm::L2, 0.2}),
          verdict(none, more, {Norm::Linf, 0.1}), verdict(none, more, ball, "bim_a")}) {
      QVERIFY2(other.verdict == Verdict::NotApplicable, other.detail.c_str());
    }
  }

  /// The same attack in two strengths is recognised however its numbers are written.
  void strengthsAreComparedByNumber() {
    const std::vector<ScoreSet> sets;
    const std::vector<ResultRow> rows = {row("a", 0.3), row("b", 0.4)};  // b must be no weaker
    const auto checks = [&](const Json& a, double radiusA, const Json& b, double radiusB) {
      const std::vector<AttackFacts> attacks = {{"a", "pgd", a, {Norm::Linf, radiusA}},
                                                {"b", "pgd", b, {Norm::Linf, radiusB}}};
      return checkResults(HealthThresholds(), {sets, rows, attacks});
    };
    const double small = 4.0 / 255.0, usual = 8.0 / 255.0;
    const auto radii = checks({{"steps", 10}, {"eps", "4/255"}, {"momentum", "1/2"}}, small,
                              {{"eps", usual}, {"momentum", 0.5}, {"steps", 10.0}}, usual);
    QVERIFY(radii[2].verdict == Verdict::Red);
    QCOMPARE(radii[2].detail, std::string("b is weaker than a on d, o, in_out"));
    const auto steps = checks({{"eps", "8/255"}, {"steps", 10}, {"restarts", 1}}, usual,
                              {{"eps", usual}, {"steps", 20}, {"restarts", 1.0}}, usual);
    QVERIFY(steps[3].verdict == Verdict::Red);
    const auto other = checks({{"eps", "8/255"}, {"steps", 10}, {"momentum", "1/2"}}, usual,
                              {{"eps", usual}, {"steps", 20}, {"momentum", 0.75}}, usual);
    QVERIFY(other[3].verdict == Verdict::NotApplicable);
  }

  void inAndOutTogetherMustBeWorst() {
    const auto row = [](const char* attack, const char* setting, double auroc) {
      ResultRow result;
      result.detector = "d";
      result.attack = attack;
      result.setting = setting;
      result.out = std::string("o");
      result.auroc = auroc;
      return result;
    };
    std::vector<ResultRow> rows = {row("", "clean", 0.9), row("pgd", "in", 0.8),
                                   row("pgd", "out", 0.7), row("pgd", "in_out", 0.7)};
    QVERIFY(checkResults(HealthThresholds(), {{}, rows})[1].verdict == Verdict::Green);
    rows[3].auroc = 0.71;
    QVERIFY(checkResults(HealthThresholds(), {{}, rows})[1].verdict == Verdict::Red);
    rows[3].auroc = 0.6;
    rows[1].auroc = 0.95;
    QVERIFY(checkResults(HealthThresholds(), {{}, rows})[1].verdict == Verdict::Red);
    QCOMPARE(healthLine(checkResults(HealthThresholds(), {{}, rows})),
             std::string("health: 1 red (H2), 0 green"));
  }
};

QTEST_GUILESS_MAIN(TestHealth)
#include "tst_health.moc"
