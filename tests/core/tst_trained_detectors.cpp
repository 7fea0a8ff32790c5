// Detectors that are trained on adversarial samples: LID, KD+BU, the Mahalanobis ensemble.
#include <cmath>
#include <numbers>

#include "core/detectors/adversarial_samples.h"
#include "core/detectors/lid.h"
#include "core/detectors/own_threshold.h"
#include "rival_support.h"

using namespace bulwark;
using torch::Tensor;

class TestTrainedDetectors : public QObject {
  Q_OBJECT

  rivals::Bench bench_{rivals::network("lenet5", Json::object(), {1, 12, 12, 3}, 8), 240};
  rivals::Bench smooth_{
      rivals::network("lenet5", {{"activation", "tanh"}, {"pooling", "average"}}, {1, 12, 12, 3})};
  const Json lid_ = {{"k", 8}, {"minibatch", 40}, {"samples", 100}, {"eps", 0.4}, {"noise", 0.05}};
  const Json kdBu_ = {{"bandwidth", 0.3}, {"samples", 100}, {"eps", 0.1}, {"noise", 0.05}};
  const Json ensemble_ = {{"ensemble", {"conv1", "features", "logits"}},
                          {"samples", 100},
                          {"eps", 0.1},
                          {"noise", 0.05}};

  static Tensor line(std::int64_t count, std::int64_t width) {
    auto points = torch::zeros({count, width});
    points.select(1, 1).copy_(torch::arange(1, count + 1));
    return points;
  }

  AdversarialSamples samplesOf(const SampleOptions& options, const ImageSet* validation = nullptr,
                               std::int64_t reserved = 0, const CraftImages& craft = {}) {
    Task task;
    const auto set = bench_.train();
    DetectorContext context{.classifier = bench_.classifier.get(),
                            .train = set,
                            .validation = validation,
                            .batchSize = 32,
                            .seed = Seed(3),
                            .task = task};
    context.craft = craft;
    return adversarialSamples(context, options, reserved, "test");
  }

  static double measuredAccuracy(const Detector& of) {
    return dynamic_cast<const HasFitFacts&>(of).fitFacts().at("held_out_accuracy").get<double>();
  }

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  /// References at 1, 2, ..., k on a line: k / log(k^k / k!), which tends to 1; at the d-th roots
  /// of them, as many lie within a distance as in d dimensions: d times that.
  void dimensionOfALine() {
    for (const std::int64_t k : {5, 20, 80}) {
      const auto references = line(100, 3);
      const auto origin = torch::zeros({1, 3});
      const double logs = static_cast<double>(k) * std::log(static_cast<double>(k)) -
                          std::lgamma(static_cast<double>(k) + 1);
      const double expected = static_cast<double>(k) / logs;
      const double found = localDimension(origin, references, k).item<double>();
      QVERIFY2(std::abs(found / expected - 1) < 1e-5, std::to_string(found).c_str());
      const auto rooted = references.pow(1.0 / 3.0);
      QVERIFY(std::abs(localDimension(origin, rooted, k).item<double>() / (3 * expected) - 1) <
              1e-5);
      // Neither scale nor place nor order matter.
      const auto moved = references.flip(0) * 250 - 17;
      QVERIFY(std::abs(localDimension(origin * 250 - 17, moved, k).item<double>() / expected - 1) <
              1e-4);
    }
    const double far = localDimension(torch::zeros({1, 3}), line(2000, 3), 2000).item<double>();
    QVERIFY(std::abs(far - 1) < 0.01);
  }

  /// Points drawn in a cube of d dimensions within many have about d.
  void dimensionOfACube() {
    for (const int d : {1, 2, 5}) {
      auto references = torch::zeros({4000, 12});
      references.slice(1, 0, d).copy_(attack_support::uniform({4000, d}, 7, -1, 1));
      const auto points = torch::zeros({1, 12});
      const double found = localDimension(points, references, 200).item<double>();
      QVERIFY2(std::abs(found / d - 1) < 0.2, std::to_string(found).c_str());
    }
  }

  void dimensionWithoutADimension() {
    // Equally far, or on a reference: a number, and a gradient that is one.
    const auto references = torch::eye(6);
    auto points = torch::cat({torch::zeros({1, 6}), references.slice(0, 0, 1)}).requires_grad_();
    const auto found = localDimension(points, references, 6);
    QCOMPARE(found[0].item<double>(), 1e6);
    QVERIFY(torch::isfinite(found).all().item<bool>());
    const auto gradient = torch::autograd::grad({found.sum()}, {points})[0];
    QVERIFY(torch::isfinite(gradient).all().item<bool>());
  }

  void samplesAreThePublished() {
    const SampleOptions options{.count = 60, .epsilon = 0.03, .noise = 0.02};
    const auto samples = samplesOf(options);
    QCOMPARE(samples.clean.size(0), 60);  // the labels are the network's own
    QVERIFY(torch::equal(samples.clean, bench_.images.index_select(0, samples.rows)));
    // FGSM in its own words, with the cross-entropy.
    const auto leaf = samples.clean.clone().requires_grad_(true);
    const auto loss = torch::nn::functional::cross_entropy(bench_.classifier->forward(leaf),
                                                           bench_.classify(samples.clean));
    const auto sign = torch::autograd::grad({loss}, {leaf})[0].sign();
    QVERIFY(
        torch::allclose(samples.adversarial, (samples.clean + 0.03 * sign).clamp(0, 1), 0, 1e-6));
    const auto noise = samples.noisy - samples.clean;
    QVERIFY(std::abs(noise.std().item<double>() - 0.02) < 0.001);
    QVERIFY(samples.noisy.min().item<float>() >= 0 && samples.noisy.max().item<float>() <= 1);
    // Labels and folds: three versions of an image are held out together.
    QCOMPARE(samples.positive().sum().item<std::int64_t>(), 60);
    QVERIFY(samples.positive().slice(0, 120).all().item<bool>());
    const auto fold = samples.fold();
    QCOMPARE(fold.sizes().vec(), std::vector<std::int64_t>{180});
    QVERIFY(torch::equal(fold.slice(0, 0, 60), fold.slice(0, 120)));
    QVERIFY(torch::equal(torch::bincount(fold), torch::full({5}, 36, torch::kInt64)));
    // By the number of channels, unless said otherwise.
    const auto published = samplesOf({.count = 60});
    QVERIFY(std::abs((published.adversarial - published.clean).abs().max().item<double>() - 0.4) <
            1e-5);
  }

  /// Table 9 of Zhao et al.: another attack than FGSM makes the adversarial version.
  void samplesOfAnotherAttack() {
    std::vector<Json> asked;
    const CraftImages craft = [&](const Json& attack, const Tensor& images, const Tensor& labels) {
      asked.push_back(attack);
      if (!torch::equal(labels, bench_.classify(images))) return Tensor();
      return 1 - images;
    };
    const SampleOptions options{.count = 60, .attack = "bim_a", .epsilon = 0.3};
    const auto samples = samplesOf(options, nullptr, 0, craft);
    QVERIFY(torch::equal(samples.adversarial, 1 - samples.clean));
    QCOMPARE(asked.size(), std::size_t{2});  // 32 and 28 images
    QCOMPARE(asked[0], Json({{"type", "bim_a"}, {"eps", 0.3}, {"steps", 50}, {"step_size", 0.01}}));
    // The noise is as large as the attack; of JSMA as many values become 1 as it changes.
    QVERIFY(std::abs((samples.noisy - samples.clean).std().item<double>() - 0.111) < 0.02);
    const CraftImages few = [](const Json&, const Tensor& images, const Tensor&) {
      auto moved = images.clone();
      moved.slice(3, 0, 2).slice(2, 0, 3).fill_(0.5);
      return moved;
    };
    const auto flipped = samplesOf({.count = 60, .attack = "jsma"}, nullptr, 0, few);
    const auto changed = flipped.noisy.ne(flipped.clean);
    QVERIFY((changed.flatten(1).sum(1) == 6).all().item<bool>());
    QVERIFY((flipped.noisy.masked_select(changed) == 1).all().item<bool>());
    QVERIFY_EXCEPTION_THROWN(samplesOf(options), Error);
    QVERIFY_EXCEPTION_THROWN(rivals::make("lid", {{"samples_attack", "pgd"}}), Error);
  }

  void samplesComeFromValidationAndAreRight() {
    // Wrong labels are left out, unknown ones are not.
    const auto images = bench_.drawn(50, 77);
    auto labels = bench_.classify(images);
    labels.slice(0, 0, 10).add_(1).remainder_(3);
    labels.slice(0, 10, 20).fill_(-1);
    const TensorImageSet validation("validation", images, labels, {});
    const auto samples = samplesOf({.count = 1000}, &validation);
    QVERIFY(!samples.rows.defined());
    QVERIFY(torch::equal(samples.clean, images.slice(0, 10)));
    // Reserved training images are never drawn.
    const auto some = samplesOf({.count = 200}, nullptr, 100);
    QCOMPARE(some.rows.size(0), 140);
    const auto others = samplesOf({.count = 1000}, nullptr, 0).rows;
    QCOMPARE(others.size(0), 240);
    const TensorImageSet wrong("wrong", images, (bench_.classify(images) + 1).remainder(3), {});
    QVERIFY_EXCEPTION_THROWN(samplesOf({}, &wrong), Error);
  }

  void lid() {
    const auto detector = bench_.fitted("lid", lid_);
    TensorFile file;
    detector->save(file);
    const auto& references = file.tensors.at("lid.references");
    QCOMPARE(references.size(0), 40);
    // All layers, one by one and by brute force.
    std::vector<Tensor> columns;
    Tensor fresh;  // images that are no references themselves
    for (const char* layer :
         {"input", "relu1", "conv1", "relu2", "conv2", "fc1", "features", "logits"}) {
      const std::string name = layer;
      const auto at = [&](const Tensor& of) {
        const torch::NoGradGuard noGrad;
        const auto value = name == "input"    ? of
                           : name == "logits" ? bench_.classifier->forward(of)
                                              : bench_.tap(of, name);
        return value.flatten(1).to(torch::kFloat64);
      };
      const auto d = (at(bench_.images).unsqueeze(1) - at(references)).square().sum(2).sqrt();
      const auto nearest = std::get<0>(d.sort(1)).slice(1, 0, 8);
      if (name == "input") fresh = nearest.select(1, 0) > 0;
      const auto ratio = nearest / nearest.slice(1, 7, 8);
      columns.push_back(-1.0 / ratio.clamp_min(1e-12).log().mean(1));
    }
    const auto expected = torch::stack(columns, 1);
    const auto found = detector->intermediates(bench_.images).at("dimensions");
    QCOMPARE(fresh.sum().item<std::int64_t>(), 200);
    QVERIFY(torch::allclose(found.to(torch::kFloat64).index({fresh}), expected.index({fresh}), 1e-2,
                            1e-4));
    QVERIFY(measuredAccuracy(*detector) > 0.7);
    // Linear in the dimensions, with the weights in the file.
    const auto scaled = (found - file.tensors.at("lid.low")) / file.tensors.at("lid.range");
    const auto linear =
        torch::mv(scaled, file.tensors.at("lid.weights")) + file.tensors.at("lid.fit")[0];
    QVERIFY(
        torch::allclose(detector->score(bench_.images).to(torch::kFloat64), linear, 1e-3, 1e-3));
    // Adversarial images of the kind it was trained on score higher, images it never saw too.
    const auto unseen = bench_.drawn(60, 91);
    const TensorImageSet validation("v", unseen, bench_.classify(unseen), {});
    const auto samples = samplesOf({.count = 60, .epsilon = 0.4, .noise = 0.05}, &validation);
    QVERIFY(detector->score(samples.adversarial).mean().item<double>() >
            detector->score(samples.clean).mean().item<double>());
    bench_.rowsAreIndependent(*detector);
    bench_.restores(*detector, "lid", lid_);
    bench_.gradientIsRight([&](const Tensor& x) { return detector->score(x); }, 2e-4, 5e-2);
    bench_.canBeAttacked(*detector);
    bench_.isRepeatableAndStops("lid", lid_, true);
  }

  void lidOptions() {
    auto some = lid_;
    some["layers"] = {"logits", "input"};
    const auto detector = bench_.fitted("lid", some);
    const auto all = bench_.fitted("lid", lid_)->intermediates(bench_.images).at("dimensions");
    const auto two = detector->intermediates(bench_.images).at("dimensions");
    QVERIFY(torch::equal(two, torch::stack({all.select(1, 7), all.select(1, 0)}, 1)));
    QVERIFY_EXCEPTION_THROWN(rivals::make("lid", {{"k", 101}}), Error);
    some["layers"] = {"conv9"};
    QVERIFY_EXCEPTION_THROWN(bench_.fitted("lid", some), Error);
    QVERIFY_EXCEPTION_THROWN(bench_.fitted("lid", {{"minibatch", 241}}), Error);
  }

  void kernelDensityAndUncertainty() {
    const auto detector = bench_.fitted("kd_bu", kdBu_);
    TensorFile file;
    detector->save(file);
    const auto parts = detector->intermediates(bench_.images);
    // The density is a direct sum over the bank of the predicted class.
    const auto features = bench_.tap(bench_.images, "features").to(torch::kFloat64);
    const auto classes = bench_.classify(bench_.images);
    const double h = 0.3;
    std::int64_t banked = 0;
    for (int c = 0; c < 3; ++c)
      banked += file.tensors.at("kd_bu.bank." + std::to_string(c)).size(0);
    QCOMPARE(banked, 140);  // the 100 images of the regression are no centres
    for (std::int64_t i = 0; i < 60; ++i) {
      const auto c = classes[i].item<std::int64_t>();
      const auto bank =
          (file.tensors.at("kd_bu.bank." + std::to_string(c)) + file.tensors.at("kd_bu.centre"))
              .to(torch::kFloat64);
      double sum = 0.0;
      for (std::int64_t j = 0; j < bank.size(0); ++j) {
        const double squared = (features[i] - bank[j]).square().sum().item<double>();
        sum += std::exp(-squared / (2 * h * h));
      }
      const double unit = std::pow(2 * std::numbers::pi * h * h, -84 / 2.0);
      const double expected = std::log(sum / static_cast<double>(bank.size(0)) * unit);
      const double found = parts.at("log_density")[i].item<double>();
      QVERIFY2(std::abs(found - expected) < 1e-2, std::to_string(found - expected).c_str());
    }
    // The uncertainty pass by pass, with the network's own last layer.
    const auto& masks = file.tensors.at("kd_bu.masks");
    QCOMPARE(masks.sizes().vec(), (std::vector<std::int64_t>{50, 84}));
    QVERIFY(((masks == 0) | (masks == 2)).all().item<bool>());
    QVERIFY(std::abs(masks.mean().item<double>() - 1) < 0.05);
    const auto named = bench_.classifier->named_parameters();
    std::vector<Tensor> passes;
    for (std::int64_t t = 0; t < 50; ++t) {
      const auto dropped = bench_.tap(bench_.images, "features") * masks[t];
      passes.push_back(torch::softmax(
          torch::nn::functional::linear(dropped, named["output.weight"], named["output.bias"]), 1));
    }
    const auto stack = torch::stack(passes).to(torch::kFloat64);
    const auto variance = (stack - stack.mean(0)).square().mean(0).mean(1);
    QVERIFY(torch::allclose(parts.at("uncertainty").to(torch::kFloat64), variance, 1e-3, 1e-8));
    QVERIFY(measuredAccuracy(*detector) >= 0.6);
    bench_.rowsAreIndependent(*detector);
    bench_.restores(*detector, "kd_bu", kdBu_);
    bench_.gradientIsRight([&](const Tensor& x) { return detector->score(x); }, 1e-3, 5e-2);
    bench_.canBeAttacked(*detector);
    bench_.isRepeatableAndStops("kd_bu", kdBu_, true);
    // With validation images all training images are centres.
    const auto images = bench_.drawn(50, 77);
    const TensorImageSet validation("validation", images, bench_.classify(images), {});
    TensorFile whole;
    bench_.fitted("kd_bu", kdBu_, 3, &validation)->save(whole);
    banked = 0;
    for (int c = 0; c < 3; ++c) {
      banked += whole.tensors.at("kd_bu.bank." + std::to_string(c)).size(0);
    }
    QCOMPARE(banked, 240);
  }

  /// A network whose logits are no linear function of its features is refused.
  void kdBuNeedsALinearHead() {
    class Bent : public Network {
     public:
      Bent() : Network({1, 12, 12, 3}) {
        registerNormalisation();
        last_ = register_module("last", torch::nn::Linear(144, 3));
        initialise(Seed(2));
        freeze();
      }
      Tensor run(const Tensor& images, TapValues* taps) override {
        prepare(taps);
        keep(taps, "features", images.flatten(1));
        return last_(images.flatten(1)).tanh();
      }
      std::vector<std::string> taps() const override { return {"features"}; }

     private:
      torch::nn::Linear last_{nullptr};
    };
    const rivals::Bench bent(std::make_unique<Bent>());
    QVERIFY_EXCEPTION_THROWN(bent.fitted("kd_bu", kdBu_), Error);
  }

  void mahalanobisEnsemble() {
    const auto detector = bench_.fitted("mahalanobis", ensemble_);
    const auto found = detector->intermediates(bench_.images).at("layer_distances");
    const std::vector<std::string> taps = {"conv1", "features", "logits"};
    for (std::size_t i = 0; i < taps.size(); ++i) {
      const auto alone = bench_.fitted("mahalanobis", {{"tap", taps[i]}});
      QVERIFY(torch::allclose(found.select(1, static_cast<std::int64_t>(i)),
                              alone->score(bench_.images), 1e-5, 1e-5));
    }
    TensorFile file;
    detector->save(file);
    const auto scaled =
        (found - file.tensors.at("mahalanobis.low")) / file.tensors.at("mahalanobis.range");
    const auto linear = torch::mv(scaled, file.tensors.at("mahalanobis.weights")) +
                        file.tensors.at("mahalanobis.fit")[0];
    QVERIFY(
        torch::allclose(detector->score(bench_.images).to(torch::kFloat64), linear, 1e-3, 1e-3));
    QVERIFY(measuredAccuracy(*detector) > 0.6);
    bench_.rowsAreIndependent(*detector);
    bench_.restores(*detector, "mahalanobis", ensemble_);
    bench_.gradientIsRight([&](const Tensor& x) { return detector->score(x); });
    bench_.canBeAttacked(*detector);
    bench_.isRepeatableAndStops("mahalanobis", ensemble_, true);
    auto typo = ensemble_;
    typo["ensemble"] = {"conv1", "feature"};
    QVERIFY_EXCEPTION_THROWN(bench_.fitted("mahalanobis", typo), Error);
  }

  /// The logits alone, with a step towards the nearest mean.
  void mahalanobisStep() {
    const auto plain = bench_.fitted("mahalanobis", {{"tap", "logits"}});
    QVERIFY(plain->traits().differentiable);
    const auto leaf = bench_.images.clone().requires_grad_(true);
    const auto gradient = torch::autograd::grad({plain->score(leaf).sum()}, {leaf})[0];
    const auto moved = bench_.images - 0.01 * gradient.sign();
    const Json options = {{"tap", "logits"}, {"magnitude", 0.01}};
    const auto detector = bench_.fitted("mahalanobis", options);
    QVERIFY(torch::allclose(detector->score(bench_.images), plain->score(moved), 1e-3, 1e-4));
    QVERIFY((plain->score(moved) < plain->score(bench_.images))
                .to(torch::kFloat32)
                .mean()
                .item<double>() > 0.9);
    QVERIFY(!detector->traits().differentiable && !surrogateOf(*detector).empty());
    const auto other = smooth_.fitted("mahalanobis", options);
    smooth_.gradientIsRight([&](const Tensor& x) { return other->guide(x); });
    bench_.canBeAttacked(*detector);
    bench_.restores(*detector, "mahalanobis", options);
    // Every layer of an ensemble makes its own step.
    auto ensemble = ensemble_;
    ensemble["magnitude"] = 0.01;
    const auto both = bench_.fitted("mahalanobis", ensemble);
    const auto values = both->intermediates(bench_.images).at("layer_distances");
    QVERIFY(torch::allclose(values.select(1, 2), detector->score(bench_.images), 1e-4, 1e-4));
    bench_.restores(*both, "mahalanobis", ensemble);
    Json chosen = {{"tap", "logits"}, {"magnitude_from", "fgsm"}, {"samples", 100}};
    bench_.restores(*bench_.fitted("mahalanobis", chosen), "mahalanobis", chosen);
  }
};

QTEST_GUILESS_MAIN(TestTrainedDetectors)
#include "tst_trained_detectors.moc"
