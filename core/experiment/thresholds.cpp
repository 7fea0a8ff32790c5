#include "core/experiment/thresholds.h"

#include <algorithm>
#include <cmath>

namespace bulwark {

std::vector<double> rankThresholds(const std::vector<std::vector<double>>& clean,
                                   double direction) {
  std::vector<double> pooled;
  for (const auto& scores : clean) pooled.insert(pooled.end(), scores.begin(), scores.end());
  std::sort(pooled.begin(), pooled.end());
  std::vector<double> found;
  for (const double share : {0.05, 0.5, 0.95}) {
    const double position = share * static_cast<double>(pooled.size() - 1);
    found.push_back(direction * pooled[static_cast<std::size_t>(std::lround(position))]);
  }
  return found;
}

}  // namespace bulwark
