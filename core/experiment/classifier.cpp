#include "core/experiment/classifier.h"

#include <algorithm>

#include "core/attacks/attack.h"
#include "core/attacks/classification_objective.h"
#include "core/base/sha256.h"
#include "core/nn/device.h"
#include "core/nn/safetensors.h"
#include "core/training/evaluate.h"
#include "core/training/recipe.h"

namespace bulwark {
namespace {

constexpr char kTrainingState[] = "training.safetensors";
constexpr char kTrainingEnd[] = "training_end";

/// Before the network is frozen, with its layers as they were trained.
TrainingEnd endOfTraining(Network& network, const ExperimentData& data, const torch::Device& device,
                          std::int64_t batchSize, Task& task) {
  TrainingEnd end;
  end.logits = probeLogits(network, probeImages(*data.train), device);
  if (data.validation) {
    end.validationImages = data.validation->size();
    end.validationAccuracy =
        shareCorrect(network, *data.validation, device, batchSize, task, false);
  }
  return end;
}

}  // namespace

void recordArtefact(Journal& journal, const std::string& kind, const std::string& file) {
  const auto path = journal.folder() / file;
  journal.artefact(
      {kind, file, sha256File(path), static_cast<std::int64_t>(std::filesystem::file_size(path))});
}

std::optional<std::filesystem::path> findArtefact(Journal& journal, const std::string& kind,
                                                  const std::string& file) {
  for (const auto& artefact : journal.artefacts()) {
    if (artefact.kind != kind || artefact.path != file) continue;
    const auto path = journal.folder() / file;
    if (std::filesystem::exists(path) && sha256File(path) == artefact.sha256) return path;
  }
  return std::nullopt;
}

std::unique_ptr<Network> prepareClassifier(const Specification& spec, const Registries& registries,
                                           const ExperimentData& data, const torch::Device& device,
                                           Seed seed, Journal& journal, Task& task) {
  if (spec.network.type.empty()) return nullptr;
  const auto image = data.train->shape();
  const NetworkShape shape{image.channels, image.height, image.width, data.classes};
  auto network = registries.networks.make(spec.network.type, spec.network.options,
                                          "classifier.network", shape);
  if (const auto weights = findArtefact(journal, "weights", kWeightsFile)) {
    task.log(LogLevel::Info, "The trained classifier is taken from the earlier execution.");
    loadModule(*network, TensorFile::load(*weights), weights->string());
  } else {
    network->initialise(seed.child("init"));
    const auto recipe =
        registries.recipes.make(spec.recipe.type, spec.recipe.options, "classifier.recipe");
    FitContext context{
        .network = *network,
        .train = *data.train,
        .validation = data.validation.get(),
        .open = data.open.set.get(),
        .device = device,
        .seed = seed.child("fit"),
        .task = task,
        .checkpoint = journal.folder() / kTrainingState,
        .identity = spec.network.type + " " + spec.network.options.dump(),
        .metric =
            [&journal](std::int64_t epoch, const std::string& name, double value) {
              journal.epochMetric({"train", epoch, name, value});
            },
    };
    recipe->fit(context);
    network->to(device);
    constexpr std::int64_t batchSize = 256;
    const auto end = endOfTraining(*network, data, device, batchSize, task);
    TensorFile file;
    addModule(file, *network);
    file.metadata["network"] = spec.network.type;
    file.metadata["recipe"] = spec.recipe.type;
    file.metadata["specification"] = spec.hash();
    file.metadata[kTrainingEnd] = end.toText();
    file.save(journal.folder() / kWeightsFile);
    recordArtefact(journal, "weights", kWeightsFile);
  }
  network->to(device);
  network->freeze();
  return network;
}

std::optional<TrainingEnd> trainingEnd(Journal& journal) {
  const auto path = findArtefact(journal, "weights", kWeightsFile);
  if (!path) return std::nullopt;
  const auto file = TensorFile::load(*path);
  const auto found = file.metadata.find(kTrainingEnd);
  return found == file.metadata.end() ? std::nullopt : TrainingEnd::fromText(found->second);
}

torch::Tensor attackedMargins(Network& classifier, const Attack& attack, const ImageSet& set,
                              std::int64_t batchSize, const torch::Device& device, Seed seed,
                              Task& task, const AttackResources* resources) {
  const std::int64_t size = set.size();
  ClassificationObjective objective(classifier, set.labels());
  AttackContext context{
      .device = device, .batchSize = batchSize, .seed = seed.child(set.name()), .task = task};
  // Accuracy asks whether an image can be misclassified at all: the margin need not be the largest.
  context.mode = AttackMode::Cross;
  context.thresholds = {0.0};
  context.resources = resources;
  return attack.perturb(objective, set.range(0, size), context).values;
}

}  // namespace bulwark
