#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/detectors/detector.h"
#include "core/detectors/one_class_machine.h"

namespace bulwark {

/// Which layer a detector reads: named, or found by `searchLayer`.
struct LayerOptions {
  std::string layer = "auto";
  std::string path;            ///< where messages about it point
  std::int64_t points = 5000;  ///< training images per machine of the search
  std::int64_t images = 2000;  ///< validation images and outliers of the search, at most
  std::vector<std::string> outliers;

  static void declare(OptionSchema& options, const std::string& source);
  static LayerOptions from(const Params& params);
};

/// The most discriminative layer (Zhao et al., section 4): of every tap, one machine on the
/// features of `points` training images of all classes; the tap with the smallest detection error
///   ((1 - TPR) + FPR) / 2   at the threshold that keeps 95 % of the in images.
///
/// The paper chooses with test sets. Here the in images are those of the validation set (training
/// images that no machine saw where there is none) and the outliers are made from them
/// (validationOutliers), half of `images` each at most, so no test set is touched. Returns
/// {"layer", "points", "in_images", "in_from", "outlier_kinds", "layers": [{"layer", "features",
/// "detection_error", "auroc"}]}; a layer with constant features has null for both figures.
/// Throws `Error`.
Json searchLayer(const DetectorContext& context, const LayerOptions& options,
                 const OneClassOptions& machine, const std::string& detector);

/// The layer that the options name, or the one that `searchLayer` finds; `facts` become what it
/// returns, with "layer" in any case. Throws `Error` (BadInput) for a layer the classifier lacks.
std::string chosenLayer(const DetectorContext& context, const LayerOptions& options,
                        const OneClassOptions& machine, const std::string& detector, Json& facts);

}  // namespace bulwark
