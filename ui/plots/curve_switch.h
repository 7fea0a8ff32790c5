#pragma once

#include <QStackedWidget>
#include <vector>

#include "core/store/records.h"
#include "ui/models/layer_search.h"
#include "ui/plots/curve_plot.h"
#include "ui/plots/trend_plot.h"

class QComboBox;

namespace bulwark {

class LayerPlot;

/// Precision and recall, and what else the run has: curves of AUROC over epsilon, steps, restarts
/// or propagations, the layers that its detectors searched, the weight of the logits. A selector in
/// the plot's heading says which.
class CurveSwitch : public QStackedWidget {
  Q_OBJECT

 public:
  /// Takes the plot of precision and recall.
  explicit CurveSwitch(PrPlot* pr, QWidget* parent = nullptr);

  /// Shows what belongs to an attack and an out set, one line per detector, in the hardest setting
  /// that was evaluated. Keeps the chosen quantity while there still are curves of it.
  void setCurves(const std::vector<CurveRecord>& curves, const QString& attack, const QString& out);
  /// Empty: no detector of the run has searched.
  void setLayers(const QVector<LayerSearch>& searches);
  /// Figures over the weight of the logits in `detector`, one line per out set; of the one chosen
  /// also under the attack, in the hardest setting. Only where the rows have such curves.
  void setWeights(const std::vector<ResultRow>& rows, const QString& detector,
                  const QString& attack, const QString& out);
  TrendPlot* trend() const { return trend_; }
  TrendPlot* weights() const { return weights_; }
  LayerPlot* layers() const { return layers_; }
  /// "pr", "layer-error", "layer-auroc", "weight-" and a metric, or a kind of curve; false when
  /// there is none.
  bool choose(const QString& kind);
  QString chosen() const { return chosen_; }

 Q_SIGNALS:
  void maximizeRequested();

 private:
  void add(PlotWidget* plot);
  void refresh();
  void showTrend(const QString& title);
  void showWeights(const QString& title);

  PrPlot* pr_;
  TrendPlot* trend_;
  TrendPlot* weights_;
  LayerPlot* layers_;
  std::vector<QComboBox*> boxes_;  ///< alike, one in every plot
  std::vector<CurveRecord> curves_;
  QVector<LayerSearch> searches_;
  std::vector<ResultRow> rows_;  ///< with curves over the weight, those of the out set first
  QStringList outs_;             ///< of the rows, in the order of the tables
  QString out_;
  QStringList kinds_;  ///< offered
  QString chosen_;
};

}  // namespace bulwark
