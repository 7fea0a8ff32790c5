#pragma once

#include <memory>
#include <optional>

#include "core/experiment/experiment_data.h"
#include "core/experiment/runner.h"
#include "core/health/training_end.h"
#include "core/nn/network.h"

namespace bulwark {

struct AttackResources;
/// Name of the classifier's weights in the run's folder.
inline constexpr char kWeightsFile[] = "classifier.safetensors";
/// Name of the attacked margins in the run's folder: one tensor [N] per attack, by its label.
inline constexpr char kMarginsFile[] = "margins.safetensors";

/// The trained classifier of an experiment, frozen on `device`; null when the specification has
/// none. Weights that an earlier execution of the same run has stored are loaded, a training that
/// was cut short is resumed from its checkpoint.
std::unique_ptr<Network> prepareClassifier(const Specification& specification,
                                           const Registries& registries, const ExperimentData& data,
                                           const torch::Device& device, Seed seed, Journal& journal,
                                           Task& task);

/// What the stored weights of the run's classifier computed when its training ended.
std::optional<TrainingEnd> trainingEnd(Journal& journal);

/// The margins [N] (float64: largest other logit - true logit; > 0: misclassified) of the in test
/// images after the attack on the classification, which stops at 0. The classifier is attacked
/// here, not a detector. `resources`: other models, for transfer attacks; may be null.
torch::Tensor attackedMargins(Network& classifier, const Attack& attack, const ImageSet& set,
                              std::int64_t batchSize, const torch::Device& device, Seed seed,
                              Task& task, const AttackResources* resources = nullptr);

/// Registers a file of the run's folder in the journal, with its sha256 and size.
void recordArtefact(Journal& journal, const std::string& kind, const std::string& file);
/// The file of that kind and name from an earlier execution, if it is there and unchanged.
std::optional<std::filesystem::path> findArtefact(Journal& journal, const std::string& kind,
                                                  const std::string& file);

}  // namespace bulwark
