#pragma once

#include "core/experiment/cells.h"
#include "core/experiment/experiment_data.h"
#include "core/experiment/runner.h"

namespace bulwark {

/// Detector `position` of the specification, fitted; its state is loaded where an earlier execution
/// of the same run has stored it.
FittedDetector prepareDetector(const Specification& specification, std::size_t position,
                               const Registries& registries, Network* classifier,
                               const ExperimentData& data, const torch::Device& device, Seed seed,
                               Journal& journal, Task& task);

/// Throws `Error` (BadInput) unless the files of the classifier and of all detectors are there, so
/// that nothing would be trained anew.
void requireFinished(Journal& journal, const Specification& specification);

}  // namespace bulwark
