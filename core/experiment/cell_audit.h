#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"

namespace bulwark {

/// What was seen while one set was attacked, for the health checks. Kept with the run, so that an
/// execution that finds the set attacked judges it, too.
struct CellAudit {
  std::string detector, attack, dataset;
  bool out = false;
  /// Largest relative difference between a stored attacked score and a fresh scoring of the stored
  /// image (H6).
  double rescoring = 0.0;
  double excess = 0.0;        ///< largest over the ball and the box (H7); +inf: not finite
  double zeroGradient = 0.0;  ///< share of images with a gradient of exactly zero at a step (H15)
  /// Scores of a few images, clean, attacked, and attacked then rounded to 8 bits (H9).
  std::vector<double> clean = {}, attacked = {}, rounded = {};

  Json toJson() const;
  /// Throws `Error` (BadInput) where `json` is not what `toJson` gives.
  static CellAudit fromJson(const Json& json);
};

}  // namespace bulwark
