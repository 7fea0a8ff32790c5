#pragma once

#include <QStackedWidget>
#include <optional>

#include "ui/plots/histogram_plot.h"
#include "ui/plots/score_scatter.h"

class QComboBox;

namespace bulwark {

/// The scores of a detector as a histogram or as one point per image; a selector in the plot's
/// heading says which. The points are those of the clean or of the attacked images.
class ScoreSwitch : public QStackedWidget {
  Q_OBJECT

 public:
  /// Takes the histogram.
  explicit ScoreSwitch(HistogramPlot* histogram, QWidget* parent = nullptr);

  /// Clean series, and those of the attack named where there is one.
  void setSeries(const QVector<HistogramSeries>& series, const QString& attack);
  /// How the detector speaks of its scores, and the threshold that it brings along.
  void setDetector(bool similarity, std::optional<double> ownThreshold);
  ScoreScatter* scatter() const { return scatter_; }
  /// "histogram" or "scatter".
  void choose(const QString& kind);
  QString chosen() const;
  /// Whether the points are those of the attacked images.
  bool showsAttacked() const;

 Q_SIGNALS:
  void maximizeRequested();

 private:
  QComboBox* makeBox(PlotWidget* plot);
  void nameBoxes();
  void showPoints();

  HistogramPlot* histogram_;
  ScoreScatter* scatter_;
  QComboBox* boxes_[2];
  QComboBox* which_;
  QVector<HistogramSeries> series_;
};

}  // namespace bulwark
