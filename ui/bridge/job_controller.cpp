#include "ui/bridge/job_controller.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcessEnvironment>

#ifdef Q_OS_UNIX
#include <unistd.h>
#endif

#include "ui/bridge/database_service.h"
#include "ui/bridge/health_runner.h"

namespace bulwark {

namespace {

constexpr int readInterval = 50;      // ms between looks at the worker's events
constexpr int watchInterval = 10000;  // ms between looks for workers that died
constexpr int cancelPatience = 8000;  // ms until a worker that ignores a cancel is killed
constexpr qint64 errorTail = 2000;    // bytes of standard error kept as a reason

QString findWorker() {
  const QString wanted = qEnvironmentVariable("BULWARK_CLI");
  if (!wanted.isEmpty()) return wanted;
  return QDir(QCoreApplication::applicationDirPath()).filePath(QStringLiteral("bulwark-cli"));
}

ProgressUpdate progressOf(const Json& event) {
  ProgressUpdate update;
  update.phase = event.value("phase", std::string());
  update.done = event.value("done", std::int64_t{0});
  update.total = event.value("total", std::int64_t{0});
  update.unit = event.value("unit", std::string());
  update.rate = event.value("rate", 0.0);
  const auto left = event.find("seconds_left");
  if (left != event.end() && left->is_number()) update.secondsLeft = left->get<double>();
  return update;
}

QString tailOf(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return {};
  if (file.size() > errorTail) file.seek(file.size() - errorTail);
  return QString::fromUtf8(file.readAll()).trimmed();
}

}  // namespace

JobController::JobController(DatabaseService* database, const QString& worker, QObject* parent)
    : QObject(parent),
      database_(database),
      worker_(worker.isEmpty() ? findWorker() : worker),
      health_(new HealthRunner(worker_, this)),
      folder_(std::make_unique<QTemporaryDir>()) {
  reader_.setInterval(readInterval);
  connect(&reader_, &QTimer::timeout, this, &JobController::readEvents);
  patience_.setSingleShot(true);
  patience_.setInterval(cancelPatience);
  connect(&patience_, &QTimer::timeout, this, [this] {
    if (process_) process_->kill();
  });
  connect(database_, &DatabaseService::opened, this, [this] {
    queueRuns_ = false;
    database_->run(
        this, [](RunStore& store) { return store.markInterrupted(); },
        [this](int count) {
          if (count > 0) Q_EMIT interruptedFound(count);
        });
    watch_.start();
  });
  watch_.setInterval(watchInterval);
  connect(&watch_, &QTimer::timeout, this, &JobController::findInterrupted);
  // Another window's worker may have ended: then the queue is ours again.
  connect(database_, &DatabaseService::changed, this, &JobController::pump);
}

JobController::~JobController() {
  if (!process_) return;
  process_->disconnect(this);
  if (detached_) {
    // Deleting a QProcess kills its child, so this one is left to the operating system.
    process_->setParent(nullptr);
    folder_->setAutoRemove(false);
    return;
  }
  process_->kill();
  process_->waitForFinished(2000);
}

// A program that was killed says nothing, so somebody has to look. This window's own worker is
// looked after by `processEnded`, which knows why it ended.
void JobController::findInterrupted() {
  database_->run(
      this,
      [own = process_ ? run_ : 0](RunStore& store) {
        return store.markInterrupted(RunStore::Workers::OfThisHost, own);
      },
      [this](int count) {
        if (count > 0) Q_EMIT interruptedFound(count);
      },
      [](const Error&) {});  // tried again soon
}

void JobController::submit(const QString& name, const Json& specification, quint64 seed,
                           const QString& device, int threads) {
  database_->run(
      this,
      [name = name.toStdString(), specification, seed, device = device.toStdString(),
       threads](RunStore& store) {
        const auto job = store.enqueue(name, specification, seed, device, threads);
        return std::make_pair(job, store.job(job).run);
      },
      [this](const std::pair<std::int64_t, std::int64_t>& ids) {
        Q_EMIT submitted(ids.first, ids.second);
        startQueue();
      });
}

void JobController::startQueue() {
  queueRuns_ = true;
  pump();
}

void JobController::pump() {
  if (!queueRuns_ || process_ || asking_) return;
  asking_ = true;
  database_->run(
      this,
      [](RunStore& store) {
        store.markInterrupted();
        return store.nextJob();
      },
      [this](const std::optional<JobRecord>& next) {
        asking_ = false;
        if (next && !process_) launch(next->id, next->run);
      },
      [this](const Error& error) {
        asking_ = false;
        queueRuns_ = false;
        Q_EMIT database_->failed(QString::fromStdString(error.what()));
      });
}

void JobController::launch(qint64 job, qint64 run) {
  reset();
  job_ = job;
  run_ = run;
  process_ = new QProcess(this);
  auto environment = QProcessEnvironment::systemEnvironment();
  // libgomp reads it when it is loaded; without it two spinning threads starve each other.
  environment.insert(QStringLiteral("OMP_WAIT_POLICY"), QStringLiteral("passive"));
  process_->setProcessEnvironment(environment);
  process_->setStandardInputFile(QProcess::nullDevice());
  const QString stem = folder_->filePath(QString::number(job));
  QFile::remove(stem + QStringLiteral(".events"));
  process_->setStandardOutputFile(stem + QStringLiteral(".events"));
  process_->setStandardErrorFile(stem + QStringLiteral(".errors"));
#ifdef Q_OS_UNIX
  // Its own session: an interrupt typed in the terminal of the window does not reach it.
  process_->setChildProcessModifier([] { ::setsid(); });
#endif
  connect(process_, &QProcess::finished, this, &JobController::processEnded);
  connect(process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
    if (error != QProcess::FailedToStart) return;
    const std::string reason =
        "the worker program could not be started: " + QFile::encodeName(worker_).toStdString();
    const qint64 failed = job_;
    queueRuns_ = false;  // the next one would fail in the same way
    process_->deleteLater();
    process_ = nullptr;
    reader_.stop();
    settle(failed, RunState::Failed, reason);
  });
  reader_.start();
  process_->start(worker_, {QStringLiteral("work"), QStringLiteral("--db"), database_->path(),
                            QStringLiteral("--job"), QString::number(job)});
}

void JobController::reset() {
  readTo_ = 0;
  partial_.clear();
  claimed_ = false;
  cancelWanted_ = false;
  lastError_.clear();
}

void JobController::readEvents() {
  QFile file(folder_->filePath(QString::number(job_) + QStringLiteral(".events")));
  if (!file.open(QIODevice::ReadOnly) || file.size() <= readTo_) return;
  file.seek(readTo_);
  const QByteArray read = file.readAll();
  readTo_ += read.size();
  partial_ += read;
  qsizetype from = 0;
  for (qsizetype end; (end = partial_.indexOf('\n', from)) >= 0; from = end + 1) {
    handle(partial_.mid(from, end - from));
  }
  partial_.remove(0, from);
}

void JobController::handle(const QByteArray& line) {
  const Json parsed = Json::parse(line.begin(), line.end(), nullptr, false);
  // A library that prints to standard output must not stop the window from listening.
  if (!parsed.is_object() || !parsed.contains("event") || !parsed["event"].is_string()) return;
  try {
    const auto kind = parsed["event"].get<std::string>();
    if (kind == "started") {
      claimed_ = true;
      run_ = parsed.value("run", std::int64_t{run_});
      Q_EMIT started(job_, run_);
    } else if (kind == "progress") {
      Q_EMIT progress(job_, progressOf(parsed));
    } else if (kind == "failed") {
      lastError_ = QString::fromStdString(parsed.value("error", std::string()));
    }
    Q_EMIT event(job_, parsed);
  } catch (const Json::exception&) {
    // An event whose fields have other types than agreed is skipped like foreign output.
  }
}

void JobController::processEnded() {
  readEvents();
  reader_.stop();
  patience_.stop();
  const bool crashed = process_->exitStatus() == QProcess::CrashExit;
  const int code = process_->exitCode();
  process_->deleteLater();
  process_ = nullptr;
  RunState guess = RunState::Failed;
  QString reason = lastError_;
  if (cancelWanted_) {
    guess = RunState::Cancelled;
    reason.clear();
  } else if (crashed) {
    guess = RunState::Interrupted;
    reason =
        QStringLiteral("the worker was killed (signal %1); what it had stored is kept").arg(code);
  } else if (reason.isEmpty()) {
    reason = QStringLiteral("the worker ended with exit code %1 before the run was done").arg(code);
  }
  if (lastError_.isEmpty() && !cancelWanted_) {
    const QString said =
        tailOf(folder_->filePath(QString::number(job_) + QStringLiteral(".errors")));
    if (!said.isEmpty()) reason += QStringLiteral(": ") + said;
  }
  settle(job_, guess, reason.toStdString());
}

// The database says how the run ended; only when the worker could not write that itself does the
// guess made from its end count. A worker that never began was refused, mostly because another
// program had taken the job meanwhile: then it is that program's to end.
void JobController::settle(qint64 job, RunState guess, const std::string& reason) {
  database_->run(
      this,
      [job, guess, reason, began = claimed_](RunStore& store) {
        auto record = store.job(job);
        const bool elsewhere =
            !began && (record.state == RunState::Running || record.state == RunState::Paused);
        if (!isFinal(record.state) && !elsewhere) {
          const bool waiting = record.state == RunState::Queued;
          store.setJobState(
              job, waiting && guess == RunState::Interrupted ? RunState::Failed : guess, reason);
          record = store.job(job);
        }
        return record;
      },
      [this](const JobRecord& record) {
        job_ = 0;
        run_ = 0;
        Q_EMIT finished(record.id, record.run, record.state);
        pump();
      });
}

void JobController::request(qint64 job, const char* what) {
  database_->run(
      this, [job, text = std::string(what)](RunStore& store) { store.requestJob(job, text); },
      [] {});
}

void JobController::cancel(qint64 job) {
  if (job == job_ && process_) {
    cancelWanted_ = true;
    if (!claimed_) {
      // It has not taken the job yet: a request would be overlooked.
      process_->terminate();
      return;
    }
    patience_.start();
  }
  request(job, "cancel");
}

void JobController::pause(qint64 job) {
  request(job, "pause");
}

void JobController::resume(qint64 job) {
  request(job, "resume");
}

void JobController::retry(qint64 job) {
  database_->run(
      this, [job](RunStore& store) { store.retryJob(job); }, [this] { startQueue(); });
}

void JobController::detach() {
  detached_ = true;
}

}  // namespace bulwark
