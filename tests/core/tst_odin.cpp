// ODIN, and the input step that it shares with the Mahalanobis distance.
#include <cmath>

#include "core/detectors/input_step.h"
#include "core/detectors/own_threshold.h"
#include "rival_support.h"

using namespace bulwark;
using torch::Tensor;

class TestOdin : public QObject {
  Q_OBJECT

  rivals::Bench smooth_{
      rivals::network("lenet5", {{"activation", "tanh"}, {"pooling", "average"}}, {1, 12, 12, 4})};
  rivals::Bench rectified_{rivals::network("lenet5", Json::object(), {1, 12, 12, 4})};

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  /// Without step and temperature it is msp, and its rank is that of the softmax at any.
  void isTheSoftmaxMaximum() {
    const auto& images = rectified_.images;
    const auto msp = rectified_.fitted("msp", Json::object());
    const auto plain = rectified_.fitted("odin", {{"temperature", 1}});
    QVERIFY(torch::allclose(plain->score(images), msp->score(images), 1e-5, 1e-6));
    for (const double t : {2.0, 30.0, 1000.0}) {
      const auto logits = rectified_.classifier->forward(images).to(torch::kFloat64) / t;
      const auto s = std::get<0>(torch::softmax(logits, 1).max(1));
      const auto score =
          rectified_.fitted("odin", {{"temperature", t}})->score(images).to(torch::kFloat64);
      const auto expected = t * (((1 - s) / s).log() - std::log(3.0)) + std::log(3.0);
      QVERIFY2(torch::allclose(score, expected, 1e-4, 1e-5), std::to_string(t).c_str());
    }
    // No two of them tie at T = 1000, where float32 tells few softmax maxima apart.
    const auto sorted =
        std::get<0>(rectified_.fitted("odin", Json::object())->score(images).sort());
    QVERIFY((sorted.diff() > 0).all().item<bool>());
    QVERIFY(rectified_.fitted("odin", Json::object())->traits().differentiable);
  }

  void theStepIsThePublishedOne() {
    for (auto* bench : {&smooth_, &rectified_}) {
      const double m = 0.01, t = 1000;
      const auto leaf = bench->images.clone().requires_grad_(true);
      const auto top = std::get<0>(
          torch::log_softmax(bench->classifier->forward(leaf).to(torch::kFloat64) / t, 1).max(1));
      const auto gradient = torch::autograd::grad({-top.sum()}, {leaf})[0];
      const auto moved = bench->images - m * gradient.sign();
      const auto expected = bench->fitted("odin", Json::object())->score(moved);
      const auto odin = bench->fitted("odin", {{"magnitude", m}});
      QVERIFY(torch::allclose(odin->score(bench->images), expected, 1e-4, 1e-5));
      // The step raises the confidence of nearly all.
      const auto before = bench->fitted("odin", Json::object())->score(bench->images);
      QVERIFY((expected < before).to(torch::kFloat32).mean().item<double>() > 0.95);
    }
  }

  /// The surrogate's gradient goes through the step, second derivatives and all.
  void gradients() {
    const auto plain = smooth_.fitted("odin", {{"temperature", 3}});
    smooth_.gradientIsRight([&](const Tensor& x) { return plain->score(x); });
    for (auto* bench : {&smooth_, &rectified_}) {
      const Json options = {{"temperature", 3}, {"magnitude", 0.05}};
      const auto odin = bench->fitted("odin", options);
      QVERIFY(!odin->traits().differentiable);
      QVERIFY(!surrogateOf(*odin).empty());
      bench->gradientIsRight([&](const Tensor& x) { return odin->guide(x); });
      Json constant = options;
      constant["step_gradient"] = "constant";
      const auto fixed = bench->fitted("odin", constant);
      QVERIFY(fixed->traits().differentiable);
      // Where no sign flips, the score's own gradient is that of the constant step.
      bench->gradientIsRight([&](const Tensor& x) { return fixed->score(x); }, 1e-5, 0.2);
      QVERIFY(torch::equal(fixed->score(bench->images), odin->score(bench->images)));
      bench->canBeAttacked(*odin);
      bench->canBeAttacked(*fixed);
    }
    // The derivative of the step is worth something: the two gradients differ.
    const auto leaf = smooth_.images.slice(0, 0, 8).clone().requires_grad_(true);
    const Json options = {{"temperature", 1}, {"magnitude", 0.1}};
    const auto odin = smooth_.fitted("odin", options);
    const auto through = torch::autograd::grad({odin->guide(leaf).sum()}, {leaf})[0];
    const auto constant = torch::autograd::grad({odin->score(leaf).sum()}, {leaf})[0];
    QVERIFY(!torch::allclose(through, constant, 1e-2, 1e-4));
  }

  void magnitudeIsChosenOnInImages() {
    for (const char* by : {"confidence", "fgsm"}) {
      const Json options = {{"magnitude_from", by}, {"temperature", 10}};
      const auto odin = rectified_.fitted("odin", options);
      const auto* facts = dynamic_cast<HasFitFacts*>(odin.get());
      QVERIFY(facts);
      const double chosen = facts->fitFacts().at("magnitude").get<double>();
      const auto images = rectified_.images;
      const auto meanAt = [&](double m) {
        return rectified_.fitted("odin", {{"magnitude", m}, {"temperature", 10}})
            ->score(images)
            .mean()
            .item<double>();
      };
      if (std::string(by) == "confidence") {
        for (const double other : {0.0, 0.001, 0.01, 0.1, 0.2}) {
          QVERIFY(meanAt(chosen) <= meanAt(other) + 1e-5);
        }
      }
      const auto same = rectified_.fitted("odin", {{"magnitude", chosen}, {"temperature", 10}});
      QVERIFY(torch::equal(same->score(images), odin->score(images)));
      rectified_.restores(*odin, "odin", options);
      rectified_.isRepeatableAndStops("odin", options, false);
    }
  }

  void common() {
    for (const Json& options : {Json::object(), Json{{"magnitude", 0.02}}}) {
      const auto odin = rectified_.fitted("odin", options);
      rectified_.rowsAreIndependent(*odin);
      rectified_.restores(*odin, "odin", options);
    }
    QVERIFY_EXCEPTION_THROWN(rivals::make("odin", {{"magnitude", -1}}), Error);
    QVERIFY_EXCEPTION_THROWN(rivals::make("odin", {{"temperature", 0}}), Error);
  }
};

QTEST_GUILESS_MAIN(TestOdin)
#include "tst_odin.moc"
