#pragma once

#include <QObject>
#include <QProcess>
#include <QString>
#include <QTemporaryDir>
#include <QTimer>
#include <memory>

#include "core/base/json.h"
#include "core/base/task.h"
#include "core/store/records.h"

namespace bulwark {

class DatabaseService;
class HealthRunner;

/// Puts experiments into the queue and keeps one worker process busy with it.
///
/// A worker writes its results to the database and its events, one JSON object per line, to its
/// standard output, which is a file here: a worker that is left running when the window closes
/// never meets a broken pipe. Belongs to the window's thread.
class JobController : public QObject {
  Q_OBJECT

 public:
  /// `worker`: the command-line program; empty looks at $BULWARK_CLI, then beside this program.
  explicit JobController(DatabaseService* database, const QString& worker = {},
                         QObject* parent = nullptr);
  ~JobController() override;

  /// Enqueues and starts the queue. Answered by `submitted`, or by the database's `failed`.
  void submit(const QString& name, const Json& specification, quint64 seed, const QString& device,
              int threads);
  /// Runs what is queued, one job after the other.
  void startQueue();
  void cancel(qint64 job);
  void pause(qint64 job);
  void resume(qint64 job);
  /// Queues a failed, cancelled or interrupted job again; it goes on where it stopped.
  void retry(qint64 job);

  /// The job whose worker this window started, or 0.
  qint64 runningJob() const { return job_; }
  qint64 runningRun() const { return run_; }
  bool isRunning() const { return process_ != nullptr; }
  /// How long a worker that was asked to stop may take before it is killed; 8 s by default.
  void setPatience(int milliseconds) { patience_.setInterval(milliseconds); }
  /// How often to look for runs whose worker has died; 10 s by default.
  void setWatch(int milliseconds) { watch_.setInterval(milliseconds); }
  /// Leaves the worker running when this object goes.
  void detach();
  /// Path of the worker program, whether or not it exists.
  QString worker() const { return worker_; }
  /// Makes the costly health checks of finished runs, beside the queue.
  HealthRunner* health() const { return health_; }

 Q_SIGNALS:
  void submitted(qint64 job, qint64 run);
  void started(qint64 job, qint64 run);
  void progress(qint64 job, const bulwark::ProgressUpdate& update);
  /// Every event as the worker wrote it, progress included.
  void event(qint64 job, const bulwark::Json& event);
  /// `state` is not final where another program had taken the job before this window's worker.
  void finished(qint64 job, qint64 run, bulwark::RunState state);
  /// Runs whose worker had died, with an earlier window or meanwhile, were found; their jobs can be
  /// resumed.
  void interruptedFound(int count);

 private:
  void pump();
  void findInterrupted();
  void launch(qint64 job, qint64 run);
  void reset();
  void request(qint64 job, const char* what);
  void readEvents();
  void handle(const QByteArray& line);
  void processEnded();
  void settle(qint64 job, RunState guess, const std::string& reason);

  DatabaseService* database_;
  QString worker_;
  HealthRunner* health_;
  std::unique_ptr<QTemporaryDir> folder_;
  QProcess* process_ = nullptr;
  qint64 job_ = 0;
  qint64 run_ = 0;
  qint64 readTo_ = 0;
  QByteArray partial_;
  bool claimed_ = false;
  bool cancelWanted_ = false;
  bool detached_ = false;
  QString lastError_;
  bool queueRuns_ = false;
  bool asking_ = false;
  QTimer reader_;
  QTimer patience_;
  QTimer watch_;  ///< for workers of other programs that end without a word
};

}  // namespace bulwark
