#pragma once

#include <cstdint>
#include <vector>

namespace bulwark {

/// Steps of A3's margin phase of `count` moves, in units of epsilon: a cosine from 1 down towards
/// 0.1, or 0.001 when there are more than ten (Liu et al. 2022, section 3.3, and their code).
std::vector<double> a3Steps(std::int64_t count);

}  // namespace bulwark
