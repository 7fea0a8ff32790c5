#include "core/attacks/progress.h"

#include <algorithm>

namespace bulwark {

std::vector<double> meanTrajectory(const std::vector<std::vector<Improvement>>& improvements,
                                   std::int64_t last) {
  std::vector<double> mean(static_cast<std::size_t>(last) + 1, 0.0);
  for (const auto& sample : improvements) {
    std::size_t next = 0;
    for (std::size_t time = 0; time < mean.size(); ++time) {
      while (next + 1 < sample.size() && sample[next + 1].time <= static_cast<std::int64_t>(time)) {
        ++next;
      }
      mean[time] += sample[next].value;
    }
  }
  for (double& value : mean) value /= static_cast<double>(improvements.size());
  return mean;
}

std::vector<double> valuesAt(const std::vector<std::vector<Improvement>>& improvements,
                             std::int64_t time) {
  std::vector<double> values;
  for (const auto& sample : improvements) {
    const auto after =
        std::upper_bound(sample.begin(), sample.end(), time,
                         [](std::int64_t t, const Improvement& one) { return t < one.time; });
    values.push_back(after == sample.begin() ? sample.front().value : (after - 1)->value);
  }
  return values;
}

}  // namespace bulwark
