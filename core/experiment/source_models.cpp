#include "core/experiment/source_models.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/detectors/detector_objective.h"
#include "core/experiment/crafted_sets.h"
#include "core/nn/device.h"
#include "core/nn/safetensors.h"

namespace bulwark {
namespace {

/// The options of a component in a stored specification.
Json optionsOf(Json component) {
  component.erase("type");
  component.erase("label");
  return component;
}

constexpr char kClassifierFile[] = "classifier.safetensors";

Journal::OtherRun requireRun(Journal& journal, std::int64_t id) {
  auto run = journal.otherRun(id);
  if (run) return std::move(*run);
  throw Error::badInput("there is no run " + std::to_string(id), "run",
                        "runs of the same database have ids: see runs list");
}

/// A file that another run has stored, the same to the last bit: a network that was changed since
/// is not the one that the run's name stands for.
std::filesystem::path requireArtefact(const Journal::OtherRun& run, const std::string& file,
                                      std::int64_t id) {
  const auto path = run.folder / file;
  const std::string name = "run " + std::to_string(id);
  const auto record =
      std::find_if(run.artefacts.begin(), run.artefacts.end(),
                   [&](const ArtefactRecord& candidate) { return candidate.path == file; });
  if (record == run.artefacts.end() || !std::filesystem::exists(path)) {
    throw Error::badInput(name + " has stored no " + file, "run", "choose a run that has finished");
  }
  const std::string found = sha256File(path);
  if (found == record->sha256) return path;
  constexpr std::size_t shown = 12;
  throw Error::badInput(
      "this file is not what " + name + " has stored: its sha256 begins with " +
          found.substr(0, shown) + ", that of the run's with " + record->sha256.substr(0, shown),
      path.string(), "put the file back, or execute the specification of " + name + " anew");
}

/// Place of a detector among those of another run.
std::optional<std::size_t> detectorOf(const Journal::OtherRun& run, const std::string& name) {
  const auto& detectors = run.specification.at("detectors");
  for (std::size_t i = 0; i < detectors.size(); ++i) {
    const auto type = detectors[i].at("type").get<std::string>();
    if (detectors[i].value("label", type) == name || type == name) return i;
  }
  return std::nullopt;
}

Error unknownDetector(const std::string& name, const std::string& where) {
  return Error::badInput("there is no detector \"" + name + "\" in " + where, "source_detector",
                         "name one by its label or type");
}

std::string detectorFile(std::size_t index) {
  return "detector-" + std::to_string(index) + ".safetensors";
}

}  // namespace

Json describeSources(const Specification& specification, Journal& journal) {
  Json sources = Json::array();
  const auto add = [&](Json source, const std::filesystem::path& path) {
    source["file"] = source.contains("run") ? path.filename().string() : path.string();
    source["sha256"] = sha256File(path);
    if (std::find(sources.begin(), sources.end(), source) == sources.end()) {
      sources.push_back(std::move(source));
    }
  };
  for (const auto& attack : specification.attacks) {
    if (attack.type != "transfer") continue;
    const auto id = attack.options.value("run", std::int64_t{0});
    const auto weights = attack.options.value("weights", std::string());
    const auto detector = attack.options.value("source_detector", std::string());
    if (id > 0) {
      const auto run = requireRun(journal, id);
      add({{"run", id}}, requireArtefact(run, kClassifierFile, id));
      if (detector.empty()) continue;
      const auto index = detectorOf(run, detector);
      if (!index) throw unknownDetector(detector, "run " + std::to_string(id));
      add({{"run", id}}, requireArtefact(run, detectorFile(*index), id));
    } else if (!weights.empty()) {
      if (!std::filesystem::exists(weights)) {
        throw Error::badInput("there is no such file of weights", weights, "check the path");
      }
      add(Json::object(), weights);
    }
  }
  return sources;
}

SourceModels::SourceModels(const Specification& specification, const Registries& registries,
                           const ExperimentData& data, Network* classifier,
                           const torch::Device& device, Seed seed, Journal& journal, Task& task)
    : specification_(specification),
      registries_(registries),
      data_(data),
      classifier_(classifier),
      device_(device),
      seed_(seed),
      journal_(journal),
      task_(task) {}

std::unique_ptr<Network> SourceModels::load(const Json& network,
                                            const std::filesystem::path& weights) {
  const auto image = data_.train->shape();
  auto made = registries_.networks.make(
      network.at("type").get<std::string>(), optionsOf(network), "classifier.network",
      NetworkShape{image.channels, image.height, image.width, data_.classes});
  loadModule(*made, TensorFile::load(weights), weights.string(), {}, {}, MaskState::Optional);
  made->to(device_);
  made->freeze();
  return made;
}

SourceModels::Model& SourceModels::model(const SourceRequest& request) {
  const std::string key = std::to_string(request.run) + " " + request.weights;
  const auto known = models_.find(key);
  if (known != models_.end()) return known->second;
  Model model;
  if (request.run > 0) {
    const auto run = requireRun(journal_, request.run);
    const auto& classifier = run.specification.at("classifier");
    model.own = load(classifier.at("network"), requireArtefact(run, kClassifierFile, request.run));
  } else if (!request.weights.empty()) {
    if (specification_.network.type.empty()) {
      throw Error::badInput("weights are given, but the run has no classifier", "weights");
    }
    Json network = specification_.network.options;
    network["type"] = specification_.network.type;
    model.own = load(network, request.weights);
  }
  model.network = model.own ? model.own.get() : classifier_;
  return models_.emplace(key, std::move(model)).first->second;
}

Detector& SourceModels::detector(Model& model, const SourceRequest& request) {
  const auto known = model.detectors.find(request.detector);
  if (known != model.detectors.end()) return *known->second;
  std::unique_ptr<Detector> made;
  if (request.run > 0) {
    const auto run = requireRun(journal_, request.run);
    const auto index = detectorOf(run, request.detector);
    if (!index) throw unknownDetector(request.detector, "run " + std::to_string(request.run));
    const Json& component = run.specification.at("detectors")[*index];
    made = registries_.detectors.make(component.at("type").get<std::string>(), optionsOf(component),
                                      "source_detector");
    const auto file = requireArtefact(run, detectorFile(*index), request.run);
    made->load(TensorFile::load(file), model.network, device_);
  } else {
    for (const auto& candidate : specification_.detectors) {
      if (candidate.label != request.detector && candidate.type != request.detector) continue;
      made = registries_.detectors.make(candidate.type, candidate.options, "source_detector");
      break;
    }
    if (!made) throw unknownDetector(request.detector, "this specification");
    const Seed own = seed_.child("source detector").child(request.detector);
    DetectorContext context{
        .classifier = model.network,
        .train = *data_.train,
        .validation = data_.validation.get(),
        .device = device_,
        .batchSize = specification_.evaluation.batchSize,
        .seed = own,
        .task = task_,
    };
    if (model.network) {
      context.craft = imageCrafter(registries_, *model.network, device_, context.batchSize,
                                   own.child("craft"), task_);
    }
    withMemoryAdvice(device_, std::min(context.batchSize, data_.train->size()),
                     "evaluation.batch_size", [&] { made->fit(context); });
  }
  return *model.detectors.emplace(request.detector, std::move(made)).first->second;
}

Source SourceModels::find(const SourceRequest& request, int direction) {
  Model& found = model(request);
  Source source;
  source.network = found.network;
  if (!request.detector.empty()) {
    source.objective = std::make_unique<DetectorObjective>(detector(found, request), direction);
  }
  return source;
}

AttackResources SourceModels::resources(const torch::Tensor& labels, int direction) {
  AttackResources resources;
  resources.classifier = classifier_;
  resources.labels = labels;
  const Json& recipe = specification_.recipe.options;
  if (classifier_ && recipe.is_object() && recipe.contains("reconstruction_weight")) {
    const auto shape = data_.in.set->shape();
    const bool sum = recipe.value("squared_error", std::string("mean")) == "sum";
    const auto pixels = static_cast<double>(shape.channels * shape.height * shape.width);
    resources.reconstructionWeight =
        recipe.at("reconstruction_weight").get<double>() * (sum ? pixels : 1.0);
    resources.classWeight = recipe.at("class_weight").get<double>();
  }
  resources.source = [this, direction](const SourceRequest& request) {
    return find(request, direction);
  };
  return resources;
}

}  // namespace bulwark
