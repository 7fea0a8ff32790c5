#include "core/experiment/class_accuracy.h"

#include <filesystem>

#include "core/experiment/classifier.h"
#include "core/nn/device.h"
#include "core/nn/safetensors.h"
#include "core/training/recipe.h"

namespace bulwark {
namespace {

/// The margins that an earlier execution has stored, of those attacks that it has finished.
TensorFile storedMargins(const std::filesystem::path& path, std::int64_t images) {
  if (!std::filesystem::exists(path)) return {};
  TensorFile margins = TensorFile::load(path);
  for (const auto& [label, values] : margins.tensors)
    margins.require(label, {images}, path.string());
  return margins;
}

}  // namespace

ClassAccuracy measureAccuracy(const Specification& spec, Network& classifier,
                              const std::vector<NamedAttack>& attacks, const ExperimentData& data,
                              const AttackResources& resources, const std::string& file,
                              const torch::Device& device, Seed seed, Journal& journal,
                              Task& task) {
  const ImageSet& set = *data.in.set;
  const std::int64_t batch = spec.evaluation.batchSize;
  const auto path = journal.folder() / file;
  TensorFile margins = storedMargins(path, set.size());
  ClassAccuracy found;
  withMemoryAdvice(device, passSize(set.size(), batch), "evaluation.batch_size", [&] {
    found.clean = accuracy(classifier, set, device, batch, task);
    for (const auto& attack : attacks) {
      auto& values = margins.tensors[attack.label];
      if (!values.defined()) {
        task.begin(attack.label + " on the classifier", set.size(), "images");
        values =
            attackedMargins(classifier, *attack.attack, set, batch, device,
                            seed.child("classifier attack").child(attack.label), task, &resources);
        margins.save(path);
      }
      found.attacked[attack.label] = values.le(0.0).to(torch::kFloat64).mean().item<double>();
    }
  });
  if (!margins.tensors.empty()) recordArtefact(journal, "margins", file);
  return found;
}

}  // namespace bulwark
