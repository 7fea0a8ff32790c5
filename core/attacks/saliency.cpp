#include "core/attacks/saliency.h"

#include <algorithm>
#include <limits>

namespace bulwark {

std::vector<std::int64_t> salientPair(const std::vector<std::int64_t>& domain, const float* alpha,
                                      const float* beta) {
  auto order = domain;
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    if (alpha[a] != alpha[b]) return alpha[a] > alpha[b];
    if (beta[a] != beta[b]) return beta[a] < beta[b];
    return a < b;
  });
  std::vector<std::int64_t> kept;
  // The two smallest betas among the entries before, whose alphas are at least as large.
  float least = std::numeric_limits<float>::infinity(), second = least;
  for (const auto i : order) {
    if (!(beta[i] < second)) continue;
    kept.push_back(i);
    second = std::max(least, std::min(second, beta[i]));
    least = std::min(least, beta[i]);
  }
  double best = 0.0;
  std::vector<std::int64_t> pair;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    for (std::size_t j = i + 1; j < kept.size(); ++j) {
      const double a = static_cast<double>(alpha[kept[i]]) + alpha[kept[j]];
      const double b = static_cast<double>(beta[kept[i]]) + beta[kept[j]];
      if (!(a > 0 && b < 0) || -a * b <= best) continue;
      best = -a * b;
      pair = {std::min(kept[i], kept[j]), std::max(kept[i], kept[j])};
    }
  }
  return pair;
}

std::vector<std::int64_t> largestTwo(const std::vector<std::int64_t>& domain, const float* alpha) {
  std::vector<std::int64_t> chosen;
  for (const auto i : domain) {
    if (alpha[i] > 0) chosen.push_back(i);
  }
  const auto count = std::min<std::size_t>(2, chosen.size());
  std::partial_sort(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(count),
                    chosen.end(), [&](std::int64_t a, std::int64_t b) {
                      return alpha[a] != alpha[b] ? alpha[a] > alpha[b] : a < b;
                    });
  chosen.resize(count);
  return chosen;
}

}  // namespace bulwark
