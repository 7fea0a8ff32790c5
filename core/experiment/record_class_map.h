#pragma once

#include <cstdint>
#include <vector>

#include "core/base/random.h"
#include "core/experiment/cells.h"
#include "core/experiment/experiment_data.h"
#include "core/experiment/runner.h"
#include "core/experiment/tabulate.h"

namespace bulwark {

/// Records how a detector of the kind `ScoresByClass` sees some clean images of the test sets
/// (experiment/class_map_file.h) in the run's folder, for the window, unless an earlier execution
/// has done so. Does nothing for other detectors; tells whether it has done something. No score
/// depends on it. `scores`: with the clean ones of the detector. Throws `Error`.
bool recordClassMap(const FittedDetector& fitted, std::size_t position, const ExperimentData& data,
                    const ScoreTable& scores, std::int64_t batchSize, const torch::Device& device,
                    Seed seed, Journal& journal, Task& task);

/// At most `most` of the samples, ascending: half of them of the in set, the others in equal shares
/// of the out sets; what one cannot fill is left to the others. Of a set they are spread evenly.
/// `sets`: the samples of the in set, then those of every out set, each ascending.
std::vector<std::size_t> balancedSamples(const std::vector<std::vector<std::size_t>>& sets,
                                         std::size_t most);

}  // namespace bulwark
