#include "core/experiment/record_class_map.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "core/detectors/class_parts.h"
#include "core/experiment/class_map_file.h"
#include "core/experiment/classifier.h"
#include "core/nn/device.h"
#include "core/projection/trustworthiness.h"
#include "core/projection/umap.h"

namespace bulwark {
namespace {

/// Points of one layout; more tell no more in a small picture and cost more.
constexpr std::size_t kPoints = 600;
/// Pictures that take more are not kept.
constexpr std::int64_t kPictureBytes = 32 << 20;
/// In images per out image that is asked for: they are split by class, and all layouts share them.
constexpr std::int64_t kInShare = 10;

/// The published figures: min_dist 0.8, the rest as the authors of UMAP have it, but 300 epochs of
/// their 500: that is quicker, and trustworthiness was 0.94 to 0.99 (LeNet on MNIST).
UmapOptions layoutOptions() {
  UmapOptions options;
  options.minDist = 0.8;
  options.epochs = 300;
  return options;
}

torch::Tensor spread(std::int64_t count, std::int64_t size) {
  count = std::min(count, size);
  return torch::div(torch::arange(count, torch::kInt64) * size, std::max<std::int64_t>(count, 1),
                    "floor");
}

std::vector<std::size_t> spreadOver(const std::vector<std::size_t>& samples, std::size_t count) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(samples[i * samples.size() / count]);
  return chosen;
}

/// What is recorded, with the features that are laid out, part by part.
struct Recorded {
  ClassMap map;
  std::vector<std::vector<torch::Tensor>> features;
};

/// Whether the labels of an out set are classes of the in set: those that an attack has made of in
/// images keep theirs.
bool hasOwnClasses(const NamedSet& set) {
  const auto& details = set.set->details();
  return details.is_object() && details.value("crafted", false);
}

void look(ScoresByClass& judge, const NamedSet& set, const std::string& role, std::int64_t count,
          const ScoreSet& scores, bool pictures, std::int64_t batchSize,
          const torch::Device& device, Recorded& recorded, Task& task) {
  ClassMap& map = recorded.map;
  map.sets.push_back({role, set.name});
  const auto rows = spread(count, set.set->size());
  const bool labelled = role == "in" || hasOwnClasses(set);
  const auto labels = set.set->labels().accessor<std::int64_t, 1>();
  for (std::int64_t begin = 0; begin < rows.size(0); begin += batchSize) {
    task.checkpoint();
    const auto part = rows.slice(0, begin, std::min(begin + batchSize, rows.size(0))).contiguous();
    const auto images = set.set->images(part);
    const auto placed = toDevice(images, device);
    const auto seen = judge.classFeatures(placed);
    const auto found = judge.classParts(placed);
    const auto normal = found.normal.contiguous();
    for (std::size_t p = 0; p < map.parts.size(); ++p) {
      recorded.features[p].push_back(seen.features[p]);
    }
    map.normality.insert(map.normality.end(), normal.data_ptr<double>(),
                         normal.data_ptr<double>() + normal.numel());
    for (std::int64_t i = 0; i < part.size(0); ++i) {
      const auto row = part[i].item<std::int64_t>();
      map.samples.push_back({map.sets.size() - 1, row, seen.classes[i].item<std::int64_t>(),
                             labelled ? labels[row] : -1,
                             scores.scores.at(static_cast<std::size_t>(row))});
    }
    if (pictures) {
      const auto bytes = (images.clamp(0.0, 1.0) * 255.0).round().to(torch::kUInt8).contiguous();
      map.pixels.insert(map.pixels.end(), bytes.data_ptr<std::uint8_t>(),
                        bytes.data_ptr<std::uint8_t>() + bytes.numel());
    }
    task.advance(part.size(0));
  }
}

/// The samples of the class, or all, set by set.
std::vector<std::vector<std::size_t>> bySet(const ClassMap& map, std::int64_t predicted) {
  std::vector<std::vector<std::size_t>> sorted(map.sets.size());
  for (std::size_t i = 0; i < map.samples.size(); ++i) {
    const auto& sample = map.samples[i];
    if (predicted == ClassMap::pooled || sample.predicted == predicted) {
      sorted[sample.set].push_back(i);
    }
  }
  return sorted;
}

void layOut(Recorded& recorded, Seed seed, Task& task) {
  ClassMap& map = recorded.map;
  const UmapOptions options = layoutOptions();
  map.neighbours = options.neighbours;
  map.minDist = options.minDist;
  std::vector<std::int64_t> classes = map.classesSeen();
  classes.insert(classes.begin(), ClassMap::pooled);
  std::vector<UmapProblem> problems;
  for (std::size_t part = 0; part < map.parts.size(); ++part) {
    const auto features = torch::cat(recorded.features[part]);
    const Seed own = seed.child(map.parts[part].name);
    for (const auto predicted : classes) {
      ClassMap::Layout layout;
      layout.part = part;
      layout.predicted = predicted;
      layout.samples = balancedSamples(bySet(map, predicted), kPoints);
      const std::vector<std::int64_t> rows(layout.samples.begin(), layout.samples.end());
      problems.push_back({features.index_select(0, torch::tensor(rows, torch::kInt64)),
                          own.child(static_cast<std::uint64_t>(predicted + 1))});
      map.layouts.push_back(std::move(layout));
    }
  }
  task.begin("class map of " + map.detector + ": layouts", umapEpochs(problems, options), "epochs");
  const auto found = umap(problems, options, task);
  for (std::size_t i = 0; i < found.size(); ++i) {
    auto& layout = map.layouts[i];
    const auto at = found[i].accessor<float, 2>();
    for (std::int64_t point = 0; point < at.size(0); ++point) {
      layout.x.push_back(at[point][0]);
      layout.y.push_back(at[point][1]);
    }
    layout.trustworthiness =
        trustworthiness(problems[i].points, found[i], options.neighbours, task);
  }
  task.end();
}

}  // namespace

std::vector<std::size_t> balancedSamples(const std::vector<std::vector<std::size_t>>& sets,
                                         std::size_t most) {
  if (sets.empty()) return {};
  const std::size_t outs = std::accumulate(
      sets.begin() + 1, sets.end(), std::size_t{0},
      [](std::size_t sum, const std::vector<std::size_t>& set) { return sum + set.size(); });
  const std::size_t in =
      std::min(sets.front().size(), std::max(most / 2, most - std::min(most, outs)));
  std::vector<std::size_t> chosen = spreadOver(sets.front(), in);
  // Small sets give all they have; what is left is shared by the larger ones.
  std::vector<std::size_t> order(sets.size() - 1);
  std::iota(order.begin(), order.end(), std::size_t{1});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sets[a].size() < sets[b].size(); });
  std::size_t left = most - in;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& set = sets[order[i]];
    const std::size_t share = std::min(set.size(), left / (order.size() - i));
    const auto some = spreadOver(set, share);
    chosen.insert(chosen.end(), some.begin(), some.end());
    left -= share;
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

bool recordClassMap(const FittedDetector& fitted, std::size_t position, const ExperimentData& data,
                    const ScoreTable& scores, std::int64_t batchSize, const torch::Device& device,
                    Seed seed, Journal& journal, Task& task) {
  auto* judge = dynamic_cast<ScoresByClass*>(fitted.detector.get());
  if (!judge || judge->mapImages() == 0) return false;
  const std::string file = "class-map-" + std::to_string(position) + ".safetensors";
  if (findArtefact(journal, ClassMap::kind, file)) return false;

  Recorded recorded;
  ClassMap& map = recorded.map;
  map.detector = fitted.label;
  map.classNames = data.train->classNames();
  for (const auto& part : judge->classPartNames()) map.parts.push_back({part.name, part.tap});
  recorded.features.resize(map.parts.size());
  const std::int64_t each = judge->mapImages();
  std::int64_t total = std::min(kInShare * each, data.in.set->size());
  for (const auto& out : data.outs) total += std::min(each, out.set->size());
  const auto shape = data.in.set->shape();
  const bool pictures = total * shape.channels * shape.height * shape.width <= kPictureBytes;
  if (pictures) {
    map.channels = static_cast<int>(shape.channels);
    map.height = static_cast<int>(shape.height);
    map.width = static_cast<int>(shape.width);
  }
  task.begin("class map of " + fitted.label + ": features", total, "images");
  withMemoryAdvice(device, std::min(batchSize, total), "evaluation.batch_size", [&] {
    look(*judge, data.in, "in", kInShare * each, scores.at(fitted.label, "", data.in.name, false),
         pictures, batchSize, device, recorded, task);
    for (const auto& out : data.outs) {
      look(*judge, out, "out", each, scores.at(fitted.label, "", out.name, true), pictures,
           batchSize, device, recorded, task);
    }
  });
  task.end();
  layOut(recorded, seed.child(fitted.label), task);
  map.save(journal.folder() / file);
  recordArtefact(journal, ClassMap::kind, file);
  return true;
}

}  // namespace bulwark
