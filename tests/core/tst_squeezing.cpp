// Feature squeezing and its squeezers.
#include <algorithm>
#include <cmath>

#include "core/detectors/own_threshold.h"
#include "core/detectors/squeezers.h"
#include "rival_support.h"

using namespace bulwark;
using torch::Tensor;

class TestSqueezing : public QObject {
  Q_OBJECT

  rivals::Bench grey_{rivals::network("lenet5", Json::object(), {1, 12, 12, 4})};
  rivals::Bench colour_{rivals::network("lenet5", Json::object(), {3, 16, 16, 4}), 40};

  static Tensor picture(std::int64_t count, std::int64_t channels, std::int64_t height,
                        std::int64_t width) {
    return attack_support::uniform({count, channels, height, width}, 12, 0, 1);
  }

  /// d c b a | a b c d: the edge is repeated.
  static std::int64_t mirrored(std::int64_t i, std::int64_t size) {
    if (i < 0) i = -1 - i;
    return i < size ? i : 2 * size - 1 - i;
  }
  /// d c b | a b c d: the edge is not repeated.
  static std::int64_t reflected(std::int64_t i, std::int64_t size) {
    if (i < 0) i = -i;
    return i < size ? i : 2 * size - 2 - i;
  }

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  void bitDepth() {
    const auto x = torch::tensor({0.0F, 0.2F, 0.49F, 0.51F, 0.9F, 1.0F}).view({1, 1, 2, 3});
    const auto bits = [&](std::int64_t b) { return reduceBitDepth(x, b).flatten(); };
    QVERIFY(torch::equal(bits(1), torch::tensor({0.0F, 0.0F, 0.0F, 1.0F, 1.0F, 1.0F})));
    QVERIFY(
        torch::allclose(bits(2), torch::tensor({0.0F, 1 / 3.0F, 1 / 3.0F, 2 / 3.0F, 1.0F, 1.0F})));
    QVERIFY(
        (reduceBitDepth(picture(2, 3, 9, 7), 5) - picture(2, 3, 9, 7)).abs().max().item<float>() <=
        0.5F / 31 + 1e-6F);
    // What is on the grid stays; the gradient is the identity's.
    const auto grid = torch::arange(32).view({1, 1, 4, 8}) / 31.0F;
    QVERIFY(torch::allclose(reduceBitDepth(grid, 5), grid));
    const auto leaf = picture(1, 1, 3, 3).requires_grad_(true);
    const auto weight = picture(1, 1, 3, 3) + 2;
    const auto gradient =
        torch::autograd::grad({(weight * reduceBitDepth(leaf, 1)).sum()}, {leaf})[0];
    QVERIFY(torch::equal(gradient, weight));
  }

  void median() {
    const auto images = picture(2, 3, 7, 5);
    for (const auto& [h, w] : std::vector<std::pair<std::int64_t, std::int64_t>>{
             {2, 2}, {3, 3}, {2, 3}, {1, 1}, {5, 2}}) {
      const auto found = medianFilter(images, h, w);
      QCOMPARE(found.sizes().vec(), images.sizes().vec());
      for (std::int64_t n = 0; n < 2; ++n) {
        for (std::int64_t c = 0; c < 3; ++c) {
          for (std::int64_t y = 0; y < 7; ++y) {
            for (std::int64_t x = 0; x < 5; ++x) {
              std::vector<float> values;
              for (std::int64_t i = y - h / 2; i < y - h / 2 + h; ++i) {
                for (std::int64_t j = x - w / 2; j < x - w / 2 + w; ++j) {
                  values.push_back(images[n][c][mirrored(i, 7)][mirrored(j, 5)].item<float>());
                }
              }
              std::sort(values.begin(), values.end());
              QCOMPARE(found[n][c][y][x].item<float>(), values[values.size() / 2]);
            }
          }
        }
      }
    }
    // scipy.ndimage.median_filter([[1, 5, 2], [8, 3, 9], [4, 7, 6]], size=2), by hand: the upper
    // median of the pixel, its left, upper and upper left neighbour.
    const auto small =
        torch::tensor({1.0F, 5.0F, 2.0F, 8.0F, 3.0F, 9.0F, 4.0F, 7.0F, 6.0F}).view({1, 1, 3, 3});
    const auto expected =
        torch::tensor({1.0F, 5.0F, 5.0F, 8.0F, 5.0F, 5.0F, 8.0F, 7.0F, 7.0F}).view({1, 1, 3, 3});
    QVERIFY(torch::equal(medianFilter(small, 2, 2), expected));
    // Each output passes its gradient to the one pixel that it is.
    const auto leaf = images.clone().requires_grad_(true);
    const auto gradient = torch::autograd::grad({medianFilter(leaf, 2, 2).sum()}, {leaf})[0];
    QCOMPARE(gradient.sum().item<double>(), static_cast<double>(images.numel()));
    QVERIFY(torch::equal(gradient, gradient.round()));
  }

  void nonLocalMeansByBruteForce() {
    const auto images = picture(2, 3, 9, 8) * 0.2;
    const double strength = 20;
    const auto found = nonLocalMeans(images, 5, 3, strength);
    for (std::int64_t n = 0; n < 2; ++n) {
      const auto image = images[n];
      const auto x = image.accessor<float, 3>();
      const auto at = [&](std::int64_t c, std::int64_t i, std::int64_t j) {
        return static_cast<double>(x[c][reflected(i, 9)][reflected(j, 8)]);
      };
      for (std::int64_t i = 0; i < 9; ++i) {
        for (std::int64_t j = 0; j < 8; ++j) {
          double weights = 0.0, sums[3] = {0, 0, 0};
          for (std::int64_t dy = -2; dy <= 2; ++dy) {
            for (std::int64_t dx = -2; dx <= 2; ++dx) {
              double distance = 0.0;
              for (std::int64_t c = 0; c < 3; ++c) {
                for (std::int64_t py = -1; py <= 1; ++py) {
                  for (std::int64_t px = -1; px <= 1; ++px) {
                    const double d = at(c, i + py, j + px) - at(c, i + dy + py, j + dx + px);
                    distance += d * d / 9;
                  }
                }
              }
              const double h = strength / 255;
              const double weight = std::exp(-distance / (3 * h * h));
              weights += weight;
              for (std::int64_t c = 0; c < 3; ++c) sums[c] += weight * at(c, i + dy, j + dx);
            }
          }
          for (std::int64_t c = 0; c < 3; ++c) {
            QVERIFY(std::abs(found[n][c][i][j].item<double>() - sums[c] / weights) < 1e-5);
          }
        }
      }
    }
    // An image of one colour stays, and the gradient is that of differences.
    const auto flat = torch::full({1, 3, 9, 8}, 0.3F);
    QVERIFY(torch::allclose(nonLocalMeans(flat, 5, 3, 2), flat));
    const auto direction = picture(2, 3, 9, 8) - 0.5;
    const auto weight = picture(2, 3, 9, 8).flip(0);
    const auto value = [&](const Tensor& at) {
      return (weight * nonLocalMeans(at, 5, 3, strength)).sum();
    };
    const auto leaf = images.clone().requires_grad_(true);
    const double slope =
        (torch::autograd::grad({value(leaf)}, {leaf})[0] * direction).sum().item<double>();
    const double measured = (value(images + 1e-3 * direction).to(torch::kFloat64) -
                             value(images - 1e-3 * direction).to(torch::kFloat64))
                                .item<double>() /
                            2e-3;
    QVERIFY2(std::abs(measured / slope - 1) < 2e-2, std::to_string(measured / slope).c_str());
    QVERIFY_EXCEPTION_THROWN(nonLocalMeans(images, 17, 3, 2), Error);
  }

  void names() {
    const auto x = picture(1, 3, 16, 16);
    QVERIFY(torch::equal(squeezerNamed("bit_depth_5", "p").apply(x), reduceBitDepth(x, 5)));
    QVERIFY(torch::equal(squeezerNamed("median_filter_2_3", "p").apply(x), medianFilter(x, 2, 3)));
    QVERIFY(torch::equal(squeezerNamed("non_local_means_13_3_2", "p").apply(x),
                         nonLocalMeans(x, 13, 3, 2)));
    for (const char* bad : {"bit_depth_", "bit_depth_0", "bit_depth_17", "bit_depth_x", "median",
                            "median_filter_2", "median_filter_2_0", "non_local_means_12_3_2",
                            "non_local_means_13_3", "bit_depth_5_5", ""}) {
      try {
        squeezerNamed(bad, "detectors[0].squeezers");
        QFAIL(bad);
      } catch (const Error& error) {
        QVERIFY(QString(error.what()).contains("detectors[0].squeezers"));
      }
    }
  }

  void scoreIsTheLargestDistance() {
    for (auto* bench : {&grey_, &colour_}) {
      const auto detector = bench->fitted("feature_squeezing", Json::object());
      const auto& x = bench->images;
      const auto softmax = [&](const Tensor& of) {
        const torch::NoGradGuard noGrad;
        return torch::softmax(bench->classifier->forward(of).to(torch::kFloat64), 1);
      };
      std::vector<Tensor> expected = {
          (softmax(x) - softmax(reduceBitDepth(x, bench == &grey_ ? 1 : 5))).abs().sum(1),
          (softmax(x) - softmax(medianFilter(x, 2, 2))).abs().sum(1)};
      if (bench == &colour_) {
        expected.push_back((softmax(x) - softmax(nonLocalMeans(x, 13, 3, 2))).abs().sum(1));
      }
      const auto all = torch::stack(expected, 1);
      const auto parts = detector->intermediates(x).at("squeezer_distances");
      QVERIFY(torch::allclose(parts, all, 1e-4, 1e-7));
      const auto score = detector->score(x);
      const auto largest = std::get<0>(all.max(1));
      QVERIFY(
          torch::allclose(score.to(torch::kFloat64), (largest / (2 - largest)).log(), 1e-4, 1e-4));
      QVERIFY(detector->traits().quantised);
      QVERIFY(!surrogateOf(*detector).empty());
      // Its own threshold keeps 95 % of the training images.
      const double threshold = dynamic_cast<HasThreshold*>(detector.get())->threshold();
      const auto kept = (score <= threshold).sum().item<std::int64_t>();
      QCOMPARE(kept, static_cast<std::int64_t>(std::ceil(0.95 * static_cast<double>(x.size(0)))));
      bench->rowsAreIndependent(*detector);
      bench->restores(*detector, "feature_squeezing", Json::object());
      bench->canBeAttacked(*detector);
    }
    grey_.isRepeatableAndStops("feature_squeezing", Json::object(), false);
  }

  /// Squeezers that do not round need no surrogate: the gradient is the score's own.
  void gradients() {
    for (const char* name : {"median_filter_2_2", "non_local_means_5_3_40"}) {
      const Json options = {{"squeezers", {name}}};
      for (auto* bench : {&grey_, &colour_}) {
        const auto detector = bench->fitted("feature_squeezing", options);
        QVERIFY(!detector->traits().quantised && surrogateOf(*detector).empty());
        bench->gradientIsRight([&](const Tensor& x) { return detector->score(x); }, 5e-4, 5e-2);
      }
    }
  }

  /// A classifier that is sure beyond float32 leaves scores that differ, with gradients.
  void confidentImagesDoNotTie() {
    const rivals::Bench bench(rivals::network("lenet5", Json::object(), {1, 12, 12, 4}), 120, 2000);
    const auto p = std::get<0>(torch::softmax(bench.classifier->forward(bench.images), 1).max(1));
    const auto certain = (p == 1).nonzero().squeeze(1);
    QVERIFY(certain.size(0) > 20);
    const auto detector = bench.fitted("feature_squeezing", {{"squeezers", {"median_filter_2_2"}}});
    const auto leaf = bench.images.index_select(0, certain).requires_grad_(true);
    const auto score = detector->score(leaf);
    QVERIFY((std::get<0>(score.sort()).diff() > 0).all().item<bool>());
    const auto gradient = torch::autograd::grad({score.sum()}, {leaf})[0];
    QVERIFY((gradient.flatten(1).abs().amax(1) > 0).all().item<bool>());
  }

  void thresholdImages() {
    const auto detector =
        grey_.fitted("feature_squeezing",
                     {{"threshold_images", 10}, {"keep", 1.0}, {"squeezers", {"bit_depth_3"}}});
    const auto rows = torch::arange(10) * 12;
    const double expected =
        detector->score(grey_.images.index_select(0, rows)).max().item<double>();
    QVERIFY(std::abs(dynamic_cast<HasThreshold*>(detector.get())->threshold() - expected) < 1e-6);
    QVERIFY_EXCEPTION_THROWN(rivals::make("feature_squeezing", {{"squeezers", {"blur"}}}), Error);
  }
};

QTEST_GUILESS_MAIN(TestSqueezing)
#include "tst_squeezing.moc"
