#pragma once

#include "core/experiment/experiment_data.h"
#include "core/experiment/runner.h"
#include "core/nn/network.h"

namespace bulwark {

/// Whether an out set consists of images evolved against the run's own classifier, so that it can
/// only be made once that is trained.
bool isEvolved(const DatasetRequest& request, const DatasetCatalogue& catalogue);

/// Makes the evolved out sets of the specification and adds them to `data`; those that an earlier
/// execution of the run has stored are loaded. Each is a file of the run's folder. Throws `Error`,
/// Failed when not one image reached the confidence.
void addEvolvedSets(const Specification& specification, const DatasetCatalogue& catalogue,
                    Network& classifier, const torch::Device& device, Seed seed, Journal& journal,
                    Task& task, ExperimentData& data);

}  // namespace bulwark
