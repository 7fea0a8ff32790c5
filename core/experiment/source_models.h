#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/attacks/resources.h"
#include "core/detectors/detector.h"
#include "core/experiment/experiment_data.h"
#include "core/experiment/runner.h"
#include "core/nn/network.h"

namespace bulwark {

/// What other runs and files the transfer attacks of a specification craft on: [{"run": 3, "file":
/// "classifier.safetensors", "sha256": ...}], without "run" for a file of weights. Throws `Error`
/// (BadInput) where one is missing, or is not what its run has stored.
Json describeSources(const Specification& specification, Journal& journal);

/// The models that transfer attacks of a run craft on: another run's classifier and detectors,
/// weights from a file, or another detector on the run's own classifier. Loaded or fitted when
/// first asked for, then kept.
class SourceModels {
 public:
  /// `classifier` is the run's own, may be null; all outlive this.
  SourceModels(const Specification& specification, const Registries& registries,
               const ExperimentData& data, Network* classifier, const torch::Device& device,
               Seed seed, Journal& journal, Task& task);

  /// `direction` of a detector's score: +1 raises it. Throws `Error` (BadInput) when the request
  /// names what does not exist or does not fit the images.
  Source find(const SourceRequest& request, int direction);

  /// What attacks on images with these labels (undefined: unknown classes) may use.
  AttackResources resources(const torch::Tensor& labels, int direction);

 private:
  struct Model {
    std::unique_ptr<Network> own;
    Network* network = nullptr;
    std::map<std::string, std::unique_ptr<Detector>> detectors;
  };

  Model& model(const SourceRequest& request);
  std::unique_ptr<Network> load(const Json& network, const std::filesystem::path& weights);
  Detector& detector(Model& model, const SourceRequest& request);

  const Specification& specification_;
  const Registries& registries_;
  const ExperimentData& data_;
  Network* classifier_;
  torch::Device device_;
  Seed seed_;
  Journal& journal_;
  Task& task_;
  std::map<std::string, Model> models_;
};

}  // namespace bulwark
