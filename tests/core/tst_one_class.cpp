#include <svm.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/detectors/kernel_sum.h"
#include "core/detectors/one_class_machine.h"

using namespace bulwark;

namespace {

/// Correlated normal points, float64 [n, d].
torch::Tensor cloud(std::int64_t n, std::int64_t d, std::uint64_t seed) {
  auto values = torch::empty({n, d}, torch::kFloat64);
  Random random(Seed{seed});
  auto* data = values.data_ptr<double>();
  for (std::int64_t i = 0; i < values.numel(); ++i) data[i] = random.normal();
  for (std::int64_t j = 1; j < d; ++j) values.select(1, j).add_(values.select(1, j - 1), 0.7);
  return values * 2.5 + 1.0;
}

OneClassMachine fitOne(const torch::Tensor& points, const OneClassOptions& options = {}) {
  Task task;
  return OneClassMachine::fit({points}, options, torch::kCPU, task)[0];
}

/// libsvm itself, on standardised points.
class Libsvm {
 public:
  Libsvm(const torch::Tensor& z, double gamma, double nu) : nodes_(nodesOf(z)) {
    for (auto& row : nodes_) rows_.push_back(row.data());
    labels_.assign(rows_.size(), 1.0);
    svm_problem problem{static_cast<int>(rows_.size()), labels_.data(), rows_.data()};
    svm_parameter parameter{};
    parameter.svm_type = ONE_CLASS;
    parameter.kernel_type = RBF;
    parameter.gamma = gamma;
    parameter.nu = nu;
    parameter.eps = 1e-3;
    parameter.cache_size = 100;
    parameter.shrinking = 1;
    model_ = svm_train(&problem, &parameter);
  }
  ~Libsvm() { svm_free_and_destroy_model(&model_); }
  torch::Tensor decide(const torch::Tensor& z) const {
    const auto queries = nodesOf(z);
    auto values = torch::empty({z.size(0)}, torch::kFloat64);
    for (std::size_t i = 0; i < queries.size(); ++i) {
      svm_predict_values(model_, queries[i].data(), values.data_ptr<double>() + i);
    }
    return values;
  }

 private:
  static std::vector<std::vector<svm_node>> nodesOf(const torch::Tensor& z) {
    std::vector<std::vector<svm_node>> all;
    const auto values = z.contiguous();
    for (std::int64_t i = 0; i < z.size(0); ++i) {
      std::vector<svm_node> row;
      for (std::int64_t j = 0; j < z.size(1); ++j) {
        row.push_back({static_cast<int>(j + 1), values[i][j].item<double>()});
      }
      row.push_back({-1, 0.0});
      all.push_back(std::move(row));
    }
    return all;
  }

  std::vector<std::vector<svm_node>> nodes_;
  std::vector<svm_node*> rows_;
  std::vector<double> labels_;
  svm_model* model_ = nullptr;
};

torch::Tensor kernelMatrix(const torch::Tensor& a, const torch::Tensor& b, double gamma) {
  return (-gamma * torch::cdist(a, b, 2.0, 2).square()).exp();
}

/// Minimises 1/2 a^T Q a over 0 <= a <= 1, sum a = total by projected gradients: the projection
/// shifts all entries by what makes the clipped sum right, found by bisection.
torch::Tensor projectedGradient(const torch::Tensor& q, double total, int steps) {
  const double rate = 1.0 / torch::linalg_eigvalsh(q).max().item<double>();
  auto a = torch::full({q.size(0)}, total / static_cast<double>(q.size(0)), torch::kFloat64);
  auto ahead = a.clone();  // Nesterov's accelerated form
  double t = 1.0;
  for (int step = 0; step < steps; ++step) {
    const auto free = ahead - rate * torch::mv(q, ahead);
    double low = -2.0, high = 2.0;
    for (int i = 0; i < 60; ++i) {
      const double middle = (low + high) / 2;
      ((free + middle).clamp(0, 1).sum().item<double>() < total ? low : high) = middle;
    }
    const auto next = (free + low).clamp(0, 1);
    const double later = (1 + std::sqrt(1 + 4 * t * t)) / 2;
    ahead = next + ((t - 1) / later) * (next - a);
    a = next;
    t = later;
  }
  return a;
}

double worst(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace

class OneClassTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    svm_set_print_string_function([](const char*) {});
    torch::set_num_threads(2);
  }

  void standardisesWithThePopulationDeviation() {
    auto points = cloud(50, 3, 1);
    points.select(1, 2).fill_(0.1);  // whose mean differs from it by rounding
    const auto machine = fitOne(points);
    QVERIFY(worst(machine.mean(), points.mean(0)) < 1e-12);
    const auto deviation = points.std(0, /*unbiased=*/false);
    QVERIFY(worst(machine.scale().slice(0, 0, 2), deviation.slice(0, 0, 2)) < 1e-12);
    QCOMPARE(machine.scale()[2].item<double>(), 1.0);
    // scikit-learn's "scale": 1 / (features x variance of all entries) = 1 / features that vary.
    QVERIFY(std::abs(machine.gamma() - 0.5) < 1e-9);
  }

  void widthRules() {
    const auto points = cloud(200, 4, 2);
    OneClassOptions options;
    options.width = "fixed";
    options.gamma = 0.37;
    QCOMPARE(fitOne(points, options).gamma(), 0.37);
    options.width = "dimension";
    QCOMPARE(fitOne(points, options).gamma(), 0.25);
    options.width = "median";
    const auto z = (points - points.mean(0)) / points.std(0, false);
    const double median = torch::pdist(z).square().median().item<double>();
    QVERIFY(std::abs(fitOne(points, options).gamma() - 1.0 / median) < 1e-9);
  }

  void decisionsEqualLibsvms_data() {
    QTest::addColumn<int>("dimension");
    QTest::addColumn<double>("nu");
    QTest::newRow("6 features") << 6 << 0.1;
    QTest::newRow("40 features") << 40 << 0.1;
    QTest::newRow("small nu") << 10 << 0.001;
    QTest::newRow("large nu") << 10 << 0.6;
  }
  void decisionsEqualLibsvms() {
    QFETCH(int, dimension);
    QFETCH(double, nu);
    OneClassOptions options;
    options.nu = nu;
    const auto points = cloud(700, dimension, 3);
    const auto machine = fitOne(points, options);
    const auto standard = [&](const torch::Tensor& x) {
      return (x - machine.mean()) / machine.scale();
    };
    const Libsvm reference(standard(points), machine.gamma(), nu);
    const auto queries = torch::cat({points.slice(0, 0, 100), 3.0 * cloud(100, dimension, 4)});
    const auto expected = reference.decide(standard(queries));
    QVERIFY2(worst(machine.decision(queries), expected) < 1e-6,
             qPrintable(QString::number(worst(machine.decision(queries), expected))));
    // In float32, on the scale of the sums: sum of coefficients = nu n.
    const auto single = machine.decision(queries.to(torch::kFloat32)).to(torch::kFloat64);
    QVERIFY(worst(single, expected) / std::max(1.0, machine.total()) < 1e-5);
  }

  void optimalityConditionsAndNu() {
    for (const double nu : {0.05, 0.1, 0.5}) {
      OneClassOptions options;
      options.nu = nu;
      const auto points = cloud(400, 5, 5);
      const auto machine = fitOne(points, options);
      const auto a = machine.coefficients();
      QVERIFY(std::abs(a.sum().item<double>() - nu * 400) < 1e-9);
      QVERIFY(a.min().item<double>() > 0 && a.max().item<double>() <= 1);
      // Points on the border of the sphere have 0 < a < 1, those with a = 1 are outside or on it.
      const auto atSupports =
          machine.decision(machine.supports() * machine.scale() + machine.mean());
      const double slack = 2e-3;  // libsvm's tolerance on the gradient
      const auto bounded = a >= 1;
      QVERIFY(atSupports.index({~bounded}).abs().max().item<double>() < slack);
      QVERIFY(atSupports.index({bounded}).max().item<double>() < slack);
      const auto decisions = machine.decision(points);
      QVERIFY(decisions.lt(-slack).to(torch::kFloat64).mean().item<double>() <= nu);
      QVERIFY(static_cast<double>(a.size(0)) / 400 >= nu);
    }
  }

  /// Scores on a grid against a solution that shares no code with libsvm.
  void bruteForceOnAGrid() {
    const auto points = cloud(120, 2, 6);
    OneClassOptions options;
    options.nu = 0.2;
    options.tolerance = 1e-8;
    const auto machine = fitOne(points, options);
    const auto z = (points - machine.mean()) / machine.scale();
    const auto q = kernelMatrix(z, z, machine.gamma());
    const auto a = projectedGradient(q, 0.2 * 120, 4000);
    const auto axis = torch::linspace(-3, 3, 21, torch::kFloat64);
    const auto mesh = torch::meshgrid({axis, axis}, "ij");
    const auto grid = torch::stack({mesh[0].flatten(), mesh[1].flatten()}, 1);
    const auto expected = torch::mv(kernelMatrix(grid, z, machine.gamma()), a);
    const auto found = machine.kernelSum(grid * machine.scale() + machine.mean());
    QVERIFY2(worst(found, expected) < 1e-4, qPrintable(QString::number(worst(found, expected))));
  }

  void sphereAgrees() {
    const auto points = cloud(300, 4, 7);
    const auto machine = fitOne(points);
    const auto queries = cloud(200, 4, 8) * 1.4;
    // The distance to the centre, from its definition in feature space.
    const auto z = (queries - machine.mean()) / machine.scale();
    const auto weights = machine.coefficients() / machine.total();
    QVERIFY(std::abs(weights.sum().item<double>() - 1.0) < 1e-12);
    const auto q = kernelMatrix(machine.supports(), machine.supports(), machine.gamma());
    const double norm = torch::dot(weights, torch::mv(q, weights)).item<double>();
    const auto expected =
        1 - 2 * torch::mv(kernelMatrix(z, machine.supports(), machine.gamma()), weights) + norm;
    QVERIFY(worst(machine.distance(queries), expected) < 1e-9);
    const auto inside = machine.distance(queries) <= machine.radius();
    QVERIFY((inside == (machine.decision(queries) >= 0)).all().item<bool>());
    QVERIFY(inside.any().item<bool>() && !inside.all().item<bool>());
  }

  void gradient() {
    const auto machine = fitOne(cloud(300, 5, 9));
    auto queries = cloud(12, 5, 10);
    queries.requires_grad_(true);
    for (const bool logarithm : {false, true}) {
      const auto value = [&](const torch::Tensor& x) {
        return logarithm ? machine.logKernelSum(x) : machine.kernelSum(x);
      };
      const auto weights = torch::arange(1, 13, torch::kFloat64);
      const auto found = torch::autograd::grad({(weights * value(queries)).sum()}, {queries})[0];
      const torch::NoGradGuard noGrad;
      auto expected = torch::empty_like(found);
      constexpr double step = 1e-5;
      for (std::int64_t j = 0; j < 5; ++j) {
        auto shift = torch::zeros({5}, torch::kFloat64);
        shift[j] = step;
        expected.select(1, j).copy_(weights * (value(queries + shift) - value(queries - shift)) /
                                    (2 * step));
      }
      QVERIFY2(worst(found, expected) < 1e-6 * std::max(1.0, expected.abs().max().item<double>()),
               qPrintable(QString::number(worst(found, expected))));
    }
  }

  void logarithmLeadsBackFromFarAway() {
    const auto machine = fitOne(cloud(100, 4, 11));
    auto far = torch::full({1, 4}, 200.0, torch::kFloat32);
    far.requires_grad_(true);
    QCOMPARE(machine.kernelSum(far).item<float>(), 0.0F);
    const auto value = machine.logKernelSum(far);
    QVERIFY(std::isfinite(value.item<float>()) && value.item<float>() < -500);
    const auto back = torch::autograd::grad({value.sum()}, {far})[0];
    QVERIFY(torch::isfinite(back).all().item<bool>() && (back.abs().max() > 0).item<bool>());
    const auto near = machine.logKernelSum(cloud(20, 4, 12));
    QVERIFY(worst(near, machine.kernelSum(cloud(20, 4, 12)).log()) < 1e-12);
  }

  /// Bit for bit, whoever else is scored, and in how many blocks.
  void rowsDependOnThemselvesAlone() {
    const auto machine = fitOne(cloud(2000, 6, 13));
    const auto queries = cloud(1500, 6, 14).to(torch::kFloat32);
    const auto all = machine.kernelSum(queries);
    for (const std::int64_t size : {1, 2, 3, 7, 64, 333, 1499}) {
      const auto part = machine.kernelSum(queries.slice(0, 1, 1 + size));
      QVERIFY2(torch::equal(part, all.slice(0, 1, 1 + size)), qPrintable(QString::number(size)));
    }
    // With a graph, too.
    auto leaf = queries.slice(0, 5, 30).clone().requires_grad_(true);
    QVERIFY(torch::equal(machine.kernelSum(leaf).detach(), all.slice(0, 5, 30)));
  }

  void savesAndLoads() {
    const auto machine = fitOne(cloud(200, 3, 15));
    TensorFile file;
    machine.save(file, "m");
    const auto again = OneClassMachine::load(file, "m", torch::kCPU, "test");
    const auto queries = cloud(50, 3, 16);
    QVERIFY(torch::equal(machine.decision(queries), again.decision(queries)));
    QVERIFY(torch::equal(machine.distance(queries), again.distance(queries)));
    QCOMPARE(again.radius(), machine.radius());
    QCOMPARE(again.points(), std::int64_t(200));
    file.tensors["m.coefficients"] = torch::zeros({1}, torch::kFloat64);
    QVERIFY_EXCEPTION_THROWN(OneClassMachine::load(file, "m", torch::kCPU, "test"), Error);
  }

  void severalAtATimeAreThoseOneByOne() {
    Task task;
    std::vector<torch::Tensor> all;
    for (std::uint64_t i = 0; i < 5; ++i) all.push_back(cloud(300, 4, 20 + i));
    const auto machines = OneClassMachine::fit(all, {}, torch::kCPU, task);
    for (std::size_t i = 0; i < all.size(); ++i) {
      QVERIFY(torch::equal(machines[i].coefficients(), fitOne(all[i]).coefficients()));
      QCOMPARE(machines[i].rho(), fitOne(all[i]).rho());
    }
  }

  void refusesWhatDescribesNothing() {
    const auto same = torch::full({30, 4}, 0.3, torch::kFloat64);
    QVERIFY_EXCEPTION_THROWN(fitOne(same), Error);
    QVERIFY_EXCEPTION_THROWN(fitOne(cloud(1, 4, 1)), Error);
  }

  void cancelsWithinHalfASecond() {
    Control control;
    Task task(&control);
    OneClassOptions options;
    options.nu = 0.5;  // some seconds of work
    std::thread user([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      control.cancel();
    });
    const auto points = cloud(12000, 60, 30);
    const auto start = std::chrono::steady_clock::now();
    bool cancelled = false;
    try {
      OneClassMachine::fit({points}, options, torch::kCPU, task);
    } catch (const Error& error) {
      cancelled = error.kind() == Error::Kind::Cancelled;
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    user.join();
    QVERIFY(cancelled);
    QVERIFY2(seconds < 0.3 + 0.5, qPrintable(QString::number(seconds)));
  }

  /// The fused sum in float32 against exp of the standard library in double, over the whole range
  /// of exponents and for numbers of supports and rows that fill no vector.
  void fusedExponentials() {
    for (const std::int64_t supports : {1, 15, 16, 17, 64, 77}) {
      // One feature: the exponent is q v, from -95 to 80.
      const auto q = torch::linspace(-9.5, 8.0, 501, torch::kFloat32).unsqueeze(1);
      const auto v = torch::linspace(0.02, 10.0, supports, torch::kFloat32).unsqueeze(1);
      const auto c = torch::linspace(0.1, 1.0, supports, torch::kFloat32).unsqueeze(1);
      const auto found = kernelSum(q, v, c).to(torch::kFloat64);
      // The exponents themselves are rounded to float32.
      const auto exact =
          (torch::mm(q, v.t()).to(torch::kFloat64).exp() * c.to(torch::kFloat64).squeeze(1)).sum(1);
      const auto error = ((found - exact).abs() / (exact + 1e-36)).max().item<double>();
      QVERIFY2(error < 1e-5, qPrintable(QString::number(error)));
    }
    // What is no number stays none, wherever it stands in the vectors.
    for (const std::int64_t supports : {16, 32, 48, 50}) {
      auto q = torch::zeros({5, 1});
      q[1] = std::numeric_limits<float>::quiet_NaN();
      q[3] = 1000.0F;
      const auto v = torch::ones({supports, 1});
      const auto found = kernelSum(q, v, v);
      QVERIFY(std::isnan(found[1].item<float>()));
      QVERIFY(std::isinf(found[3].item<float>()));
      QCOMPARE(found[0].item<float>(), static_cast<float>(supports));
    }
    const auto far = torch::full({1, 1}, -1000.0F), one = torch::ones({1, 1});
    QCOMPARE(kernelSum(far, one, one).item<float>(), 0.0F);
  }

  /// The logarithm of an image's sum depends on no other image, and supports of weight 0 on
  /// nothing.
  void logarithmsAreIndependent() {
    for (const auto type : {torch::kFloat32, torch::kFloat64}) {
      const auto q = cloud(37, 5, 21).to(type), v = cloud(64, 5, 22).to(type);
      auto c = cloud(64, 1, 23).abs().to(type) + 0.1;
      c.slice(0, 50).zero_();
      const auto all = logKernelSum(q, v, c);
      for (std::int64_t i = 0; i < 37; ++i) {
        QVERIFY(torch::equal(logKernelSum(q.slice(0, i, i + 1), v, c), all.slice(0, i, i + 1)));
      }
      const auto exact =
          torch::logsumexp(torch::mm(q, v.slice(0, 0, 50).t()).to(torch::kFloat64) +
                               c.slice(0, 0, 50).squeeze(1).to(torch::kFloat64).log(),
                           1);
      QVERIFY(worst(all.to(torch::kFloat64), exact) < (type == torch::kFloat32 ? 1e-4 : 1e-12));
      auto leaf = q.to(torch::kFloat64).requires_grad_(true);
      auto same = q.to(torch::kFloat64).requires_grad_(true);
      const auto wide = v.to(torch::kFloat64), weights = c.to(torch::kFloat64);
      const auto above = torch::linspace(-1, 1, 37, torch::kFloat64);
      const auto ours =
          torch::autograd::grad({logKernelSum(leaf, wide, weights)}, {leaf}, {above})[0];
      const auto theirs = torch::autograd::grad(
          {torch::logsumexp(torch::mm(same, wide.t()) + weights.squeeze(1).log(), 1)}, {same},
          {above})[0];
      QVERIFY(worst(ours, theirs) < 1e-12);
    }
  }
};

QTEST_GUILESS_MAIN(OneClassTest)
#include "tst_one_class.moc"
