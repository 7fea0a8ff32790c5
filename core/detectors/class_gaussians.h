#pragma once

#include <string>

#include "core/detectors/detector.h"
#include "core/detectors/gaussian.h"

namespace bulwark {

/// Options and fitting that the Mahalanobis detectors share.
struct ClassGaussianOptions {
  std::string tap;      ///< layer whose features are modelled
  std::string tapPath;  ///< where messages about it point
  double ridge = 0.0;

  static void declare(OptionSchema& options);
  static ClassGaussianOptions from(const Params& params);
};

/// Moments of the training features; every class must have images. Throws `Error`.
FeatureMoments gatherMoments(const DetectorContext& context, const ClassGaussianOptions& options,
                             const std::string& detector);

}  // namespace bulwark
