#pragma once

#include "ui/plots/plot_widget.h"

namespace bulwark {

/// One line, row of bars or cloud of points. `low` and `high` bound a band; they may be empty.
struct TrendSeries {
  QString name;
  QVector<double> x, y, low, high;
  bool faint = false;  ///< beside the others, for comparison: thin, in the legend where it has room
  int look = -1;       ///< number of its colour and line; -1: its place among the series
};

/// A few series over one quantity, with an optional horizontal reference such as chance.
class TrendPlot : public PlotWidget {
  Q_OBJECT

 public:
  enum class Shape { Lines, Bars, Points };

  explicit TrendPlot(Shape shape = Shape::Lines, QWidget* parent = nullptr);
  ~TrendPlot() override;

  /// Replaces all series; those of unequal lengths are cut to the shortest.
  void setSeries(const QVector<TrendSeries>& series);
  const QVector<TrendSeries>& series() const;
  /// `brief`: of y, where the axis is too short for it.
  void setAxisTitles(const QString& x, const QString& y, const QString& brief = {});
  /// A dotted horizontal line; drawn while there is data.
  void setReference(double y);
  /// A dashed vertical line, named in the legend; drawn while there is data.
  void setMarker(double x, const QString& name);
  /// Keeps these y in view; larger and smaller values widen the axis.
  void setYRange(double low, double high);
  /// A picture in a page that scrolls: the wheel belongs to the page, dragging moves nothing.
  void setStill();
  QSize minimumSizeHint() const override;

  PlotTable table() const override;
  QString summary() const override;
  bool isEmpty() const override;

 protected:
  void applyTheme(const PlotTheme& theme) override;
  void fitAxes() override;
  bool fitLegend(const QSize& size) override;
  void hover(const QPointF& pixel) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
