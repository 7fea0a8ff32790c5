#pragma once

#include "ui/plots/plot_widget.h"

namespace bulwark {

/// Where a part of the curves begins, for instance a stage of a training.
struct PlotStage {
  double x = 0;
  QString name;
};

/// Curves over a common x, for instance loss and accuracy per epoch.
class LinePlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit LinePlot(QWidget* parent = nullptr);
  ~LinePlot() override;

  /// Adds the series or replaces the one of that name. `x` and `y` have the same length; points
  /// that are not finite are left out of the drawing, not of the table.
  void setSeries(const QString& name, const QVector<double>& x, const QVector<double>& y);
  void setAxisTitles(const QString& x, const QString& y);
  void clearSeries();
  /// Marks one x with a vertical line (the step a slider stands at).
  void setMarker(double x);
  void clearMarker();
  /// Replaces the vertical lines with names that stand where stages begin; drawn while there is
  /// data.
  void setStages(const QVector<PlotStage>& stages);
  const QVector<PlotStage>& stages() const;

  PlotTable table() const override;
  QString summary() const override;
  bool isEmpty() const override;

 protected:
  void applyTheme(const PlotTheme& theme) override;
  void fitAxes() override;
  void hover(const QPointF& pixel) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
