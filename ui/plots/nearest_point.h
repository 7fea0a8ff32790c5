#pragma once

#include <QPointF>
#include <QVector>

#include <qcustomplot.h>
#include <cmath>

namespace bulwark {

/// The finite point of a list of series (each with `x` and `y`) nearest to `pixel`, at most
/// `reach` pixels away. `series` is null where there is none.
template <class Series>
struct NearestPoint {
  const Series* series = nullptr;
  qsizetype index = 0;
};

template <class List>
auto nearestPoint(const List& all, const QCustomPlot& canvas, const QPointF& pixel, double reach) {
  NearestPoint<typename List::value_type> found;
  double best = reach * reach;
  for (const auto& candidate : all) {
    for (qsizetype i = 0; i < candidate.x.size(); ++i) {
      if (!std::isfinite(candidate.x[i]) || !std::isfinite(candidate.y[i])) continue;
      const double dx = canvas.xAxis->coordToPixel(candidate.x[i]) - pixel.x();
      const double dy = canvas.yAxis->coordToPixel(candidate.y[i]) - pixel.y();
      if (dx * dx + dy * dy >= best) continue;
      best = dx * dx + dy * dy;
      found.series = &candidate;
      found.index = i;
    }
  }
  return found;
}

}  // namespace bulwark
