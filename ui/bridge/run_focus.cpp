#include "ui/bridge/run_focus.h"

namespace bulwark {

RunFocus::RunFocus(DatabaseService* database, QObject* parent) : QObject(parent) {
  connect(database, &DatabaseService::changed, this, [this] {
    if (run_ != 0) Q_EMIT contentChanged();
  });
  connect(database, &DatabaseService::opened, this, [this] { setRun(0); });
}

void RunFocus::setRun(qint64 run) {
  if (run == run_) return;
  run_ = run;
  Q_EMIT runChanged(run);
}

void RunFocus::setDetector(const QString& detector) {
  if (detector == detector_) return;
  detector_ = detector;
  Q_EMIT detectorChanged(detector);
}

}  // namespace bulwark
