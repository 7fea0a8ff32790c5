#include "ui/plots/histogram_bins.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bulwark {

HistogramBins::HistogramBins(const QVector<HistogramSeries>& series, int bins)
    : bins_(std::max(1, bins)) {
  double least = std::numeric_limits<double>::infinity(), most = -least;
  double middleLow = least, middleHigh = most;
  for (const HistogramSeries& one : series) {
    std::vector<double> sorted;
    sorted.reserve(one.scores.size());
    for (const double score : one.scores) {
      if (std::isfinite(score)) sorted.push_back(score);
    }
    if (sorted.empty()) continue;
    std::sort(sorted.begin(), sorted.end());
    least = std::min(least, sorted.front());
    most = std::max(most, sorted.back());
    const auto cut = sorted.size() / 200;  // half a percent on each side
    middleLow = std::min(middleLow, sorted[cut]);
    middleHigh = std::max(middleHigh, sorted[sorted.size() - 1 - cut]);
  }
  if (!(least <= most)) return;
  if (middleHigh > middleLow && most - least > 3 * (middleHigh - middleLow)) {
    least = middleLow;
    most = middleHigh;
  }
  if (most == least) {
    const double pad = std::max(1e-6, std::abs(least) * 0.01);
    least -= pad;
    most += pad;
  }
  low_ = least;
  high_ = most;
}

int HistogramBins::binOf(double score) const {
  if (score < low_) return -1;
  if (!(score <= high_)) return bins_;
  return std::min(bins_ - 1, static_cast<int>((score - low_) / (high_ - low_) * bins_));
}

int HistogramBins::binOf(const HistogramSeries& series, std::size_t sample) const {
  if (sample < series.saturated.size() && series.saturated[sample]) {
    // The attack raises in samples and lowers out samples.
    return series.side.out ? -1 : bins_;
  }
  return binOf(series.scores[sample]);
}

HistogramCounts HistogramBins::count(const HistogramSeries& series) const {
  HistogramCounts result;
  result.counts.assign(static_cast<std::size_t>(bins_), 0);
  for (std::size_t i = 0; i < series.scores.size(); ++i) {
    const int bin = binOf(series, i);
    if (i < series.saturated.size() && series.saturated[i]) ++result.saturated;
    if (bin < 0) {
      ++result.below;
    } else if (bin >= bins_) {
      ++result.above;
    } else {
      ++result.counts[static_cast<std::size_t>(bin)];
    }
  }
  return result;
}

}  // namespace bulwark
