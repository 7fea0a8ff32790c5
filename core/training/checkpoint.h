#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/task.h"
#include "core/nn/network.h"
#include "core/training/optimiser.h"

namespace bulwark {

/// Where a training stands between two iterations, beside the weights and the optimiser.
///
/// No generator state is among it: every random number of an iteration is drawn from a child of
/// the seed that is named by the epoch or the iteration, so the position is the random state.
struct FitState {
  struct Metric {
    std::int64_t epoch = 0;
    std::string name;
    double value = 0;
  };
  std::int64_t epoch = 0;      ///< epochs finished
  std::int64_t batch = 0;      ///< iterations done of the current one
  std::int64_t iteration = 0;  ///< iterations done in all: the position in the schedule
  double lossSum = 0;          ///< of the images seen in this epoch
  std::int64_t correct = 0, seen = 0;
  double seconds = 0;  ///< spent on this epoch
  std::int64_t bestEpoch = 0;
  double bestValue = -1;
  std::vector<Metric> metrics;    ///< reported so far
  TensorFile best;                ///< weights of `bestEpoch` under "best."; empty without
  std::int64_t stage = 0;         ///< of a training in stages, the current one
  std::int64_t stageEpochs = 0;   ///< finished of that stage
  std::vector<double> lossParts;  ///< sums like `lossSum`, of a loss that has parts
};

/// Writes all of it atomically. Throws `Error` (Failed).
void saveCheckpoint(const std::filesystem::path& path, const std::string& identity,
                    const Network& network, const Optimiser& optimiser, const FitState& state);

/// Restores all of it; false where there is no file, or (with a warning) one that another recipe,
/// data set, network or seed made. Throws `Error` (Failed) when the file is damaged.
bool loadCheckpoint(const std::filesystem::path& path, const std::string& identity,
                    Network& network, Optimiser& optimiser, FitState& state, Task& task);

}  // namespace bulwark
