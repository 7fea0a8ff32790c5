#pragma once

#include <QDockWidget>
#include <optional>

#include "ui/bridge/app_context.h"
#include "ui/models/job_table_model.h"

class QPushButton;
class QStackedWidget;
class QTableView;
class QToolButton;

namespace bulwark {

/// The queue: what runs, what waits, what ended, and what can be asked of each.
class JobsDock : public QDockWidget {
  Q_OBJECT

 public:
  explicit JobsDock(const AppContext& context, QWidget* parent = nullptr);
  JobTableModel* model() const { return model_; }

 private:
  void refresh();
  void showActions();
  qint64 selectedJob() const;
  void openResults();
  void followHealth();
  QToolButton* addButton(const QString& name, const QString& iconName, const QString& text);

  AppContext context_;
  JobTableModel* model_;
  QTableView* table_;
  QStackedWidget* stack_;
  QToolButton* pause_;
  QToolButton* cancel_;
  QToolButton* retry_;
  QToolButton* open_;
  QToolButton* startQueue_;
  std::optional<JobRecord> health_;  ///< the costly checks of a run, as a line of the list
  qint64 wanted_ = 0;                ///< a job just submitted: selected as soon as the table has it
  bool asking_ = false;
  bool again_ = false;
};

}  // namespace bulwark
