#pragma once

#include <cstdint>
#include <string>

#include "core/params/params.h"
#include "core/training/augmentation.h"
#include "core/training/optimiser.h"
#include "core/training/schedule.h"

namespace bulwark {

/// The options every recipe shares.
struct FitOptions {
  std::int64_t epochs = 5;
  std::int64_t batchSize = 64;
  OptimiserOptions optimiser;
  Schedule schedule;
  Augmentation augmentation = Augmentation::None;
  double labelSmoothing = 0.0;
  std::int64_t patience = 0;  ///< epochs; 0: no early stopping

  /// Everything the recipe was given, for the identity of a checkpoint.
  Json values;
  // Where messages about these options point.
  std::string batchSizePath, learningRatePath, patiencePath;
};

/// Their declaration.
OptionSchema fitSchema();
FitOptions readFitOptions(const Params& params);

}  // namespace bulwark
