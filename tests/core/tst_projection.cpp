// Neighbours, principal components and UMAP: against closed forms and plain computations.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <thread>

#include "core/base/error.h"
#include "core/projection/neighbours.h"
#include "core/projection/pca.h"
#include "core/projection/trustworthiness.h"
#include "core/projection/umap.h"

using namespace bulwark;

namespace {

torch::Tensor normal(std::int64_t count, std::int64_t features, std::uint64_t seed) {
  auto values = torch::empty({count, features}, torch::kFloat32);
  Random random(Seed{seed});
  auto* data = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) data[i] = static_cast<float>(random.normal());
  return values;
}

/// Six clusters in ten dimensions, far apart; point i is of cluster i mod 6. Their centres span
/// more than a plane, so the two principal components do not part them all equally well.
torch::Tensor clusters(std::int64_t count) {
  const auto centres = normal(6, 10, 77) * 6.0;
  return centres.index_select(0, torch::arange(count).remainder(6)) + normal(count, 10, 78);
}

double distance(const torch::Tensor& points, std::int64_t i, std::int64_t j) {
  return (points[i].to(torch::kFloat64) - points[j].to(torch::kFloat64)).norm().item<double>();
}

/// (distance, number) of all other points, nearest first.
std::vector<std::pair<double, std::int64_t>> sorted(const torch::Tensor& points, std::int64_t i) {
  const auto all = (points.to(torch::kFloat64) - points[i].to(torch::kFloat64)).norm(2, 1);
  std::vector<std::pair<double, std::int64_t>> near;
  for (std::int64_t j = 0; j < points.size(0); ++j) {
    if (j != i) near.emplace_back(all[j].item<double>(), j);
  }
  std::sort(near.begin(), near.end());
  return near;
}

/// The formula, word for word.
double plainTrust(const torch::Tensor& points, const torch::Tensor& layout, std::int64_t k) {
  const std::int64_t count = points.size(0);
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto high = sorted(points, i), low = sorted(layout, i);
    for (std::int64_t n = 0; n < k; ++n) {
      const auto at = std::find_if(high.begin(), high.end(), [&](const auto& one) {
        return one.second == low[std::size_t(n)].second;
      });
      const std::int64_t rank = at - high.begin() + 1;
      if (rank > k) sum += double(rank - k);
    }
  }
  return 1 - 2.0 / double(count * k * (2 * count - 3 * k - 1)) * sum;
}

double misfit(double a, double b, double minDist, double spread) {
  double sum = 0;
  for (int i = 0; i < 300; ++i) {
    const double d = 3 * spread * i / 299;
    const double wanted = d < minDist ? 1 : std::exp(-(d - minDist) / spread);
    const double residual = wanted - 1 / (1 + a * std::pow(d, 2 * b));
    sum += residual * residual;
  }
  return sum;
}

double milliseconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since)
      .count();
}

/// How long after a cancel the work goes on; a negative number where it was not cut short.
double timeToStop(const std::function<void(Task&)>& work) {
  Control control;
  Task task(&control);
  std::chrono::steady_clock::time_point cancelled;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    cancelled = std::chrono::steady_clock::now();
    control.cancel();
  });
  double took = -1;
  try {
    work(task);
    canceller.join();
  } catch (const Error& error) {
    canceller.join();
    took = error.kind() == Error::Kind::Cancelled ? milliseconds(cancelled) : -2;
  }
  return took;
}

}  // namespace

class TestProjection : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  void neighboursAreThoseOfBruteForce() {
    Task task;
    const auto points = clusters(230);
    const auto found = nearestNeighbours(points, 7, task);
    QCOMPARE(found.index.size(), std::size_t(230 * 7));
    for (std::int64_t i = 0; i < 230; ++i) {
      const auto expected = sorted(points, i);
      for (std::size_t n = 0; n < 7; ++n) {
        const std::size_t at = std::size_t(i) * 7 + n;
        QCOMPARE(found.index[at], expected[n].second);
        QVERIFY(std::abs(found.distance[at] - expected[n].first) < 1e-9);
      }
    }
    // Far from the origin the products cancel; the distances do not.
    const auto far = nearestNeighbours(points.to(torch::kFloat64) + 1e6, 7, task);
    QCOMPARE(far.index, found.index);
    for (std::size_t i = 0; i < far.distance.size(); ++i) {
      QVERIFY(std::abs(far.distance[i] - found.distance[i]) < 1e-6);
    }
  }

  void neighboursOfSeveralBlocksAndAtEqualDistances() {
    Task task;
    // A line of 2,500 points takes two blocks; each has two at the same distance.
    const auto line = torch::arange(2500, torch::kFloat32).unsqueeze(1);
    const auto found = nearestNeighbours(line, 2, task);
    for (std::int64_t i = 1; i < 2499; ++i) {
      QCOMPARE(found.index[std::size_t(2 * i)], i - 1);
      QCOMPARE(found.index[std::size_t(2 * i + 1)], i + 1);
      QCOMPARE(found.distance[std::size_t(2 * i + 1)], 1.0);
    }
    QCOMPARE(found.index[0], std::int64_t{1});
    QCOMPARE(found.index[1], std::int64_t{2});
    for (const std::int64_t k : {0, 2500}) {
      QVERIFY_EXCEPTION_THROWN(nearestNeighbours(line, k, task), Error);
    }
    QVERIFY_EXCEPTION_THROWN(nearestNeighbours(line / 0.0, 2, task), Error);
    QVERIFY_EXCEPTION_THROWN(nearestNeighbours(line.squeeze(1), 2, task), Error);
  }

  void componentsAreEigenvectors() {
    Task task;
    for (const bool wide : {false, true}) {  // more features than points: by the Gram matrix
      const std::int64_t count = wide ? 20 : 400, features = wide ? 50 : 8;
      const auto scales = torch::linspace(1, 4, features);
      const auto points = normal(count, features, 5) * scales + 3.0;
      const auto found = principalComponents(points, 3, task);
      const auto x = points.to(torch::kFloat64) - points.to(torch::kFloat64).mean(0);
      const auto covariance = x.t().mm(x) / double(count);
      QCOMPARE(found.components.sizes().vec(), (std::vector<std::int64_t>{3, features}));
      QVERIFY(torch::allclose(covariance.mm(found.components.t()),
                              found.components.t() * found.variances, 1e-8, 1e-8));
      QVERIFY(torch::allclose(found.components.mm(found.components.t()),
                              torch::eye(3, torch::kFloat64), 1e-9, 1e-9));
      QVERIFY(torch::allclose(found.coordinates.var(0, false), found.variances, 1e-9, 1e-9));
      QVERIFY(torch::allclose(found.coordinates, x.mm(found.components.t()), 1e-9, 1e-9));
      // They are the largest: what is left varies less in every direction.
      const auto rest = x - found.coordinates.mm(found.components);
      const auto left = std::get<0>(torch::linalg_eigh(rest.t().mm(rest) / double(count), "L"));
      QVERIFY(left.max().item<double>() <= found.variances[2].item<double>() + 1e-9);
      QVERIFY((std::get<0>(found.components.max(1)) >= -std::get<0>(found.components.min(1)))
                  .all()
                  .item<bool>());
    }
    QCOMPARE(principalComponents(normal(30, 1, 6), 2, task).components.size(0), std::int64_t{1});
  }

  /// The values that umap-learn's documentation and tests print.
  void curveIsTheKnownOne() {
    const UmapCurve usual = umapCurve(0.1, 1.0);
    QVERIFY(std::abs(usual.a - 1.577) < 1e-3);
    QVERIFY(std::abs(usual.b - 0.895) < 1e-3);
    const UmapCurve loose = umapCurve(0.5, 1.0);
    QVERIFY(std::abs(loose.a - 0.583) < 1e-3);
    QVERIFY(std::abs(loose.b - 1.334) < 1e-3);
    for (const auto& [minDist, spread] :
         {std::pair{0.0, 1.0}, std::pair{0.8, 1.0}, std::pair{0.1, 2.0}, std::pair{0.99, 1.0}}) {
      const UmapCurve found = umapCurve(minDist, spread);
      const double best = misfit(found.a, found.b, minDist, spread);
      for (const double da : {-1e-3, 0.0, 1e-3}) {
        for (const double db : {-1e-3, 0.0, 1e-3}) {
          if (da == 0 && db == 0) continue;
          QVERIFY(misfit(found.a + da * found.a, found.b + db * found.b, minDist, spread) > best);
        }
      }
    }
    QVERIFY_EXCEPTION_THROWN(umapCurve(-0.1, 1.0), Error);
    QVERIFY_EXCEPTION_THROWN(umapCurve(0.1, 0.0), Error);
    QVERIFY_EXCEPTION_THROWN(umapCurve(3.0, 1.0), Error);
  }

  void membershipsSumToTheLogarithm() {
    Task task;
    const std::int64_t k = 15;
    const auto near = nearestNeighbours(clusters(120), k, task);
    for (std::int64_t i = 0; i < 120; ++i) {
      const auto d = std::span(near.distance).subspan(std::size_t(i * k), std::size_t(k));
      const UmapScale scale = umapScale(d);
      QCOMPARE(scale.rho, d[0]);
      double sum = 0;
      for (const double one : d) sum += std::exp(-std::max(0.0, one - scale.rho) / scale.sigma);
      QVERIFY(std::abs(sum - std::log2(15.0)) < 1e-9);
      // A scale, not a number: twice the distances, twice the scale.
      std::vector<double> twice(d.begin(), d.end());
      for (double& one : twice) one *= 2;
      QVERIFY(std::abs(umapScale(twice).sigma - 2 * scale.sigma) < 1e-9 * scale.sigma);
    }
    // Points at the same place do not count for rho. Closed form: 3 neighbours at 0, 2 and 3 have
    // 1 + 1 + exp(-1 / sigma) > log2(3), so sigma is at its bound.
    const UmapScale equal = umapScale(std::vector<double>{0, 2, 3});
    QCOMPARE(equal.rho, 2.0);
    QVERIFY(std::abs(equal.sigma - 1e-3 * 5 / 3) < 1e-12);
    // 1 + 3 exp(-1 / sigma) = log2(4).
    const UmapScale known = umapScale(std::vector<double>{1, 2, 2, 2});
    QVERIFY(std::abs(known.sigma - 1 / std::log(3.0)) < 1e-9);
    QVERIFY(umapScale(std::vector<double>{0, 0}).sigma > 0);
  }

  void graphIsTheFuzzyUnion() {
    Task task;
    const auto near = nearestNeighbours(clusters(90), 6, task);
    const UmapGraph graph = umapGraph(near);
    std::map<std::pair<std::int64_t, std::int64_t>, double> weights, own;
    for (std::size_t e = 0; e < graph.weight.size(); ++e) {
      weights[{graph.from[e], graph.to[e]}] = graph.weight[e];
      QVERIFY(graph.weight[e] > 0 && graph.weight[e] <= 1);
    }
    QCOMPARE(weights.size(), graph.weight.size());
    for (std::int64_t i = 0; i < 90; ++i) {
      const auto d = std::span(near.distance).subspan(std::size_t(i * 6), 6);
      const UmapScale scale = umapScale(d);
      for (std::size_t n = 0; n < 6; ++n) {
        own[{i, near.index[std::size_t(i * 6) + n]}] =
            std::exp(-std::max(0.0, d[n] - scale.rho) / scale.sigma);
      }
      // Locally connected: the nearest neighbour belongs to the point for certain.
      QCOMPARE((weights[{i, near.index[std::size_t(i * 6)]}]), 1.0);
    }
    for (const auto& [edge, weight] : weights) {
      const double a = own[edge], b = own[{edge.second, edge.first}];
      QVERIFY(std::abs(weight - (a + b - a * b)) < 1e-12);
      QCOMPARE((weights[{edge.second, edge.first}]), weight);
    }
  }

  void trustworthinessIsItsFormula() {
    Task task;
    const auto points = clusters(60);
    QCOMPARE(trustworthiness(points, points, 5, task), 1.0);
    QCOMPARE(trustworthiness(points, points * -3.0 + 1.0, 5, task), 1.0);
    const auto layout = normal(60, 2, 3);
    for (const std::int64_t k : {1, 5, 12}) {
      const double found = trustworthiness(points, layout, k, task);
      QVERIFY(std::abs(found - plainTrust(points, layout, k)) < 1e-12);
      QVERIFY(found > 0.4 && found < 0.6);
    }
    QVERIFY(std::isnan(trustworthiness(points, layout, 30, task)));
    QVERIFY_EXCEPTION_THROWN(trustworthiness(points, layout.slice(0, 1), 5, task), Error);
  }

  void separatedClustersStaySeparated() {
    Task task;
    const auto points = clusters(480);
    const auto layout = umap(points, {}, Seed{1}, task);
    QCOMPARE(layout.sizes().vec(), (std::vector<std::int64_t>{480, 2}));
    const double found = trustworthiness(points, layout, 15, task);
    const double linear =
        trustworthiness(points, principalComponents(points, 2, task).coordinates, 15, task);
    const double none = trustworthiness(points, normal(480, 2, 9), 15, task);
    qInfo("trustworthiness: UMAP %.3f, PCA %.3f, random %.3f", found, linear, none);
    QVERIFY(found > none + 0.3);
    QVERIFY(found > linear);
    // Of every point, the ten that are shown nearest are of its cluster.
    const auto shown = nearestNeighbours(layout, 10, task);
    for (std::size_t i = 0; i < shown.index.size(); ++i) {
      QCOMPARE(shown.index[i] % 6, std::int64_t(i / 10) % 6);
    }
  }

  /// A line that is bent through the plane: no projection keeps it, its neighbourhoods do.
  void aSpiralIsUnrolled() {
    Task task;
    const auto t = torch::linspace(0, 1, 300, torch::kFloat64) * 9.42 + 3.0;
    const auto spiral = torch::stack({t * t.cos(), t * t.sin()}, 1);
    UmapOptions options;
    options.neighbours = 8;
    options.epochs = 300;
    const auto layout = umap(spiral, options, Seed{4}, task);
    QVERIFY(trustworthiness(spiral, layout, 8, task) > 0.98);
    // The ends, which lie across one turn, have come further apart than the turns are.
    const double length = distance(layout, 0, 299), turn = distance(layout, 0, 20);
    QVERIFY2(length > turn, qPrintable(QStringLiteral("%1 and %2").arg(length).arg(turn)));
  }

  void minDistKeepsPointsApart() {
    Task task;
    const auto points = normal(200, 5, 21);
    const auto nearest = [&](double minDist) {
      UmapOptions options;
      options.minDist = minDist;
      options.epochs = 200;
      auto found = nearestNeighbours(umap(points, options, Seed{2}, task), 1, task).distance;
      std::nth_element(found.begin(), found.begin() + 100, found.end());
      return found[100];
    };
    QVERIFY(nearest(0.8) > 2 * nearest(0.01));
  }

  void oneSeedOneLayout() {
    Task task;
    UmapOptions options;
    options.epochs = 60;
    const auto points = clusters(240);
    const auto once = umap(points, options, Seed{3}, task);
    torch::set_num_threads(2);
    const auto again = umap(points, options, Seed{3}, task);
    const std::vector<UmapProblem> many = {{clusters(90), Seed{8}},
                                           {points, Seed{3}},
                                           {points, Seed{4}},
                                           {torch::empty({0, 3}), Seed{1}}};
    const auto together = umap(many, options, task);
    torch::set_num_threads(1);
    QVERIFY(torch::equal(once, again));
    QVERIFY(torch::equal(once, together[1]));
    QVERIFY(!torch::equal(once, together[2]));
    QCOMPARE(together[0].size(0), std::int64_t{90});
    QCOMPARE(together[3].sizes().vec(), (std::vector<std::int64_t>{0, 2}));
    QCOMPARE(umapEpochs(many, options), std::int64_t{180});
    QCOMPARE(umapEpochs(many, {}), std::int64_t{1500});
  }

  void fewOrEqualPointsAreLaidOut() {
    Task task;
    for (const std::int64_t count : {1, 2, 3, 5}) {
      const auto layout = umap(normal(count, 4, 30), {}, Seed{1}, task);
      QCOMPARE(layout.size(0), count);
      QVERIFY(torch::isfinite(layout).all().item<bool>());
    }
    for (const auto& points : {torch::ones({40, 3}), torch::arange(40.0).unsqueeze(1)}) {
      const auto layout = umap(points, {}, Seed{1}, task);
      QVERIFY(torch::isfinite(layout).all().item<bool>());
      QVERIFY(std::get<0>(torch::unique_dim(layout, 0)).size(0) == 40);
    }
    auto broken = normal(20, 3, 31);
    broken[4][1] = std::nan("");
    QVERIFY_EXCEPTION_THROWN(umap(broken, {}, Seed{1}, task), Error);
    UmapOptions options;
    options.neighbours = 1;
    QVERIFY_EXCEPTION_THROWN(umap(normal(20, 3, 31), options, Seed{1}, task), Error);
  }

  void progressCountsEpochs() {
    ProgressUpdate last;
    Task task(nullptr, [&](const ProgressUpdate& update) { last = update; });
    UmapOptions options;
    options.epochs = 40;
    umap(normal(60, 3, 1), options, Seed{1}, task);
    QCOMPARE(last.phase, std::string("UMAP"));
    QCOMPARE(last.done, std::int64_t{40});
    QCOMPARE(last.total, std::int64_t{40});
  }

  void cancelStopsAtOnce() {
    UmapOptions options;
    options.epochs = 1'000'000;
    const auto points = normal(1500, 8, 50);
    const double layout = timeToStop([&](Task& task) { umap(points, options, Seed{1}, task); });
    QVERIFY2(layout >= 0 && layout < 500, qPrintable(QString::number(layout)));
    const auto many = normal(20000, 64, 51);
    const double search = timeToStop([&](Task& task) {
      for (int i = 0; i < 100; ++i) nearestNeighbours(many, 15, task);
    });
    QVERIFY2(search >= 0 && search < 500, qPrintable(QString::number(search)));
  }
};

QTEST_GUILESS_MAIN(TestProjection)
#include "tst_projection.moc"
