#pragma once

#include <QDockWidget>
#include <QTimer>

#include "core/base/task.h"
#include "ui/bridge/app_context.h"
#include "ui/models/log_model.h"

class QLabel;
class QTableView;

namespace bulwark {

/// What the focused (or running) run and the window itself have to say.
class LogDock : public QDockWidget {
  Q_OBJECT

 public:
  explicit LogDock(const AppContext& context, QWidget* parent = nullptr);
  LogModel* model() const { return model_; }
  /// A line of the window's own; shown at once.
  void say(LogLevel level, const QString& text);

 private:
  void setRun(qint64 run);
  void fetch();
  void drain();

  AppContext context_;
  LogModel* model_;
  LogFilter* filter_;
  QTableView* table_;
  QLabel* source_;
  QTimer timer_;
  std::vector<LogLine> waiting_;
  qint64 run_ = 0;
  qint64 lastId_ = 0;
  bool asking_ = false;
  bool stale_ = false;
};

}  // namespace bulwark
