#pragma once

#include <QString>
#include <QVector>
#include <cstdint>
#include <vector>

#include "ui/bridge/selection_hub.h"

namespace bulwark {

/// Anomaly scores of one set, clean or attacked, as the histogram shows them.
struct HistogramSeries {
  QString name;
  SampleSide side;
  bool attacked = false;
  std::vector<double> scores;           ///< [N], by sample
  std::vector<std::uint8_t> saturated;  ///< [N] or empty: the true score lies further out (S1)
};

/// Counts of one series. `below` and `above` belong to the bars at the edges: scores beyond the
/// range, and saturated samples, of which only a bound is known.
struct HistogramCounts {
  std::vector<std::int64_t> counts;  ///< [bins]
  std::int64_t below = 0, above = 0;
  std::int64_t saturated = 0;  ///< how many of below + above are there as a bound only
};

/// Bins that all series share.
///
/// The range spans all scores, unless a few outliers would stretch it threefold: then it spans
/// the middle 99 % of every series and the edge bars hold the rest, so that nothing is lost.
class HistogramBins {
 public:
  HistogramBins() = default;
  HistogramBins(const QVector<HistogramSeries>& series, int bins);

  double low() const { return low_; }
  double high() const { return high_; }
  double width() const { return (high_ - low_) / bins_; }
  int size() const { return bins_; }
  /// 0 to size() - 1; -1 below the range, size() above it.
  int binOf(double score) const;
  /// As `binOf`, with saturated samples at the edge they have moved to.
  int binOf(const HistogramSeries& series, std::size_t sample) const;
  HistogramCounts count(const HistogramSeries& series) const;

 private:
  double low_ = 0, high_ = 1;
  int bins_ = 1;
};

}  // namespace bulwark
