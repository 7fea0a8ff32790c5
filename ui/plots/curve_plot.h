#pragma once

#include <optional>
#include <vector>

#include "ui/plots/plot_widget.h"

namespace bulwark {

/// A curve whose points belong to thresholds, as ROC and PR curves are.
struct ThresholdCurve {
  QString name;
  std::vector<double> x, y;
  /// Decreasing: an image is flagged at scores >= the threshold. Empty when not known.
  std::vector<double> thresholds;
  /// Area under the curve, told in the legend; NaN: not told.
  double area = 0;
};

/// Several threshold curves in the unit square, with the point of the current threshold marked.
class CurvePlot : public PlotWidget {
  Q_OBJECT

 public:
  ~CurvePlot() override;

  void setCurves(const QVector<ThresholdCurve>& curves);
  const QVector<ThresholdCurve>& curves() const;
  /// An image is flagged when its score is above the threshold. Redraws the overlay only.
  void setThreshold(std::optional<double> threshold);
  /// Scores whose points are marked on the first curve (selected samples).
  void setMarkedScores(const std::vector<double>& scores);
  /// Where the threshold stands on a curve; empty without thresholds.
  std::optional<QPointF> pointAt(int curve, double threshold) const;
  /// The threshold that gives a point, under the rule "flagged above".
  std::optional<double> thresholdOf(int curve, std::size_t point) const;

  PlotTable table() const override;
  QString summary() const override;
  bool isEmpty() const override;

 Q_SIGNALS:
  /// A click on a curve.
  void thresholdPicked(int curve, double threshold, Qt::KeyboardModifiers modifiers);

 protected:
  CurvePlot(const QString& xTitle, const QString& yTitle, const QString& areaName, QWidget* parent);
  /// Reference drawn dotted: chance.
  void setReference(const QVector<double>& x, const QVector<double>& y);
  virtual QString describePoint(const QPointF& point) const = 0;

  void applyTheme(const PlotTheme& theme) override;
  void fitAxes() override;
  void hover(const QPointF& pixel) override;
  void clicked(const QPointF& pixel, Qt::KeyboardModifiers modifiers) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// TPR over FPR; the positive class is out. Chance is the diagonal.
class RocPlot : public CurvePlot {
  Q_OBJECT

 public:
  explicit RocPlot(QWidget* parent = nullptr);

 protected:
  QString describePoint(const QPointF& point) const override;
};

/// Precision over recall; the positive class is out. Chance is the share of out samples.
class PrPlot : public CurvePlot {
  Q_OBJECT

 public:
  explicit PrPlot(QWidget* parent = nullptr);
  /// `share` of out samples in [0, 1].
  void setChance(double share);

 protected:
  QString describePoint(const QPointF& point) const override;
};

}  // namespace bulwark
