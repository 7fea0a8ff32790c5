#include "core/experiment/class_table.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/error.h"
#include "core/detectors/class_parts.h"
#include "core/metrics/per_class.h"
#include "core/nn/device.h"
#include "core/report/weight_curve.h"

namespace bulwark {
namespace {

constexpr const char* kMetrics[] = {"tnr95_per_class", "auroc_per_class"};

/// The two figures, or none where no class has both in and out images.
std::vector<double> figures(const std::vector<ClassScores>& classes) {
  const bool comparable = std::any_of(classes.begin(), classes.end(), [](const ClassScores& c) {
    return !c.in.empty() && !c.out.empty();
  });
  if (!comparable) return {};
  const PerClassResult found = perClassDetection(classes);
  return {found.pooledTnr, found.weightedAuroc};
}

void write(const std::vector<ClassScores>& classes, const std::string& ending, Json& extra) {
  const auto found = figures(classes);
  for (std::size_t i = 0; i < found.size(); ++i) extra[kMetrics[i] + ending] = found[i];
}

/// Of a float the decimal number with the fewest digits, which takes half the room in a file.
double shortest(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double number = value;
  std::from_chars(text, end, number);
  return number;
}

/// 0, 0.05 .. 1 and the detector's own weight.
std::vector<double> weightsToShow(double own) {
  constexpr int steps = 20;
  std::vector<double> weights;
  for (int i = 0; i <= steps; ++i) weights.push_back(static_cast<double>(i) / steps);
  if (std::find(weights.begin(), weights.end(), own) == weights.end()) weights.push_back(own);
  std::sort(weights.begin(), weights.end());
  return weights;
}

}  // namespace

bool ClassTable::concerns(const Detector& detector) {
  return dynamic_cast<const ScoresByClass*>(&detector) != nullptr;
}

Json ClassTable::measure(Detector& detector, std::int64_t total,
                         const std::function<torch::Tensor(std::int64_t, std::int64_t)>& images,
                         const torch::Device& device, std::int64_t batchSize, Task& task) {
  auto* told = dynamic_cast<ScoresByClass*>(&detector);
  if (!told) return nullptr;
  const auto weights = told->transductiveWeights();
  const auto partWeights = told->partWeights();
  Json found = {{"classes", Json::array()},
                {"parts", Json::array()},
                {"weights", weights},
                {"normal", Json::array()},
                {"part_weights", partWeights}};
  for (std::size_t part = 0; part < weights.size(); ++part) found["parts"].push_back(Json::array());
  for (std::size_t part = 0; part < partWeights.size(); ++part) {
    found["normal"].push_back(Json::array());
  }
  for (std::int64_t begin = 0; begin < total; begin += batchSize) {
    task.checkpoint();
    const std::int64_t end = std::min(begin + batchSize, total);
    const auto batch = told->classParts(toDevice(images(begin, end), device));
    const auto classes = batch.classes.accessor<std::int64_t, 1>();
    const auto parts = batch.parts.accessor<double, 2>();
    const auto normal = batch.normal.accessor<double, 2>();
    for (std::int64_t i = 0; i < end - begin; ++i) {
      found["classes"].push_back(classes[i]);
      for (std::size_t part = 0; part < weights.size(); ++part) {
        found["parts"][part].push_back(parts[i][static_cast<std::int64_t>(part)]);
      }
      for (std::size_t part = 0; part < partWeights.size(); ++part) {
        found["normal"][part].push_back(
            shortest(static_cast<float>(normal[i][static_cast<std::int64_t>(part)])));
      }
    }
    task.advance(end - begin);
  }
  return found;
}

void ClassTable::add(const ScoreSet& set, const Json& measured) {
  if (!measured.is_object()) return;
  try {
    Measured made;
    made.images.classes = measured.at("classes").get<std::vector<std::int64_t>>();
    for (const auto& part : measured.at("parts")) {
      made.images.parts.push_back(part.get<std::vector<double>>());
    }
    made.weights = measured.at("weights").get<std::vector<double>>();
    if (measured.contains("normal")) {
      made.normal = measured.at("normal").get<std::vector<std::vector<double>>>();
      made.partWeights = measured.at("part_weights").get<std::vector<double>>();
    }
    if (made.images.classes.size() != set.scores.size()) {
      throw Error::badInput("the classes kept of '" + set.dataset + "' are not one per image",
                            set.detector, "queue the specification as a new run");
    }
    sets_[keyOf(set)] = std::move(made);
  } catch (const Json::exception& error) {
    throw Error::badInput(std::string("these are no classes of scored images: ") + error.what(),
                          set.detector, "queue the specification as a new run");
  }
}

void ClassTable::writeMetrics(const ScoreSet& in, const ScoreSet& out, Json& extra,
                              Task& task) const {
  const auto ofIn = sets_.find(keyOf(in)), ofOut = sets_.find(keyOf(out));
  if (ofIn == sets_.end() || ofOut == sets_.end()) return;
  const auto& inImages = ofIn->second.images;
  const auto& outImages = ofOut->second.images;
  write(byClass(inImages.classes, in.scores, outImages.classes, out.scores), "", extra);
  if (const auto& weights = ofIn->second.weights; !weights.empty()) {
    const PairScores pair = transductiveScores(inImages, outImages, weights);
    write(byClass(inImages.classes, pair.in, outImages.classes, pair.out), "_transductive", extra);
  }
  writeCurve(ofIn->second, ofOut->second, extra, task);
}

void ClassTable::writeCurve(const Measured& in, const Measured& out, Json& extra, Task& task) {
  if (in.partWeights.size() != 2 || out.partWeights != in.partWeights) return;
  WeightCurve curve;
  curve.own = in.partWeights[1];
  curve.weights = weightsToShow(curve.own);
  const auto add = [&](const PairParts& pair, const std::string& ending) {
    if (!extra.contains(kMetrics[0] + ending)) return;
    std::vector<WeightCurve::Series> series;
    for (const char* metric : kMetrics) series.push_back({metric + ending, {}});
    for (const double weight : curve.weights) {
      task.checkpoint();
      const std::vector<double> weights = {1.0 - weight, weight};
      // The score's own figures are those reported, of the very scores that were stored.
      const auto found =
          weight == curve.own
              ? std::vector<double>{}
              : figures(byClass(in.images.classes, weightedScores(pair.in, weights),
                                out.images.classes, weightedScores(pair.out, weights)));
      for (std::size_t i = 0; i < series.size(); ++i) {
        series[i].values.push_back(found.empty() ? extra.at(series[i].metric).get<double>()
                                                 : found[i]);
      }
    }
    curve.series.insert(curve.series.end(), series.begin(), series.end());
  };
  add({{in.images.classes, in.normal}, {out.images.classes, out.normal}}, "");
  if (!in.weights.empty()) add(transductiveParts(in.images, out.images), "_transductive");
  if (!curve.series.empty()) extra[WeightCurve::key] = curve.toJson();
}

}  // namespace bulwark
