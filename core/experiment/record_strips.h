#pragma once

#include "core/attacks/resources.h"
#include "core/experiment/cells.h"
#include "core/experiment/experiment_data.h"
#include "core/experiment/runner.h"
#include "core/nn/network.h"

namespace bulwark {

/// Records the iterations of some images of every set (`HasStrips`) in the run's folder, for the
/// window, unless an earlier execution has done so. Does nothing for other detectors; tells
/// whether it has done something. No score
/// depends on it: nothing is drawn. `resources`: with the weights of the classifier's training
/// cost; 0.988 and 0.01, those of the paper, where they are not known.
bool recordStrips(const FittedDetector& fitted, std::size_t position, Network& classifier,
                  const ExperimentData& data, const AttackResources& resources,
                  const torch::Device& device, Journal& journal, Task& task);

}  // namespace bulwark
