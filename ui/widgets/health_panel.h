#pragma once

#include <QScrollArea>

#include "core/base/json.h"
#include "ui/models/health_model.h"
#include "ui/plots/health_plots.h"

class QCheckBox;
class QLabel;
class QProgressBar;
class QPushButton;
class QTableView;

namespace bulwark {

class CheckDetail;
class HealthLights;
class HealthRunner;

/// How far a run's figures can be trusted: three lights with a sentence for each problem, small
/// plots, and every check with its number, rule, limit and source.
class HealthPanel : public QScrollArea {
  Q_OBJECT

 public:
  explicit HealthPanel(QWidget* parent = nullptr);

  /// `summary`: a run's, with or without "health_checks" and "health_series"; `specification`: what
  /// the run was made by, to prepare another from.
  void showSummary(const Json& summary, const Json& specification = Json());
  /// Which detector and attack the small plots show.
  void choose(const QString& detector, const QString& attack);

  /// Who makes the costly checks; without one the button stays off.
  void setRunner(HealthRunner* runner);
  /// `cost`: a sentence on what they would take; may be empty.
  void setRun(qint64 run, const QString& database, const QString& cost);
  /// Chooses the check of that name ("H15 knn"), or the worst, and scrolls to it.
  void showCheck(const QString& name = {});

  HealthLights* lights() const { return lights_; }
  HealthPlots* plots() const { return plots_; }
  HealthModel* model() const { return model_; }
  HealthFilter* filter() const { return filter_; }
  CheckDetail* detail() const { return detail_; }

 Q_SIGNALS:
  /// All limits of the run that differ from the published ones: to be judged by and stored.
  void thresholdsEdited(const bulwark::Json& thresholds);
  /// The experiment of the run, changed by the remedy of a check.
  void rerunWanted(const bulwark::Json& specification);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void choose(const QModelIndex& index);
  void fillList(std::vector<HealthEntry> entries);
  void chooseRow(int row);
  void scrollToChecks();
  int rowOf(const QString& name) const;
  QWidget* makeChecks();
  int worstRow() const;
  QWidget* makeCostly();
  void fitTable();
  void showCostly();

  HealthLights* lights_;
  HealthPlots* plots_;
  HealthModel* model_;
  HealthFilter* filter_;
  CheckDetail* detail_;
  QWidget* checks_;
  QTableView* table_;
  QCheckBox* onlyProblems_;
  QLabel* count_;
  QPushButton* costly_;
  QPushButton* cancel_;
  QLabel* costlyText_;
  QProgressBar* progress_;
  HealthRunner* runner_ = nullptr;
  Json series_;
  QString detector_, attack_, database_, cost_, outcome_, chosen_;
  qint64 run_ = 0;
  bool fresh_ = true;     ///< nothing of this run was shown yet
  bool filling_ = false;  ///< the list's choice is lost and will be made again
};

}  // namespace bulwark
