#include "core/experiment/class_table.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/detectors/class_parts.h"
#include "core/metrics/per_class.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

void write(const std::vector<ClassScores>& classes, const std::string& ending, Json& extra) {
  const bool comparable = std::any_of(classes.begin(), classes.end(), [](const ClassScores& c) {
    return !c.in.empty() && !c.out.empty();
  });
  if (!comparable) return;
  const PerClassResult found = perClassDetection(classes);
  extra["tnr95_per_class" + ending] = found.pooledTnr;
  extra["auroc_per_class" + ending] = found.weightedAuroc;
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
  Json found = {{"classes", Json::array()}, {"parts", Json::array()}, {"weights", weights}};
  for (std::size_t part = 0; part < weights.size(); ++part) found["parts"].push_back(Json::array());
  for (std::int64_t begin = 0; begin < total; begin += batchSize) {
    task.checkpoint();
    const std::int64_t end = std::min(begin + batchSize, total);
    const auto batch = told->classParts(toDevice(images(begin, end), device));
    const auto classes = batch.classes.accessor<std::int64_t, 1>();
    const auto parts = batch.parts.accessor<double, 2>();
    for (std::int64_t i = 0; i < end - begin; ++i) {
      found["classes"].push_back(classes[i]);
      for (std::size_t part = 0; part < weights.size(); ++part) {
        found["parts"][part].push_back(parts[i][static_cast<std::int64_t>(part)]);
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

void ClassTable::writeMetrics(const ScoreSet& in, const ScoreSet& out, Json& extra) const {
  const auto ofIn = sets_.find(keyOf(in)), ofOut = sets_.find(keyOf(out));
  if (ofIn == sets_.end() || ofOut == sets_.end()) return;
  const auto& [inImages, weights] = ofIn->second;
  const auto& outImages = ofOut->second.images;
  write(byClass(inImages.classes, in.scores, outImages.classes, out.scores), "", extra);
  if (weights.empty()) return;
  const PairScores pair = transductiveScores(inImages, outImages, weights);
  write(byClass(inImages.classes, pair.in, outImages.classes, pair.out), "_transductive", extra);
}

}  // namespace bulwark
