#pragma once

#include <QStackedWidget>
#include <vector>

#include "core/store/records.h"
#include "ui/plots/curve_plot.h"
#include "ui/plots/trend_plot.h"

class QComboBox;

namespace bulwark {

/// Precision and recall, and where the run has them the curves of AUROC over epsilon, steps,
/// restarts or propagations; a selector in the plot's heading says which.
class CurveSwitch : public QStackedWidget {
  Q_OBJECT

 public:
  /// Takes the plot of precision and recall.
  explicit CurveSwitch(PrPlot* pr, QWidget* parent = nullptr);

  /// Shows what belongs to an attack and an out set, one line per detector, in the hardest setting
  /// that was evaluated. Keeps the chosen quantity while there still are curves of it.
  void setCurves(const std::vector<CurveRecord>& curves, const QString& attack, const QString& out);
  TrendPlot* trend() const { return trend_; }
  /// "pr" or a kind of curve; false when there is none.
  bool choose(const QString& kind);
  QString chosen() const { return chosen_; }

 Q_SIGNALS:
  void maximizeRequested();

 private:
  QComboBox* makeBox(PlotWidget* plot);
  void fillBoxes();
  void showChosen();

  PrPlot* pr_;
  TrendPlot* trend_;
  QComboBox* prBox_;
  QComboBox* trendBox_;
  std::vector<CurveRecord> curves_;
  QString out_;
  QString chosen_;
};

}  // namespace bulwark
