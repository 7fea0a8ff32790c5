#include "core/data/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"

namespace bulwark {

namespace {

using ByLabel = std::map<std::int64_t, std::vector<std::int64_t>>;

/// The positions of every label, shuffled. A class draws from its own seed, so that the others do
/// not change what it gives.
ByLabel shuffledByLabel(const torch::Tensor& labels, Seed seed) {
  const torch::Tensor contiguous = labels.to(torch::kInt64).contiguous();
  const auto* label = contiguous.data_ptr<std::int64_t>();
  ByLabel byLabel;
  for (std::int64_t i = 0; i < contiguous.size(0); ++i) byLabel[label[i]].push_back(i);
  for (auto& [value, indices] : byLabel) {
    Random random(seed.child(static_cast<std::uint64_t>(value)));
    random.shuffle(indices);
  }
  return byLabel;
}

torch::Tensor ascending(std::vector<std::int64_t> indices) {
  std::sort(indices.begin(), indices.end());
  return torch::tensor(indices, torch::kInt64);
}

}  // namespace

std::pair<torch::Tensor, torch::Tensor> splitIndices(const torch::Tensor& labels, double fraction,
                                                     Seed seed) {
  if (!(fraction >= 0.0 && fraction <= 1.0)) {
    throw Error::badInput(formatNumber(fraction) + " is not a share", "validation split",
                          "expected 0 <= fraction <= 1");
  }
  std::vector<std::int64_t> rest, part;
  for (const auto& [value, indices] : shuffledByLabel(labels, seed)) {
    const auto taken = std::llround(fraction * static_cast<double>(indices.size()));
    part.insert(part.end(), indices.begin(), indices.begin() + taken);
    rest.insert(rest.end(), indices.begin() + taken, indices.end());
  }
  return {ascending(std::move(rest)), ascending(std::move(part))};
}

std::pair<torch::Tensor, torch::Tensor> splitCount(const torch::Tensor& labels, std::int64_t count,
                                                   Seed seed) {
  const std::int64_t images = labels.size(0);
  if (count < 0 || count >= images) {
    throw Error::badInput(
        std::to_string(count) + " of " + std::to_string(images) + " images leave none to train on",
        "validation split", "keep fewer for validation");
  }
  const ByLabel byLabel = shuffledByLabel(labels, seed);
  // Largest remainders: whole parts first, then one more where most was cut off.
  std::map<std::int64_t, std::int64_t> taken;
  std::vector<std::pair<std::int64_t, std::int64_t>> remainders;  // (-remainder, class)
  std::int64_t left = count;
  for (const auto& [value, indices] : byLabel) {
    const std::int64_t product = count * static_cast<std::int64_t>(indices.size());
    taken[value] = product / images;
    left -= taken[value];
    remainders.emplace_back(-(product % images), value);
  }
  std::sort(remainders.begin(), remainders.end());
  for (std::size_t i = 0; i < static_cast<std::size_t>(left); ++i) ++taken[remainders[i].second];
  std::vector<std::int64_t> rest, part;
  for (const auto& [value, indices] : byLabel) {
    part.insert(part.end(), indices.begin(), indices.begin() + taken[value]);
    rest.insert(rest.end(), indices.begin() + taken[value], indices.end());
  }
  return {ascending(std::move(rest)), ascending(std::move(part))};
}

torch::Tensor subsetIndices(const torch::Tensor& labels, std::int64_t limit,
                            const std::string& rule, Seed seed) {
  const std::int64_t images = labels.size(0);
  limit = std::min(limit, images);
  if (rule == "first") return torch::arange(limit, torch::kInt64);
  if (rule == "balanced") {
    const ByLabel byLabel = shuffledByLabel(labels, seed);
    std::vector<std::int64_t> chosen;
    for (std::size_t turn = 0; static_cast<std::int64_t>(chosen.size()) < limit; ++turn) {
      for (const auto& [value, indices] : byLabel) {
        if (turn < indices.size() && static_cast<std::int64_t>(chosen.size()) < limit) {
          chosen.push_back(indices[turn]);
        }
      }
    }
    return ascending(std::move(chosen));
  }
  // The first of a shuffle, back in their order.
  std::vector<std::int64_t> all(static_cast<std::size_t>(images));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  Random random(seed);
  random.shuffle(all);
  all.resize(static_cast<std::size_t>(limit));
  return ascending(std::move(all));
}

std::string subsetRule(const std::string& rule) {
  if (rule == "first") return "the first, in the original order";
  if (rule == "balanced") return "seeded, equally many of every class, in the original order";
  return "seeded, without replacement, in the original order";
}

}  // namespace bulwark
