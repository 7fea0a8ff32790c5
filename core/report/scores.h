#pragma once

#include <string>
#include <vector>

#include "core/report/run_report.h"

namespace bulwark {

/// An NPZ archive for `numpy.load`: one float64 array [N] per (detector, attack or clean, set),
/// named "<detector>.<attack>.<set>.<in|out>" with characters other than letters, digits and
/// "-_+=" as "_"; several runs are kept apart by "run<id>." in front. ".saturated" (uint8 [N])
/// and ".trajectory" (float64 [steps + 1]) follow where they exist. The member `index.json` maps
/// every name to its exact labels. Throws `Error` when the runs hold no scores.
std::string writeScoresNpz(const std::vector<RunReport>& runs);

/// run, run_name, detector, attack, dataset, role, sample, score, saturated: a line per image.
std::string writeScoresCsv(const std::vector<RunReport>& runs);
std::string writeScoresJson(const std::vector<RunReport>& runs);

}  // namespace bulwark
