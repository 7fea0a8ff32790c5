#include "core/experiment/source_models.h"

#include <utility>

#include "core/base/error.h"
#include "core/detectors/detector_objective.h"
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

std::filesystem::path requireArtefact(const Journal::OtherRun& run, const std::string& file,
                                      std::int64_t id) {
  const auto path = run.folder / file;
  if (std::filesystem::exists(path)) return path;
  throw Error::badInput("run " + std::to_string(id) + " has stored no " + file, "run",
                        "choose a run that has finished");
}

}  // namespace

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
  loadModule(*made, TensorFile::load(weights), weights.string());
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
    const auto run = journal_.otherRun(request.run);
    if (!run) {
      throw Error::badInput("there is no run " + std::to_string(request.run), "run",
                            "runs of the same database have ids: see runs list");
    }
    const auto& classifier = run->specification.at("classifier");
    model.own = load(classifier.at("network"),
                     requireArtefact(*run, "classifier.safetensors", request.run));
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
  const auto unknown = [&](const std::string& where) {
    return Error::badInput("there is no detector \"" + request.detector + "\" in " + where,
                           "source_detector", "name one by its label or type");
  };
  std::unique_ptr<Detector> made;
  if (request.run > 0) {
    const auto run = journal_.otherRun(request.run);
    const auto& detectors = run->specification.at("detectors");
    for (std::size_t i = 0; i < detectors.size() && !made; ++i) {
      const auto type = detectors[i].at("type").get<std::string>();
      if (detectors[i].value("label", type) != request.detector && type != request.detector) {
        continue;
      }
      made = registries_.detectors.make(type, optionsOf(detectors[i]), "source_detector");
      const std::string file = "detector-" + std::to_string(i) + ".safetensors";
      made->load(TensorFile::load(requireArtefact(*run, file, request.run)), model.network,
                 device_);
    }
    if (!made) throw unknown("run " + std::to_string(request.run));
  } else {
    for (const auto& candidate : specification_.detectors) {
      if (candidate.label != request.detector && candidate.type != request.detector) continue;
      made = registries_.detectors.make(candidate.type, candidate.options, "source_detector");
      break;
    }
    if (!made) throw unknown("this specification");
    const DetectorContext context{
        .classifier = model.network,
        .train = *data_.train,
        .validation = data_.validation.get(),
        .device = device_,
        .batchSize = specification_.evaluation.batchSize,
        .seed = seed_.child("source detector").child(request.detector),
        .task = task_,
    };
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
  resources.source = [this, direction](const SourceRequest& request) {
    return find(request, direction);
  };
  return resources;
}

}  // namespace bulwark
