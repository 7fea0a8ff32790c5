#include "core/experiment/classifier.h"

#include <algorithm>

#include "core/attacks/attack.h"
#include "core/attacks/classification_objective.h"
#include "core/base/sha256.h"
#include "core/nn/device.h"
#include "core/nn/safetensors.h"
#include "core/training/recipe.h"

namespace bulwark {
namespace {

constexpr char kTrainingState[] = "training.safetensors";

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
        .open = nullptr,
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
    TensorFile file;
    addModule(file, *network);
    file.metadata["network"] = spec.network.type;
    file.metadata["recipe"] = spec.recipe.type;
    file.metadata["specification"] = spec.hash();
    file.save(journal.folder() / kWeightsFile);
    recordArtefact(journal, "weights", kWeightsFile);
  }
  network->to(device);
  network->freeze();
  return network;
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
