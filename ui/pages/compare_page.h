#pragma once

#include <QTimer>
#include <QWidget>
#include <vector>

#include "core/base/json.h"
#include "ui/bridge/app_context.h"
#include "ui/models/run_table_model.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSplitter;
class QStackedWidget;
class QTableView;

namespace bulwark {

class ConfigDiffModel;
class EmptyState;
class RocPlot;

/// All runs in one table; of the selected ones, what differs and how their ROC curves compare.
class ComparePage : public QWidget {
  Q_OBJECT

 public:
  explicit ComparePage(const AppContext& context, QWidget* parent = nullptr);

  std::vector<qint64> selectedRuns() const;
  void selectRuns(const std::vector<qint64>& runs);

 Q_SIGNALS:
  /// The runs table shows what is in the database.
  void listed();
  /// Differences and curves of the selected runs are shown.
  void compared();
  /// "Use this configuration".
  void configurationChosen(const bulwark::Json& specification);

 private:
  QWidget* buildTable();
  QWidget* buildDetails();
  void fitRuns();
  void fitName();
  void reload();
  void selectFirst();
  void loadBest();
  void hideConstantColumns();
  QStringList namesOf(const std::vector<qint64>& runs) const;
  void updateActions();
  void selectionChanged();
  void loadComparison();
  bool eventFilter(QObject* watched, QEvent* event) override;
  void showEvent(QShowEvent* event) override;
  void fitDiffColumns();
  void loadCurves();
  void openRun(const QModelIndex& index);
  void togglePin(const QModelIndex& index);
  void deleteSelected();
  void useConfiguration();
  void showMenu(const QPoint& at);

  AppContext context_;
  QStackedWidget* stack_;
  EmptyState* empty_;
  RunTableModel* model_;
  RunFilter* filter_;
  QTableView* table_;
  QLineEdit* query_;
  QCheckBox* hideConstant_;
  QLabel* count_;
  QPushButton* open_;
  QPushButton* use_;
  QPushButton* delete_;
  ConfigDiffModel* diff_;
  QStackedWidget* diffStack_;
  QTableView* diffTable_;
  QLabel* diffText_;
  RocPlot* roc_;
  QComboBox* detector_;
  QComboBox* attack_;
  QComboBox* setting_;
  QComboBox* out_;
  QTimer reloadLater_;
  QTimer compareLater_;
  quint64 listRequest_ = 0;
  quint64 compareRequest_ = 0;
  quint64 curveRequest_ = 0;
  bool loadingBest_ = false;
  bool started_ = false;
  QSplitter* split_;
  bool moved_ = false;  ///< the border between runs and details, by the user
};

}  // namespace bulwark
