#include "core/metrics/threshold.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/base/text.h"

namespace bulwark {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? std::nan("") : static_cast<double>(part) / static_cast<double>(whole);
}

/// Smallest count k with k / n >= share, by the same division as everywhere else.
std::size_t countForShare(std::size_t n, double share) {
  if (n == 0) throw Error::badInput("a threshold needs at least one score", "metrics");
  if (!(share > 0.0 && share <= 1.0)) {
    throw Error::badInput("a share of " + formatNumber(share) + " cannot be asked for", "metrics",
                          "expected 0 < share <= 1");
  }
  auto k = static_cast<std::size_t>(std::ceil(share * static_cast<double>(n)));
  k = std::clamp<std::size_t>(k, 1, n);
  while (k > 1 && static_cast<double>(k - 1) / static_cast<double>(n) >= share) --k;
  while (k < n && static_cast<double>(k) / static_cast<double>(n) < share) ++k;
  return k;
}

}  // namespace

SortedScores::SortedScores(std::span<const double> scores) : values_(scores.begin(), scores.end()) {
  for (double score : values_) {
    if (!std::isfinite(score)) {
      throw Error::badInput("a score is " + formatNumber(score), "metrics",
                            "check the detector's output for overflow");
    }
  }
  std::sort(values_.begin(), values_.end());
}

std::int64_t SortedScores::below(double threshold) const {
  return std::lower_bound(values_.begin(), values_.end(), threshold) - values_.begin();
}

std::int64_t SortedScores::atMost(double threshold) const {
  return std::upper_bound(values_.begin(), values_.end(), threshold) - values_.begin();
}

std::int64_t SortedScores::above(double threshold) const {
  return size() - atMost(threshold);
}

std::int64_t SortedScores::atLeast(double threshold) const {
  return size() - below(threshold);
}

double SortedScores::keepingBelow(double share) const {
  return values_[countForShare(values_.size(), share) - 1];
}

double SortedScores::keepingAbove(double share) const {
  const std::size_t kept = countForShare(values_.size(), share);
  return values_[values_.size() - kept];
}

double ConfusionCounts::accuracy() const {
  return ratio(inKept + outFlagged, inKept + inFlagged + outKept + outFlagged);
}

double ConfusionCounts::keptIn() const {
  return ratio(inKept, inKept + inFlagged);
}

double ConfusionCounts::flaggedOut() const {
  return ratio(outFlagged, outKept + outFlagged);
}

double ConfusionCounts::precision(Positive positive) const {
  if (positive == Positive::In) return ratio(inKept, inKept + outKept);
  return ratio(outFlagged, outFlagged + inFlagged);
}

double ConfusionCounts::f1(Positive positive) const {
  const bool in = positive == Positive::In;
  return ratio(2 * (in ? inKept : outFlagged),
               2 * (in ? inKept : outFlagged) + inFlagged + outKept);
}

ConfusionCounts confusionAt(const SortedScores& in, const SortedScores& out, double threshold,
                            TieRule ties) {
  ConfusionCounts counts;
  const bool tiesIn = ties == TieRule::In;
  counts.inKept = tiesIn ? in.atMost(threshold) : in.below(threshold);
  counts.outKept = tiesIn ? out.atMost(threshold) : out.below(threshold);
  counts.inFlagged = in.size() - counts.inKept;
  counts.outFlagged = out.size() - counts.outKept;
  return counts;
}

}  // namespace bulwark
