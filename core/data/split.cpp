#include "core/data/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"

namespace bulwark {

std::pair<torch::Tensor, torch::Tensor> splitIndices(const torch::Tensor& labels, double fraction,
                                                     Seed seed) {
  if (!(fraction >= 0.0 && fraction <= 1.0)) {
    throw Error::badInput(formatNumber(fraction) + " is not a share", "validation split",
                          "expected 0 <= fraction <= 1");
  }
  const torch::Tensor contiguous = labels.to(torch::kInt64).contiguous();
  const auto* label = contiguous.data_ptr<std::int64_t>();
  std::map<std::int64_t, std::vector<std::int64_t>> byLabel;
  for (std::int64_t i = 0; i < contiguous.size(0); ++i) byLabel[label[i]].push_back(i);
  std::vector<std::int64_t> rest, part;
  for (auto& [value, indices] : byLabel) {
    // A class draws from its own seed, so that the others do not change what it gives.
    Random random(seed.child(static_cast<std::uint64_t>(value)));
    random.shuffle(indices);
    const auto taken = std::llround(fraction * static_cast<double>(indices.size()));
    part.insert(part.end(), indices.begin(), indices.begin() + taken);
    rest.insert(rest.end(), indices.begin() + taken, indices.end());
  }
  std::sort(rest.begin(), rest.end());
  std::sort(part.begin(), part.end());
  return {torch::tensor(rest, torch::kInt64), torch::tensor(part, torch::kInt64)};
}

}  // namespace bulwark
