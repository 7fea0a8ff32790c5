#pragma once

#include <QTimer>
#include <QWidget>
#include <optional>
#include <vector>

#include "core/store/records.h"
#include "ui/bridge/app_context.h"
#include "ui/bridge/detector_view.h"
#include "ui/widgets/threshold_bar.h"

class QButtonGroup;
class QComboBox;
class QModelIndex;
class QStackedWidget;
class QTableView;

namespace bulwark {

class ClassMapPanel;
class CurveSwitch;
class ElidedLabel;
class EmptyState;
class HealthLabel;
class HealthPanel;
class HealthRunner;
class HistogramPlot;
class PrPlot;
class ResultTableModel;
class RocPlot;
class ScoreSwitch;
class ThresholdModel;
class ViewGrid;

/// What the focused run found: scores, ROC, precision and recall, the AUROC table.
class ResultsPage : public QWidget {
  Q_OBJECT

 public:
  explicit ResultsPage(const AppContext& context, QWidget* parent = nullptr);

  ThresholdModel* thresholds() const { return thresholds_; }
  enum Part { Figures, Classes, Health };
  /// The figures, where detectors see the images of each class, or how far all can be trusted. As
  /// far as the run has such a part.
  void showPart(Part part);
  Part part() const;

 Q_SIGNALS:
  /// The plots show what the selectors say; nothing is being loaded any more.
  void shown();

 private:
  QWidget* buildHeader();
  QWidget* buildViews();
  QWidget* buildSwitch();
  void buildClasses();
  void buildHealth();
  void reload();
  void showRun(std::optional<RunRecord> run, const std::vector<ResultRow>& rows);
  void showEmpty(const std::optional<RunRecord>& run);
  void fillSelectors();
  void loadDetector();
  void showDetector(DetectorView view);
  void showAccuracy();
  void showOwnThreshold();
  void showTrends();
  void pickLine(const QModelIndex& index);
  void pickCell(ThresholdBar::Cell cell, bool attacked, Qt::KeyboardModifiers modifiers);
  void pickBetween(int curve, double threshold, Qt::KeyboardModifiers modifiers);
  void showSelection();

  AppContext context_;
  ThresholdModel* thresholds_;
  QStackedWidget* stack_;
  EmptyState* empty_;
  ElidedLabel* runName_;
  ElidedLabel* accuracy_;
  HealthLabel* health_;
  ElidedLabel* selection_;
  QComboBox* detector_;
  QComboBox* attack_;
  QComboBox* out_;
  ViewGrid* grid_;
  HistogramPlot* histogram_;
  ScoreSwitch* scores_;
  RocPlot* roc_;
  PrPlot* pr_;
  CurveSwitch* curves_;
  QStackedWidget* parts_;
  QButtonGroup* switch_;
  ClassMapPanel* classes_;
  HealthPanel* healthPanel_;
  HealthRunner* healthRunner_ = nullptr;
  ResultTableModel* model_;
  QTableView* table_;
  QTimer reloadLater_;
  DetectorView view_;
  std::vector<ResultRow> rows_;
  std::vector<CurveRecord> trends_;
  Json summary_;
  Json specification_;
  QString healthCost_;
  bool classesApply_ = false;  ///< the run has a detector that keeps class maps
  bool wantsMapped_ = false;   ///< a detector that has kept one is to be chosen
  qint64 shownRun_ = 0;
  quint64 runRequest_ = 0;
  quint64 viewRequest_ = 0;
};

}  // namespace bulwark
