#pragma once

#include <QObject>

#include "ui/bridge/database_service.h"

namespace bulwark {

/// The run that all pages look at. Belongs to the window's thread.
class RunFocus : public QObject {
  Q_OBJECT

 public:
  explicit RunFocus(DatabaseService* database, QObject* parent = nullptr);

  /// 0 when no run is looked at.
  qint64 run() const { return run_; }
  void setRun(qint64 run);

 Q_SIGNALS:
  void runChanged(qint64 run);
  /// What the database holds of the focused run may have changed.
  void contentChanged();

 private:
  qint64 run_ = 0;
};

}  // namespace bulwark
