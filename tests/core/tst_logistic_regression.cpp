// The logistic regression of the detectors that are trained on adversarial images.
#include <cmath>

#include "core/base/error.h"
#include "core/detectors/logistic_regression.h"
#include "tiny_net.h"

using namespace bulwark;
using torch::Tensor;

class TestLogisticRegression : public QObject {
  Q_OBJECT

  Json file_ = referenceFile("golden_logistic.json");
  Tensor x_, positive_, fold_;

  static Tensor numbers(const Json& values) {
    return torch::tensor(values.get<std::vector<double>>(), torch::kFloat64);
  }

 private Q_SLOTS:
  void initTestCase() {
    std::vector<Tensor> rows;
    for (const auto& row : file_["x"]) rows.push_back(numbers(row));
    x_ = torch::stack(rows);
    positive_ = numbers(file_["positive"]) > 0;
    fold_ = numbers(file_["fold"]).to(torch::kInt64);
  }

  /// Two rows at -1 and 1: by symmetry b = 0, and w solves w = 2 C / (1 + exp(w)).
  void closedForm() {
    const auto x = torch::tensor({{-1.0}, {1.0}}, torch::kFloat64);
    const auto y = torch::tensor({0, 1}) > 0;
    Task task;
    for (const double cost : {0.01, 1.0, 50.0}) {
      const auto theta = minimiseLogistic(x, y, cost, torch::zeros({2}, torch::kFloat64), task);
      const double w = theta[0].item<double>();
      QVERIFY(std::abs(w - 2 * cost / (1 + std::exp(w))) < 1e-8);
      QVERIFY(std::abs(theta[1].item<double>()) < 1e-9);
    }
    // Without features the intercept is the log-odds of the share.
    const auto none = torch::zeros({10, 1}, torch::kFloat64);
    const auto theta = minimiseLogistic(none, torch::arange(10) < 3, 2.0,
                                        torch::zeros({2}, torch::kFloat64), task);
    QVERIFY(std::abs(theta[1].item<double>() - std::log(3.0 / 7.0)) < 1e-8);
    QVERIFY(std::abs(theta[0].item<double>()) < 1e-12);
  }

  void minimumIsTheReference() {
    const auto low = std::get<0>(x_.min(0)), high = std::get<0>(x_.max(0));
    const auto scaled = (x_ - low) / (high - low);
    Task task;
    const auto costs = usualCosts();
    for (std::size_t i = 0; i < file_["all"].size(); ++i) {
      const auto expected = numbers(file_["all"][i]);
      // From zero and from far away.
      for (const double start : {0.0, 20.0}) {
        const auto found = minimiseLogistic(scaled, positive_, costs[i],
                                            torch::full({4}, start, torch::kFloat64), task);
        QVERIFY2(torch::allclose(found, expected, 1e-6, 1e-8), std::to_string(costs[i]).c_str());
      }
    }
  }

  void costIsCrossValidated() {
    Task task;
    const auto model = fitLogistic(x_, positive_, fold_, usualCosts(), task, "test");
    QVERIFY(std::abs(model.cost / file_["cost"].get<double>() - 1) < 1e-12);
    const auto accuracy = file_["accuracy"].get<std::vector<double>>();
    QVERIFY(std::abs(model.accuracy - *std::max_element(accuracy.begin(), accuracy.end())) < 1e-12);
    const auto theta = numbers(file_["theta"]);
    QVERIFY(torch::allclose(model.weights, theta.slice(0, 0, 3), 1e-6, 1e-8));
    QVERIFY(std::abs(model.intercept - theta[3].item<double>()) < 1e-6);
    const auto scaled = (x_ - model.low) / model.range;
    QVERIFY(torch::allclose(model.logOdds(x_), torch::mv(scaled, theta.slice(0, 0, 3)) + theta[3],
                            1e-5, 1e-6));
    // One cost alone is taken, whatever it is worth.
    QCOMPARE(fitLogistic(x_, positive_, fold_, {0.5}, task, "test").cost, 0.5);
  }

  void scaleDoesNotMatter() {
    Task task;
    const auto factors = torch::tensor({1e-3, 40.0, 1e5}, torch::kFloat64);
    const auto a = fitLogistic(x_, positive_, fold_, usualCosts(), task, "test");
    const auto b = fitLogistic(x_ * factors - 17, positive_, fold_, usualCosts(), task, "test");
    QVERIFY(torch::allclose(a.logOdds(x_), b.logOdds(x_ * factors - 17), 1e-4, 1e-6));
    // A feature that never varies changes nothing.
    const auto still = torch::cat({x_, torch::full({x_.size(0), 1}, 3.0, torch::kFloat64)}, 1);
    const auto c = fitLogistic(still, positive_, fold_, usualCosts(), task, "test");
    QVERIFY(torch::allclose(a.logOdds(x_), c.logOdds(still), 1e-5, 1e-7));
    QCOMPARE(c.weights[3].item<double>(), 0.0);
  }

  /// Classes that a line separates stay finite, up to the largest cost.
  void separableClasses() {
    const auto x = torch::linspace(0, 1, 40, torch::kFloat64).unsqueeze(1);
    const auto y = (x > 0.5).squeeze(1);
    Task task;
    const auto fold = torch::arange(40).remainder(5);
    const auto model = fitLogistic(x, y, fold, {1e4}, task, "test");
    QVERIFY(torch::isfinite(model.weights).all().item<bool>());
    QCOMPARE(model.accuracy, 1.0);
    QVERIFY(((model.logOdds(x) > 0) == y).all().item<bool>());
  }

  void stateStopsAndErrors() {
    Task task;
    const auto model = fitLogistic(x_, positive_, fold_, usualCosts(), task, "test");
    TensorFile file;
    model.save(file, "a");
    const auto again = LogisticRegression::load(file, "a", 3, torch::kCPU, "test");
    QVERIFY(torch::equal(again.logOdds(x_), model.logOdds(x_)));
    QCOMPARE(again.cost, model.cost);
    QCOMPARE(again.accuracy, model.accuracy);
    QVERIFY_EXCEPTION_THROWN(LogisticRegression::load(file, "a", 4, torch::kCPU, "test"), Error);

    Control control;
    std::vector<ProgressUpdate> updates;
    Task watched(&control, [&](const ProgressUpdate& update) { updates.push_back(update); });
    fitLogistic(x_, positive_, fold_, usualCosts(), watched, "test");
    QCOMPARE(updates.back().done, 51);
    QCOMPARE(updates.back().total, 51);
    control.cancel();
    QVERIFY_EXCEPTION_THROWN(fitLogistic(x_, positive_, fold_, usualCosts(), watched, "test"),
                             Error);
    const auto bad = x_.clone();
    bad[3][1] = std::nan("");
    QVERIFY_EXCEPTION_THROWN(fitLogistic(bad, positive_, fold_, usualCosts(), task, "test"), Error);
    QVERIFY_EXCEPTION_THROWN(
        fitLogistic(x_, torch::zeros_like(positive_), fold_, usualCosts(), task, "test"), Error);
  }
};

QTEST_GUILESS_MAIN(TestLogisticRegression)
#include "tst_logistic_regression.moc"
