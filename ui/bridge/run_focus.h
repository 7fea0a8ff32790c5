#pragma once

#include <QObject>

#include "ui/bridge/database_service.h"

namespace bulwark {

/// The run, and the detector in it, that all pages look at. Belongs to the window's thread.
class RunFocus : public QObject {
  Q_OBJECT

 public:
  explicit RunFocus(DatabaseService* database, QObject* parent = nullptr);

  /// 0 when no run is looked at.
  qint64 run() const { return run_; }
  void setRun(qint64 run);
  /// Label of the detector that a page last showed; the focused run need not have it. Empty: none
  /// yet.
  QString detector() const { return detector_; }
  void setDetector(const QString& detector);

 Q_SIGNALS:
  void runChanged(qint64 run);
  void detectorChanged(const QString& detector);
  /// What the database holds of the focused run may have changed.
  void contentChanged();

 private:
  qint64 run_ = 0;
  QString detector_;
};

}  // namespace bulwark
