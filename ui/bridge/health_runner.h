#pragma once

#include <QObject>
#include <QProcess>
#include <QString>
#include <QTimer>

#include "core/base/task.h"

namespace bulwark {

/// Makes the costly checks of a finished run in a child process: `runs health ID --full --db FILE`
/// of the command-line program. One at a time. Belongs to the window's thread.
class HealthRunner : public QObject {
  Q_OBJECT

 public:
  /// `worker`: the command-line program.
  explicit HealthRunner(const QString& worker, QObject* parent = nullptr);
  ~HealthRunner() override;

  /// Asks the program, once, whether it can; answered by `probed`.
  void probe();
  bool isAvailable() const { return available_; }
  /// Why not; empty while that is not known or when it can.
  QString reason() const { return reason_; }

  void start(qint64 run, const QString& database);
  /// Asks the process to stop; it is killed when it does not within 8 s.
  void cancel();
  bool isRunning() const { return process_ != nullptr; }
  qint64 run() const { return run_; }

 Q_SIGNALS:
  void probed();
  void started(qint64 run);
  /// One line of the program; `share` in [0, 1], or -1 when the line tells no count.
  void progress(const QString& text, double share);
  /// The same line taken apart.
  void updated(const bulwark::ProgressUpdate& update);
  /// `problem` is empty when all went well.
  void finished(qint64 run, bool cancelled, const QString& problem);

 private:
  void read();
  void ended(const QString& problem);

  QString worker_, reason_, last_;
  QByteArray partial_;
  QProcess* probe_ = nullptr;
  QProcess* process_ = nullptr;
  QTimer patience_;
  qint64 run_ = 0;
  bool available_ = false;
  bool cancelled_ = false;
};

}  // namespace bulwark
