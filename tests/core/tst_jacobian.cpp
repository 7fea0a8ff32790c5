#include <cmath>

#include "core/base/error.h"
#include "core/nn/autoencoder.h"
#include "core/nn/fixed_point.h"
#include "core/nn/jacobian.h"

using namespace bulwark;

namespace {

using torch::Tensor;

Tensor uniform(torch::IntArrayRef sizes, Seed seed) {
  auto values = torch::empty(sizes, torch::kFloat64);
  Random random(seed);
  for (std::int64_t i = 0; i < values.numel(); ++i) values.data_ptr<double>()[i] = random.uniform();
  return values;
}

Tensor matrix(std::vector<std::vector<double>> rows) {
  std::vector<Tensor> all;
  for (const auto& row : rows) all.push_back(torch::tensor(row, torch::kFloat64));
  return torch::stack(all);
}

/// Largest difference relative to the largest entry.
double distance(const Tensor& a, const Tensor& b) {
  return ((a - b).abs().max() / b.abs().max().clamp_min(1e-30)).item<double>();
}

std::unique_ptr<Autoencoder> network(NetworkShape shape, std::vector<std::int64_t> encoder,
                                     bool linear, torch::ScalarType type = torch::kFloat64,
                                     std::int64_t passes = 1) {
  auto made = std::make_unique<Autoencoder>(shape, encoder, linear, passes);
  made->initialise(Seed(3));
  made->to(type);
  return made;
}

struct Gradients {
  double value = 0;
  std::vector<Tensor> weights;
};

Gradients gradients(Autoencoder& of, const Tensor& mean) {
  std::vector<Tensor> parameters;
  for (const auto& layer : of.layers()) parameters.push_back(layer->weight);
  return {mean.item<double>(), torch::autograd::grad({mean}, parameters)};
}

}  // namespace

class TestJacobian : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(2); }

  /// By hand, in integers: the network of the method notes at three images with different masks.
  void integersByHand() {
    const std::vector<Tensor> weights = {
        matrix({{1, -1, 2}, {0, 2, -1}, {1, 1, 0}}), matrix({{1, 2, -1}, {-1, 1, 1}}),
        matrix({{2, -1}, {1, 1}, {-1, 2}}), matrix({{1, 0, 1}, {-1, 2, 0}, {1, 1, -1}})};
    const std::vector<Tensor> biases = {torch::tensor({0., 1., -1.}, torch::kFloat64),
                                        torch::zeros({2}, torch::kFloat64),
                                        torch::tensor({1., 0., -1.}, torch::kFloat64),
                                        torch::tensor({0., -1., 2.}, torch::kFloat64)};
    struct Case {
      std::vector<double> image;
      double norm;
      std::vector<Tensor> gradient;  // of half the squared norm
    };
    const std::vector<Case> cases = {
        {{1, 2, 1},
         306,
         {matrix({{0, -36, 63}, {0, 54, 0}, {0, 36, -63}}), matrix({{36, -9, 6}, {-126, 126, 42}}),
          matrix({{-12, -60}, {48, 132}, {12, 51}}),
          matrix({{-9, 45, 54}, {-27, 99, 126}, {18, -18, -36}})}},
        {{2, 0, 1},
         104,
         {matrix({{0, -26, 26}, {0, 0, 0}, {0, 26, -26}}), matrix({{78, 0, -26}, {0, 0, 0}}),
          matrix({{40, 0}, {24, 0}, {0, 0}}), matrix({{32, 16, 0}, {0, 0, 0}, {48, 24, 0}})}},
        {{3, 1, 2},
         52,
         {matrix({{0, 26, 0}, {0, 52, 0}, {0, -26, 0}}), matrix({{-26, 52, 26}, {0, 0, 0}}),
          matrix({{20, 0}, {12, 0}, {0, 0}}), matrix({{16, 8, 0}, {0, 0, 0}, {24, 12, 0}})}}};
    for (const auto& one : cases) {
      for (const auto form : {JacobianForm::ActiveRows, JacobianForm::Batched}) {
        for (std::size_t code = 1; code < 4; ++code) {
          ReluChain chain;
          Tensor value = torch::tensor(one.image, torch::kFloat64).unsqueeze(0);
          for (std::size_t l = 0; l < 4; ++l) {
            value = torch::relu(torch::addmm(biases[l], value, weights[l].t()));
            chain.weights.push_back(weights[l].clone().requires_grad_(true));
            chain.masks.push_back(value.gt(0).to(torch::kFloat64));
          }
          const auto norm = jacobianNorm(chain, code, form);
          QCOMPARE(norm.mean.item<double>(), one.norm);
          QCOMPARE(norm.perImage[0].item<double>(), one.norm);
          const auto found = torch::autograd::grad({norm.mean / 2}, chain.weights);
          for (std::size_t l = 0; l < 4; ++l) QVERIFY(torch::equal(found[l], one.gradient[l]));
        }
      }
    }
  }

  void equalsBackwardPasses_data() {
    QTest::addColumn<int>("channels");
    QTest::addColumn<int>("side");
    QTest::addColumn<QList<int>>("encoder");
    QTest::addColumn<bool>("linear");
    QTest::addColumn<bool>("isDouble");
    for (const bool isDouble : {false, true}) {
      const char* type = isDouble ? "double" : "float";
      for (const bool linear : {false, true}) {
        const char* end = linear ? "linear" : "relu";
        QTest::addRow("one hidden layer, %s, %s", end, type)
            << 1 << 6 << QList<int>{20} << linear << isDouble;
        QTest::addRow("three, %s, %s", end, type)
            << 1 << 8 << QList<int>{40, 24, 20} << linear << isDouble;
        QTest::addRow("colour, widening, %s, %s", end, type)
            << 3 << 4 << QList<int>{30, 50} << linear << isDouble;
      }
      QTest::addRow("28 x 28 as published, %s", type)
          << 1 << 28 << QList<int>{500, 300, 300} << false << isDouble;
    }
  }
  void equalsBackwardPasses() {
    QFETCH(int, channels);
    QFETCH(int, side);
    QFETCH(QList<int>, encoder);
    QFETCH(bool, linear);
    QFETCH(bool, isDouble);
    const auto type = isDouble ? torch::kFloat64 : torch::kFloat32;
    const double tolerance = isDouble ? 1e-10 : 1e-5;
    const auto net =
        network({channels, side, side, 4}, {encoder.begin(), encoder.end()}, linear, type);
    net->setNormalisation(torch::full({channels}, 0.1), torch::full({channels}, 0.5));
    const std::int64_t images = side == 28 ? 2 : 7;
    const auto x = uniform({images, channels, side, side}, Seed(5)).to(type).requires_grad_(true);
    const auto naive = naiveJacobianNorm(net->reconstruct(x), x);
    const auto expected = gradients(*net, naive.mean());
    for (const auto form : {JacobianForm::ActiveRows, JacobianForm::Batched}) {
      const auto norm = jacobianNorm(net->pass(x).chain, net->encoderLayers(), form);
      QVERIFY(distance(norm.perImage, naive.detach()) < tolerance);
      const auto found = gradients(*net, norm.mean);
      QVERIFY(std::abs(found.value - expected.value) < tolerance * expected.value);
      for (std::size_t l = 0; l < found.weights.size(); ++l) {
        QVERIFY(expected.weights[l].abs().max().item<double>() > 0);
        QVERIFY(distance(found.weights[l], expected.weights[l]) < tolerance);
      }
    }
    // Without a gradient to find, the value is the same.
    const torch::NoGradGuard noGrad;
    const auto value = jacobianNorm(net->pass(x).chain, net->encoderLayers());
    QVERIFY(!value.mean.requires_grad());
    QVERIFY(distance(value.perImage, naive.detach()) < tolerance);
  }

  void deadLayersAndThreads() {
    auto net = network({1, 6, 6, 3}, {20, 10}, false);
    const auto x = uniform({9, 1, 6, 6}, Seed(6));
    torch::set_num_threads(1);
    const auto one = gradients(*net, jacobianNorm(net->pass(x).chain, 2).mean);
    torch::set_num_threads(3);
    const auto three = gradients(*net, jacobianNorm(net->pass(x).chain, 2).mean);
    torch::set_num_threads(2);
    for (std::size_t l = 0; l < 4; ++l) {
      QVERIFY(distance(three.weights[l], one.weights[l]) < 1e-12);
    }
    // No unit of the code is active: nothing moves, and there is no gradient.
    {
      const torch::NoGradGuard noGrad;
      net->layers()[1]->bias.fill_(-100);
    }
    const auto dead = gradients(*net, jacobianNorm(net->pass(x).chain, 2).mean);
    QCOMPARE(dead.value, 0.0);
    for (const auto& gradient : dead.weights) QCOMPARE(gradient.abs().max().item<double>(), 0.0);
    QCOMPARE(jacobianRadius(*net, x).abs().max().item<double>(), 0.0);
  }

  void hutchinsonIsUnbiased() {
    // J J^T is diagonal: every probe gives the norm itself.
    const auto x = uniform({4, 5}, Seed(7)).requires_grad_(true);
    Random random{Seed(8)};
    const auto scales = torch::tensor({1., 2., 3., 4., 5.}, torch::kFloat64);
    const auto exact = hutchinsonJacobianNorm(x * scales, x, 1, random);
    QVERIFY(distance(exact, torch::full({4}, 55.0, torch::kFloat64)) < 1e-14);
    // In general the mean over probes; the gradient too.
    const auto net = network({1, 4, 4, 3}, {12, 6}, false);
    const auto y = uniform({2, 1, 4, 4}, Seed(9)).requires_grad_(true);
    const auto expected = gradients(*net, jacobianNorm(net->pass(y).chain, 2).mean);
    const auto output = net->reconstruct(y);
    const auto estimate = gradients(*net, hutchinsonJacobianNorm(output, y, 2000, random).mean());
    QVERIFY2(std::abs(estimate.value / expected.value - 1) < 0.15,
             std::to_string(estimate.value / expected.value).c_str());
    for (std::size_t l = 0; l < 4; ++l) {
      QVERIFY(distance(estimate.weights[l], expected.weights[l]) < 0.3);
    }
    const auto few = hutchinsonJacobianNorm(net->reconstruct(y), y, 2, random);
    QVERIFY(distance(few.detach(), jacobianNorm(net->pass(y).chain, 2).perImage) > 1e-6);
  }

  void spectralRadiusInClosedForm() {
    const double angle = 0.7;
    const auto all = torch::stack(
        {matrix({{0.5, 0}, {0, -0.9}}),
         0.8 * matrix({{std::cos(angle), -std::sin(angle)}, {std::sin(angle), std::cos(angle)}}),
         matrix({{0.9, 1}, {0, 0.9}}),  // defective
         matrix({{0, 5}, {0, 0}}),      // nilpotent
         matrix({{2, 0}, {0, -2}}), 1e200 * matrix({{3, 1}, {0, 1}}), matrix({{0, 0}, {0, 0}})});
    const auto radius = spectralRadius(all);
    const std::vector<double> expected = {0.9, 0.8, 0.9, 0, 2, 3e200, 0};
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto found = radius[static_cast<std::int64_t>(i)].item<double>();
      QVERIFY2(std::abs(found - expected[i]) <= 1e-3 * expected[i], std::to_string(found).c_str());
    }
    const auto random = 2 * uniform({6, 30, 30}, Seed(10)) - 1;
    const auto eigenvalues = std::get<0>(torch::linalg_eigvals(random).abs().max(1));
    QVERIFY(distance(spectralRadius(random), eigenvalues) < 1e-3);
  }

  /// Against the eigenvalues of the whole Jacobian, row by row from backward passes.
  void radiusOfTheJacobian() {
    for (const bool linear : {false, true}) {
      const auto net = network({1, 5, 5, 3}, {20, 12}, linear);
      net->setNormalisation(torch::full({1}, 0.2), torch::full({1}, 0.4));
      const auto x = uniform({3, 1, 5, 5}, Seed(11)).requires_grad_(true);
      const auto flat = net->reconstruct(x).flatten(1);
      std::vector<Tensor> rows;
      for (std::int64_t i = 0; i < 25; ++i) {
        rows.push_back(
            torch::autograd::grad({flat.select(1, i).sum()}, {x}, {}, true)[0].flatten(1));
      }
      const auto jacobian = torch::stack(rows, 1);
      const auto expected = std::get<0>(torch::linalg_eigvals(jacobian).abs().max(1));
      QVERIFY(distance(jacobianRadius(*net, x.detach()), expected) < 2e-3);
      const auto norm = jacobianNorm(net->pass(x).chain, 2).perImage;
      QVERIFY(distance(norm, jacobian.square().sum({1, 2})) < 1e-12);
    }
  }

  void pearsonCorrelation() {
    const auto x = uniform({5, 1, 3, 4}, Seed(12)), y = uniform({5, 1, 3, 4}, Seed(13));
    const auto found = pearson(x, y);
    for (std::int64_t n = 0; n < 5; ++n) {
      const auto a = x[n].flatten(), b = y[n].flatten();
      const auto byHand = torch::corrcoef(torch::stack({a, b}))[0][1].item<double>();
      QVERIFY(std::abs(found[n].item<double>() - byHand) < 1e-12);
    }
    QVERIFY(distance(pearson(x, 3 * x + 2), torch::ones({5}, torch::kFloat64)) < 1e-12);
    QVERIFY(distance(pearson(x, 1 - x), -torch::ones({5}, torch::kFloat64)) < 1e-12);
    // A constant image has no correlation, and its gradient is 0, not NaN.
    const auto flat = torch::full({2, 1, 28, 28}, 0.3, torch::kFloat32).requires_grad_(true);
    const auto noise = uniform({2, 1, 28, 28}, Seed(14)).to(torch::kFloat32).requires_grad_(true);
    const auto none = pearson(flat, noise);
    QCOMPARE(none.abs().max().item<double>(), 0.0);
    for (const auto& gradient : torch::autograd::grad({none.sum()}, {flat, noise})) {
      QCOMPARE(gradient.abs().max().item<double>(), 0.0);
    }
    // One pixel by one of 255 is not constant.
    auto pixel = torch::full({1, 1, 28, 28}, 0.5, torch::kFloat32);
    pixel[0][0][3][3] = 0.5 + 1.0 / 255;
    QVERIFY(pearson(pixel, 2 * pixel).item<double>() > 0.999);
  }

  void iteratesToATolerance() {
    const auto net = network({1, 4, 4, 3}, {10, 6}, true);
    {
      const torch::NoGradGuard noGrad;
      for (const auto& layer : net->layers()) layer->weight.mul_(0.9);
    }
    const auto x = uniform({6, 1, 4, 4}, Seed(15));
    const auto thrice = iterate(*net, x, {3, 0});
    const auto second = net->reconstruct(net->reconstruct(x));
    QVERIFY(torch::equal(thrice.fed, second));
    QVERIFY(torch::equal(thrice.last, net->reconstruct(second)));
    QVERIFY(torch::equal(thrice.code, net->encode(second)));
    QVERIFY((thrice.used == 3).all().item<bool>());
    // Until no pixel changes by more than the tolerance; each image by itself.
    const double tolerance = 1e-3;
    const auto settled = iterate(*net, x, {500, tolerance});
    for (std::int64_t n = 0; n < 6; ++n) {
      auto at = x.slice(0, n, n + 1), before = at;
      std::int64_t used = 0;
      double change = 1;
      while (used < 500 && change > tolerance) {
        before = at;
        at = net->reconstruct(at);
        change = (at - before).abs().max().item<double>();
        ++used;
      }
      QCOMPARE(settled.used[n].item<std::int64_t>(), used);
      QVERIFY(used > 1 && used < 500);
      QVERIFY(distance(settled.last.slice(0, n, n + 1), at) < 1e-12);
    }
    // The class of n passes is that of the image fed last, and its gradient goes through all.
    const ClassesAfter iterated(*net, {3, 0.0});
    const auto leaf = x.clone().requires_grad_(true);
    const auto logits = net->forward(leaf);
    QVERIFY(distance(logits, net->classify(thrice.code)) < 1e-12);
    const auto gradient = torch::autograd::grad({logits.select(1, 0).sum()}, {leaf})[0];
    auto moved = x.clone();
    moved[2][0][1][1] += 1e-6;
    const double measured = (net->forward(moved) - net->forward(x))[2][0].item<double>() / 1e-6;
    QVERIFY(std::abs(measured - gradient[2][0][1][1].item<double>()) < 1e-5);
    QVERIFY(std::abs(measured) > 1e-8);
  }

  void refusesOtherNetworks() {
    Registry<Network, NetworkShape> networks("network");
    registerNetworks(networks);
    const auto other = networks.make("mlp", Json::object(), "network", NetworkShape{});
    QVERIFY_EXCEPTION_THROWN(requireAutoencoder(*other, "detectors[0]"), Error);
    const auto own = networks.make("autoencoder", Json::object(), "network", NetworkShape{});
    QCOMPARE(&requireAutoencoder(*own, "x"), own.get());
    QVERIFY_EXCEPTION_THROWN(
        networks.make("autoencoder", {{"encoder", Json::array()}}, "network", NetworkShape{}),
        Error);
  }
};

QTEST_GUILESS_MAIN(TestJacobian)
#include "tst_jacobian.moc"
