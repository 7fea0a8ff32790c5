#include "core/experiment/record_strips.h"

#include <algorithm>

#include "core/detectors/iteration_strips.h"
#include "core/detectors/own_threshold.h"
#include "core/experiment/classifier.h"
#include "core/experiment/strip_file.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

template <class Value>
void append(std::vector<Value>& to, const torch::Tensor& values) {
  const auto flat = values.contiguous();
  const auto* data = flat.data_ptr<Value>();
  to.insert(to.end(), data, data + flat.numel());
}

/// As many images of a set as the plan asks for, spread evenly over it like its image pairs.
torch::Tensor chosen(std::int64_t count, const ImageSet& set) {
  count = std::min(count, set.size());
  return torch::div(torch::arange(count, torch::kInt64) * set.size(),
                    std::max<std::int64_t>(count, 1), "floor");
}

}  // namespace

bool recordStrips(const FittedDetector& fitted, std::size_t position, Network& classifier,
                  const ExperimentData& data, const AttackResources& resources,
                  const torch::Device& device, Journal& journal, Task& task) {
  const auto* judge = dynamic_cast<const HasStrips*>(fitted.detector.get());
  if (!judge) return false;
  const StripPlan plan = judge->strips();
  if (plan.images == 0 || plan.radii.empty()) return false;
  const std::string file = "strips-" + std::to_string(position) + ".safetensors";
  if (findArtefact(journal, IterationStrips::kind, file)) return false;

  auto& network = requireAutoencoder(classifier, fitted.label);
  IterationStrips strips;
  strips.detector = fitted.label;
  strips.passes = judge->judgedAfter();
  if (const auto* own = dynamic_cast<const HasThreshold*>(fitted.detector.get())) {
    strips.leastSimilarity = 1.0 - own->threshold();
  }
  const bool known = resources.reconstructionWeight != 0 || resources.classWeight != 0;
  strips.reconstructionWeight = known ? resources.reconstructionWeight : 0.988;
  strips.classWeight = known ? resources.classWeight : 0.01;
  strips.radii = plan.radii;
  strips.iterations = plan.iterations;
  const auto shape = data.in.set->shape();
  strips.channels = static_cast<int>(shape.channels);
  strips.height = static_cast<int>(shape.height);
  strips.width = static_cast<int>(shape.width);

  std::vector<std::pair<IterationStrips::Set, const ImageSet*>> sets = {
      {{"train", data.train->name()}, data.train.get()}, {{"in", data.in.name}, data.in.set.get()}};
  for (const auto& out : data.outs) sets.push_back({{"out", out.name}, out.set.get()});
  std::int64_t total = 0;
  for (const auto& [about, set] : sets) total += std::min(plan.images, set->size());
  task.begin("iteration strips of " + fitted.label, total, "images");
  constexpr std::int64_t atOnce = 8;
  for (const auto& [about, set] : sets) {
    strips.sets.push_back(about);
    const auto rows = chosen(plan.images, *set);
    for (std::int64_t begin = 0; begin < rows.size(0); begin += atOnce) {
      const auto part = rows.slice(0, begin, std::min(begin + atOnce, rows.size(0)));
      // The class of an out image is none of the classifier's.
      const auto own = set->labels().index_select(0, part);
      const auto labels = about.role == "out" ? torch::full_like(own, -1) : own;
      const auto values =
          iterationStrips(network, toDevice(set->images(part), device), toDevice(labels, device),
                          plan, strips.reconstructionWeight, strips.classWeight, task);
      for (std::int64_t i = 0; i < part.size(0); ++i) {
        strips.samples.push_back(
            {strips.sets.size() - 1, part[i].item<std::int64_t>(), labels[i].item<std::int64_t>()});
      }
      append(strips.pixels, values.pixels);
      append(strips.classes, values.classes);
      append(strips.toInput, values.toInput);
      append(strips.toClean, values.toClean);
      task.advance(part.size(0));
    }
  }
  task.end();
  strips.save(journal.folder() / file);
  recordArtefact(journal, IterationStrips::kind, file);
  return true;
}

}  // namespace bulwark
