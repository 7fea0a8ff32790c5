#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/experiment/tabulate.h"

namespace bulwark {

/// What detectors that come with a threshold (core/detectors/own_threshold.h) decide in every cell
/// of the results, for the run's summary: objects with detector, attack (empty: clean), setting,
/// out, threshold, accuracy, precision_in and recall_in, in being the positive class (null where a
/// share has no denominator). A score equal to the threshold is accepted. `thresholds` by detector.
Json ownDecisions(const std::map<std::string, double>& thresholds,
                  const std::vector<ResultRow>& rows, const std::string& in,
                  const ScoreTable& scores);

}  // namespace bulwark
