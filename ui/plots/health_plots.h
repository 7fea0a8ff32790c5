#pragma once

#include <QWidget>
#include <array>

#include "core/base/json.h"
#include "ui/plots/trend_plot.h"

namespace bulwark {

/// The small multiples of the health panel: what the attack did, in five pictures. Those without
/// data say what would produce it.
class HealthPlots : public QWidget {
  Q_OBJECT

 public:
  enum Kind { BestScore, Epsilon, Restarts, Gradients, BlackBox, KindCount };

  explicit HealthPlots(QWidget* parent = nullptr);

  /// `series`: "health_series" of a summary. Only what belongs to `detector` and `attack` is
  /// shown; an empty field of a series belongs to all.
  void showSeries(const Json& series, const QString& detector, const QString& attack);
  /// Shown for the kind while the summary has nothing of it.
  void setFallback(Kind kind, const QVector<TrendSeries>& series);
  TrendPlot* plot(Kind kind) const { return plots_[kind]; }
  /// The sixth cell of the grid.
  void setLast(QWidget* widget);

 private:
  void refresh(Kind kind);

  std::array<TrendPlot*, KindCount> plots_;
  std::array<QVector<TrendSeries>, KindCount> own_, fallback_;
};

}  // namespace bulwark
