#include <cmath>
#include <set>

#include "core/base/error.h"
#include "core/data/image_set.h"
#include "core/detectors/class_parts.h"
#include "core/detectors/detector.h"
#include "core/detectors/detector_objective.h"
#include "core/detectors/one_class_machine.h"
#include "core/detectors/own_threshold.h"
#include "core/detectors/score_set.h"
#include "core/detectors/validation_outliers.h"
#include "core/experiment/bench.h"
#include "core/experiment/class_table.h"
#include "core/nn/network.h"
#include "core/report/weight_curve.h"

using namespace bulwark;

namespace {

torch::Tensor uniform(torch::IntArrayRef shape, std::uint64_t seed) {
  auto values = torch::empty(shape, torch::kFloat32);
  Random random(Seed{seed});
  auto* data = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) data[i] = static_cast<float>(random.uniform());
  return values;
}

/// A classifier with a spatial tap, a dead one and a flat one. The class is the brightest of the
/// first three columns, or 3 where all three are dark, which no training image is.
class Columns : public Network {
 public:
  Columns() : Network({1, 8, 8, 4}) {
    registerNormalisation();
    convolution_ =
        register_module("convolution", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 5, 3)));
    initialise(Seed{3});
    freeze();
  }
  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    prepare(taps);
    const auto maps = torch::tanh(convolution_->forward(normalise(images)));
    keep(taps, "maps", maps);
    keep(taps, "dead", torch::zeros_like(maps));
    const auto columns = images.mean(2).squeeze(1);
    keep(taps, "features", columns);
    return 10.0 *
           torch::cat({columns.slice(1, 0, 3), 0.4 - columns.slice(1, 0, 3).sum(1, true)}, 1);
  }
  std::vector<std::string> taps() const override { return {"maps", "dead", "features"}; }

 private:
  torch::nn::Conv2d convolution_{nullptr};
};

std::unique_ptr<Detector> make(const std::string& name, const Json& options = Json::object()) {
  Registry<Detector> registry{"detector"};
  registerDetectors(registry);
  return registry.make(name, options, "detectors[0]");
}

struct Fitted {
  explicit Fitted(const std::string& name, const Json& options = Json::object(),
                  std::int64_t images = 300)
      : train("train", uniform({images, 1, 8, 8}, 1), torch::zeros({images}, torch::kInt64), {}),
        detector(make(name, options)) {
    Task task;
    detector->fit({.classifier = &network, .train = train, .batchSize = 64, .task = task});
  }
  Json facts() const { return dynamic_cast<const HasFitFacts&>(*detector).fitFacts(); }

  Columns network;
  TensorImageSet train;
  std::unique_ptr<Detector> detector;
};

double worst(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

ScoreSet scored(Detector& detector, const torch::Tensor& images, const std::string& dataset,
                bool out) {
  const torch::NoGradGuard noGrad;
  ScoreSet set;
  set.detector = "svdd";
  set.dataset = dataset;
  set.out = out;
  const auto scores = detector.score(images).to(torch::kFloat64).contiguous();
  set.scores.assign(scores.data_ptr<double>(), scores.data_ptr<double>() + scores.numel());
  return set;
}

/// The figures per class of a detector on two sets.
Json figures(Detector& detector, const torch::Tensor& in, const torch::Tensor& out) {
  Task task;
  ClassTable table;
  const auto add = [&](const torch::Tensor& images, const std::string& name, bool isOut) {
    const auto set = scored(detector, images, name, isOut);
    table.add(set, ClassTable::measure(
                       detector, images.size(0),
                       [&](std::int64_t b, std::int64_t e) { return images.slice(0, b, e); },
                       torch::kCPU, 32, task));
    return set;
  };
  const auto inSet = add(in, "in", false), outSet = add(out, "out", true);
  Json extra = Json::object();
  table.writeMetrics(inSet, outSet, extra, task);
  return extra;
}

}  // namespace

class SvddTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  /// From machines fitted by hand on the features of the predicted class.
  void scoreIsThePapers() {
    const Fitted fitted("svdd", {{"layer", "maps"}, {"logit_weight", 0.3}});
    const torch::NoGradGuard noGrad;
    Columns network;
    const auto look = [&](const torch::Tensor& images) {
      TapValues taps{{"maps", {}}};
      const auto logits = network.run(images, &taps);
      return std::make_tuple(taps.at("maps").mean({2, 3}), logits, logits.argmax(1));
    };
    Task task;
    const auto [trainMaps, trainLogits, trainClasses] = look(uniform({300, 1, 8, 8}, 1));
    const auto images = uniform({40, 1, 8, 8}, 2);
    const auto [maps, logits, classes] = look(images);
    const auto scores = fitted.detector->score(images);
    std::set<std::int64_t> met;
    for (std::int64_t i = 0; i < 40; ++i) {
      const auto c = classes[i].item<std::int64_t>();
      met.insert(c);
      double expected = 0;
      for (const bool layer : {true, false}) {
        const auto& from = layer ? trainMaps : trainLogits;
        const auto mine = from.index({trainClasses == c}).to(torch::kFloat64);
        const auto machine = OneClassMachine::fit({mine}, {}, torch::kCPU, task)[0];
        const auto range = machine.kernelSum(mine);
        const auto g =
            machine.kernelSum((layer ? maps : logits)[i].unsqueeze(0).to(torch::kFloat64));
        const auto star = ((g - range.min()) / (range.max() - range.min())).item<double>();
        expected -= (layer ? 0.7 : 0.3) * star;
      }
      QVERIFY(std::abs(scores[i].item<double>() - expected) < 1e-4);
    }
    QCOMPARE(met.size(), std::size_t(3));
  }

  void weightsAndNormalisationModes() {
    const auto images = uniform({30, 1, 8, 8}, 4);
    const Fitted layer("svdd", {{"layer", "maps"}, {"logit_weight", 0.0}});
    const Fitted logits("svdd", {{"layer", "maps"}, {"logit_weight", 1.0}});
    const Fitted both("svdd", {{"layer", "maps"}});
    QVERIFY(worst(both.detector->score(images),
                  (layer.detector->score(images) + logits.detector->score(images)) / 2) < 1e-5);
    const Fitted bare("svdd", {{"layer", "maps"}, {"normalisation", "none"}});
    const auto parts = dynamic_cast<ScoresByClass&>(*bare.detector).classParts(images);
    QVERIFY(worst(bare.detector->score(images).to(torch::kFloat64), -parts.parts.mean(1)) < 1e-4);
    // What is stored per image is normalised with training images in the published mode too.
    const Fitted published("svdd", {{"layer", "maps"}, {"normalisation", "transductive"}});
    QVERIFY(torch::equal(published.detector->score(images), both.detector->score(images)));
    QVERIFY(dynamic_cast<ScoresByClass&>(*both.detector).transductiveWeights().empty());
    QCOMPARE(dynamic_cast<ScoresByClass&>(*published.detector).transductiveWeights(),
             (std::vector<double>{0.5, 0.5}));
  }

  void transductiveDependsOnTheOutSetAndTrainDoesNot() {
    const auto in = uniform({200, 1, 8, 8}, 5);
    const auto out = (uniform({120, 1, 8, 8}, 6) * 0.6 + 0.3).clamp(0, 1);
    // The same out images and one whose sums are far below all others'.
    const auto extreme = torch::cat({out, torch::eye(8).view({1, 1, 8, 8}) * 1.0});
    const Fitted fitted("svdd", {{"layer", "maps"}, {"normalisation", "transductive"}});
    auto& detector = *fitted.detector;
    const auto before = scored(detector, in, "in", false).scores;
    const Json with = figures(detector, in, extreme), without = figures(detector, in, out);
    QCOMPARE(scored(detector, in, "in", false).scores, before);
    for (const char* name : {"tnr95_per_class", "auroc_per_class", "tnr95_per_class_transductive",
                             "auroc_per_class_transductive"}) {
      QVERIFY2(with.contains(name) && without.contains(name), name);
      QVERIFY(with.at(name).get<double>() >= 0 && with.at(name).get<double>() <= 1);
    }
    auto& classed = dynamic_cast<ScoresByClass&>(detector);
    const auto parts = [&](const torch::Tensor& images) {
      const auto found = classed.classParts(images);
      ClassedParts plain;
      for (std::int64_t i = 0; i < images.size(0); ++i) {
        plain.classes.push_back(found.classes[i].item<std::int64_t>());
      }
      for (std::int64_t p = 0; p < 2; ++p) {
        const auto column = found.parts.select(1, p).contiguous();
        plain.parts.emplace_back(column.data_ptr<double>(),
                                 column.data_ptr<double>() + column.numel());
      }
      return plain;
    };
    const auto a = transductiveScores(parts(in), parts(out), {0.5, 0.5});
    const auto b = transductiveScores(parts(in), parts(extreme), {0.5, 0.5});
    QVERIFY(a.in != b.in);
    // "train" has no figures of that kind.
    const Fitted plain("svdd", {{"layer", "maps"}});
    QVERIFY(!figures(*plain.detector, in, out).contains("auroc_per_class_transductive"));
  }

  void curveOverTheWeightGoesThroughTheDetectors() {
    const auto in = uniform({160, 1, 8, 8}, 5);
    const auto out = (uniform({120, 1, 8, 8}, 6) * 0.6 + 0.3).clamp(0, 1);
    for (const char* normalisation : {"train", "transductive", "none"}) {
      const auto of = [&](double weight) {
        const Fitted fitted(
            "svdd",
            {{"layer", "maps"}, {"logit_weight", weight}, {"normalisation", normalisation}});
        ResultRow row;
        row.extra = figures(*fitted.detector, in, out);
        return row;
      };
      // 0.37 is no round weight: it is put among those that are.
      const ResultRow own = of(0.37), round = of(0.25);
      const auto curve = WeightCurve::of(own).value(), other = WeightCurve::of(round).value();
      QCOMPARE(curve.own, 0.37);
      QCOMPARE(curve.weights.size(), std::size_t(22));
      QCOMPARE(curve.weights[8], 0.37);
      QCOMPARE(other.weights.size(), std::size_t(21));
      const bool published = std::string(normalisation) == "transductive";
      QCOMPARE(curve.series.size(), std::size_t(published ? 4 : 2));
      for (const auto& [weight, place] : {std::pair{0.0, 0}, {0.25, 5}, {0.37, 8}, {1.0, 21}}) {
        const ResultRow one = of(weight);
        for (const auto& series : curve.series) {
          const double expected = one.extra.at(series.metric).get<double>();
          const double found = series.values[std::size_t(place)];
          // Sums of two parts are rounded to float in the score, here they are not.
          const bool exact = weight != 0.25;
          QVERIFY2(exact ? found == expected : std::abs(found - expected) < 1e-3,
                   series.metric.c_str());
        }
      }
    }
  }

  void gradientIsThatOfTheScore() {
    for (const char* name : {"svdd", "elo"}) {
      const Fitted fitted(name, {{"layer", "maps"}, {"nu", 0.1}});
      auto images = uniform({3, 1, 8, 8}, 7).requires_grad_(true);
      const auto found = torch::autograd::grad({fitted.detector->score(images).sum()}, {images})[0];
      const torch::NoGradGuard noGrad;
      constexpr float step = 1e-2F;
      for (std::int64_t pixel = 0; pixel < 64; pixel += 5) {
        for (std::int64_t i = 0; i < 3; ++i) {
          auto up = images.detach().clone(), down = up.clone();
          up[i].view(-1)[pixel] += step;
          down[i].view(-1)[pixel] -= step;
          const double slope = (fitted.detector->score(up)[i].item<double>() -
                                fitted.detector->score(down)[i].item<double>()) /
                               (2 * step);
          const double gradient = found[i].view(-1)[pixel].item<double>();
          QVERIFY2(std::abs(slope - gradient) < 0.02 * std::max(0.05, std::abs(slope)) + 1e-3,
                   qPrintable(QStringLiteral("%1: %2 and %3").arg(name).arg(slope).arg(gradient)));
        }
      }
    }
  }

  void savedAndLoadedScoresAreTheSame() {
    const auto images = uniform({25, 1, 8, 8}, 8);
    for (const char* name : {"svdd", "elo"}) {
      Fitted fitted(name);
      TensorFile file;
      fitted.detector->save(file);
      const auto again = make(name);
      again->load(file, &fitted.network, torch::kCPU);
      QVERIFY(torch::equal(again->score(images), fitted.detector->score(images)));
      QCOMPARE(dynamic_cast<const HasFitFacts&>(*again).fitFacts(), fitted.facts());
      QVERIFY_EXCEPTION_THROWN(make("knn")->load(file, &fitted.network, torch::kCPU), Error);
    }
  }

  /// Class 3 is never predicted in training: its images are judged by all training images.
  void aClassNobodyIsPredictedAs() {
    const Fitted fitted("svdd", {{"layer", "maps"}});
    const Json facts = fitted.facts();
    QCOMPARE(facts.at("classes_without_machine"), Json::array({3}));
    QCOMPARE(facts.at("class_images").size(), std::size_t(4));
    QCOMPARE(facts.at("support_vectors").at("layer").size(), std::size_t(4));
    const auto dark = uniform({3, 1, 8, 8}, 12) * 0.1;
    const auto parts = dynamic_cast<ScoresByClass&>(*fitted.detector).classParts(dark);
    QVERIFY((parts.classes == 3).all().item<bool>());
    TapValues taps{{"maps", {}}};
    Columns network;
    Task task;
    network.run(fitted.train.range(0, 300), &taps);
    const auto machine =
        OneClassMachine::fit({taps.at("maps").mean({2, 3})}, {}, torch::kCPU, task)[0];
    network.run(dark, &taps);
    const auto expected = machine.kernelSum(taps.at("maps").mean({2, 3})).to(torch::kFloat64);
    QVERIFY(worst(parts.parts.select(1, 0), expected) < 1e-4);
    auto leaf = dark.clone().requires_grad_(true);
    const auto scores = fitted.detector->score(leaf);
    QVERIFY(torch::isfinite(scores).all().item<bool>());
    const auto slope = torch::autograd::grad({scores.sum()}, {leaf})[0];
    QVERIFY((slope.flatten(1).abs().sum(1) > 0).all().item<bool>());
  }

  void layerSearchNamesTheBestAndTellsAllErrors() {
    const Fitted fitted("svdd");
    const Json facts = fitted.facts();
    QCOMPARE(facts.at("in_from").get<std::string>(), std::string("training"));
    const Json& layers = facts.at("layers");
    QCOMPARE(layers.size(), std::size_t(3));
    double least = 1;
    std::string best;
    for (const auto& layer : layers) {
      if (layer.at("layer") == "dead") {
        QVERIFY(layer.at("detection_error").is_null());
        continue;
      }
      const double error = layer.at("detection_error").get<double>();
      QVERIFY(error >= 0 && error <= 0.55);
      if (error < least) {
        least = error;
        best = layer.at("layer").get<std::string>();
      }
    }
    QCOMPARE(facts.at("layer").get<std::string>(), best);
    const Fitted again("svdd");
    QCOMPARE(again.facts(), facts);
  }

  void refusesWhatCannotBeDescribed() {
    QVERIFY_EXCEPTION_THROWN(Fitted("svdd", {{"layer", "dead"}}), Error);
    QVERIFY_EXCEPTION_THROWN(Fitted("elo", {{"layer", "dead"}}), Error);
    QVERIFY_EXCEPTION_THROWN(Fitted("svdd", {{"layer", "nowhere"}}), Error);
    QVERIFY_EXCEPTION_THROWN(make("svdd", {{"search_outliers", {"noise"}}}), Error);
    // Too few images for any class: all share one machine.
    const Fitted few("svdd", {{"layer", "maps"}}, 12);
    QVERIFY(few.facts().at("classes_without_machine").size() >= 3);
    QVERIFY(torch::isfinite(few.detector->score(uniform({4, 1, 8, 8}, 9))).all().item<bool>());
  }

  void eloIsOneMachine() {
    const Fitted fitted("elo", {{"layer", "features"}});
    Task task;
    const auto machine = OneClassMachine::fit({uniform({300, 1, 8, 8}, 1).mean(2).squeeze(1)},
                                              {.nu = 0.001}, torch::kCPU, task)[0];
    const auto images = uniform({20, 1, 8, 8}, 10);
    const auto sums = machine.kernelSum(images.mean(2).squeeze(1));
    QVERIFY(worst(fitted.detector->score(images), -sums.log()) < 1e-5);
  }

  /// Far from all training images the score is flat in float32, what an attack follows is not.
  void guideHasAGradientWhereTheScoreHasNone() {
    const Fitted fitted(
        "svdd", {{"layer", "maps"}, {"width", "fixed"}, {"gamma", 60}, {"attack_guide", "log"}});
    const auto own = Fitted("svdd", {{"layer", "maps"},
                                     {"width", "fixed"},
                                     {"gamma", 60},
                                     {"attack_guide", "score"},
                                     {"attack_guide", "score"}});
    auto far = torch::ones({4, 1, 8, 8}).requires_grad_(true);
    const auto slope = [&](const torch::Tensor& value) {
      return torch::autograd::grad({value.sum()}, {far})[0].abs().flatten(1).amax(1);
    };
    QCOMPARE(slope(fitted.detector->score(far)).max().item<float>(), 0.0F);
    QCOMPARE(slope(own.detector->guide(far)).max().item<float>(), 0.0F);
    QVERIFY(slope(fitted.detector->guide(far)).min().item<float>() > 0);
    QVERIFY(!fitted.detector->traits().differentiable && own.detector->traits().differentiable);
    // With one part the guide is a falling function of the kernel sum, so it orders as the score.
    const Fitted one("svdd", {{"layer", "maps"},
                              {"logit_weight", 0},
                              {"normalisation", "none"},
                              {"attack_guide", "log"}});
    const auto images = uniform({20, 1, 8, 8}, 13);
    QVERIFY(worst(one.detector->guide(images), -(-one.detector->score(images)).log()) < 1e-4);
    // An adversary who follows the guide leaves the plateau that holds one who follows the score.
    const auto walked = [](const char* guide) {
      const Fitted wide(
          "svdd", {{"layer", "maps"}, {"width", "fixed"}, {"gamma", 1}, {"attack_guide", guide}});
      auto at = torch::ones({4, 1, 8, 8});
      const auto before = wide.detector->score(at).detach();
      auto best = before;
      for (int step = 0; step < 100; ++step) {
        auto leaf = at.clone().requires_grad_(true);
        const auto slope =
            torch::autograd::grad({wide.detector->guide(leaf).sum()}, {leaf})[0].sign();
        at = (at - 0.02 * slope).clamp(0, 1);
        best = torch::minimum(best, wide.detector->score(at).detach());
      }
      return (before - best).min().item<float>();
    };
    QCOMPARE(walked("score"), 0.0F);
    QVERIFY(walked("log") > 0.05F);
    QVERIFY(walked("both") > 0.05F);
    // Where the score has a gradient, the default has its signs in nearly every pixel.
    const Fitted both("svdd", {{"layer", "maps"}});
    auto near = uniform({30, 1, 8, 8}, 1).requires_grad_(true);
    const auto slopeOf = [&](const torch::Tensor& value) {
      return torch::autograd::grad({value.sum()}, {near})[0];
    };
    const auto plain = slopeOf(both.detector->score(near));
    const auto led = slopeOf(both.detector->guide(near));
    QVERIFY((plain.sign() == led.sign()).to(torch::kFloat32).mean().item<float>() > 0.95F);
    DetectorObjective objective(*fitted.detector, -1);
    const auto values = objective.evaluate(far, torch::arange(4));
    QVERIFY(torch::allclose(values.judged, -fitted.detector->score(far).detach()));
    QVERIFY(torch::allclose(values.guide, -fitted.detector->guide(far)));
  }

  void outliersOfTheSearch() {
    const auto images = uniform({24, 3, 9, 8}, 11);
    const auto& kinds = validationOutlierKinds();
    const auto made = validationOutliers(images, kinds, Seed(1));
    QVERIFY(torch::equal(made, validationOutliers(images, kinds, Seed(1))));
    QVERIFY(!torch::equal(made, validationOutliers(images, kinds, Seed(2))));
    QVERIFY(made.min().item<float>() >= 0 && made.max().item<float>() <= 1);
    for (std::int64_t i = 0; i < 24; ++i) QVERIFY(!torch::equal(made[i], images[i]));
    QVERIFY(torch::equal(validationOutliers(images, {"inverted"}, Seed(1)), 1 - images));
    const auto puzzle = validationOutliers(images, {"jigsaw"}, Seed(1));
    QVERIFY(torch::allclose(std::get<0>(puzzle.flatten(1).sort(1)),
                            std::get<0>(images.flatten(1).sort(1))));
    QVERIFY(torch::equal(puzzle.slice(2, 8), images.slice(2, 8)));  // beyond four patches
    const auto blobs = validationOutliers(images, {"blobs"}, Seed(1));
    QVERIFY(blobs.eq(0).to(torch::kFloat32).mean().item<double>() > 0.2);
  }

  void benchComparesEqualWork() {
    Task task;
    const SvddBenchSize tiny{.images = 200, .points = 120, .dimensions = {4, 12}, .repetitions = 1};
    const auto results = benchSvdd(Registries{}, 1, task, tiny);
    QCOMPARE(results.size(), std::size_t(2 + 3 + 1 + 3));
    std::set<std::string> cases;
    for (const auto& result : results) {
      QVERIFY(cases.insert(result.caseName).second);
      QVERIFY2(result.value > 0 && result.ratio > 0 && result.baselineValue > 0,
               result.caseName.c_str());
    }
  }
};

QTEST_GUILESS_MAIN(SvddTest)
#include "tst_svdd.moc"
