#include "core/experiment/fitted_detector.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/experiment/classifier.h"
#include "core/experiment/crafted_sets.h"
#include "core/nn/device.h"
#include "core/nn/safetensors.h"

namespace bulwark {
namespace {

std::string stateFile(std::size_t position) {
  return "detector-" + std::to_string(position) + ".safetensors";
}

}  // namespace

FittedDetector prepareDetector(const Specification& spec, std::size_t position,
                               const Registries& registries, Network* classifier,
                               const ExperimentData& data, const torch::Device& device, Seed seed,
                               Journal& journal, Task& task) {
  const ComponentRequest& request = spec.detectors[position];
  const std::string file = stateFile(position);
  FittedDetector fitted{request.label,
                        registries.detectors.make(request.type, request.options,
                                                  "detectors[" + std::to_string(position) + "]")};
  if (const auto stored = findArtefact(journal, "detector", file)) {
    fitted.detector->load(TensorFile::load(*stored), classifier, device);
    return fitted;
  }
  const Seed own = seed.child("detector").child(request.label);
  DetectorContext context{
      .classifier = classifier,
      .train = *data.train,
      .validation = data.validation.get(),
      .device = device,
      .batchSize = spec.evaluation.batchSize,
      .seed = own,
      .task = task,
      .checkpoint = journal.folder() / ("detector-" + std::to_string(position) + ".training"),
  };
  if (classifier) {
    context.craft = imageCrafter(registries, *classifier, device, spec.evaluation.batchSize,
                                 own.child("craft"), task);
  }
  task.begin("fit " + request.label, data.train->size(), "images");
  withMemoryAdvice(device, std::min(context.batchSize, data.train->size()), "evaluation.batch_size",
                   [&] { fitted.detector->fit(context); });
  task.end();
  TensorFile state;
  state.metadata["detector"] = request.type;
  fitted.detector->save(state);
  state.save(journal.folder() / file);
  recordArtefact(journal, "detector", file);
  return fitted;
}

void requireFinished(Journal& journal, const Specification& spec) {
  const auto require = [&](const char* kind, const std::string& file) {
    if (findArtefact(journal, kind, file)) return;
    throw Error::badInput("the file " + file + " of the run is missing or was changed",
                          journal.folder().string(), "queue the specification as a new run");
  };
  if (!spec.network.type.empty()) require("weights", kWeightsFile);
  for (std::size_t i = 0; i < spec.detectors.size(); ++i) require("detector", stateFile(i));
}

}  // namespace bulwark
