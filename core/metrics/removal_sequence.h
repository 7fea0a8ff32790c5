#pragma once

#include <cstdint>
#include <vector>

#include "core/metrics/score_levels.h"

namespace bulwark {

/// How many images of each set are still accepted as in after each removal of one image, the most
/// anomalous first and in before out among equal scores: the sequence over which the released code
/// of Lee et al. 2018 (calculate_log.py) computes all its metrics. Starts with everything accepted;
/// both vectors are [nIn + nOut + 1].
struct RemovalSequence {
  std::vector<std::int64_t> in;
  std::vector<std::int64_t> out;
};

RemovalSequence removalSequence(const ScoreLevels& scores);

}  // namespace bulwark
