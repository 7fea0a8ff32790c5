#include "ui/bridge/health_runner.h"

#include <QFileInfo>
#include <QProcessEnvironment>
#include <QRegularExpression>

namespace bulwark {

namespace {

constexpr int kPatience = 8000;  // ms until a process that ignores a cancel is killed

void quiet(QProcess& process) {
  auto environment = QProcessEnvironment::systemEnvironment();
  environment.insert(QStringLiteral("OMP_WAIT_POLICY"), QStringLiteral("passive"));
  process.setProcessEnvironment(environment);
  process.setStandardInputFile(QProcess::nullDevice());
}

/// "attacking knn  340/1000 images  2 min left" -> 0.34
double shareOf(const QString& line) {
  static const QRegularExpression counts(QStringLiteral("(\\d+)/(\\d+)"));
  const auto match = counts.match(line);
  const double total = match.hasMatch() ? match.captured(2).toDouble() : 0;
  return total > 0 ? match.captured(1).toDouble() / total : -1;
}

/// "attacking knn  340/1000 images  12/s  2 min 5 s left", as the program writes it.
ProgressUpdate updateOf(const QString& line) {
  static const QRegularExpression part(QStringLiteral("\\s{2,}"));
  static const QRegularExpression counts(QStringLiteral("^(\\d+)/(\\d+) (.+)$"));
  static const QRegularExpression rate(QStringLiteral("^([\\d.]+)/s$"));
  static const QRegularExpression time(QStringLiteral("([\\d.]+) (h|min|s)\\b"));
  ProgressUpdate update;
  const QStringList parts = line.split(part, Qt::SkipEmptyParts);
  update.phase = parts.value(0).toStdString();
  for (const QString& one : parts.mid(1)) {
    if (const auto match = counts.match(one); match.hasMatch()) {
      update.done = match.captured(1).toLongLong();
      update.total = match.captured(2).toLongLong();
      update.unit = match.captured(3).toStdString();
    } else if (const auto speed = rate.match(one); speed.hasMatch()) {
      update.rate = speed.captured(1).toDouble();
    } else if (one.endsWith(QLatin1String(" left"))) {
      double seconds = 0;
      for (auto found = time.globalMatch(one); found.hasNext();) {
        const auto match = found.next();
        const QString unit = match.captured(2);
        seconds += match.captured(1).toDouble() * (unit == QLatin1String("h")     ? 3600
                                                   : unit == QLatin1String("min") ? 60
                                                                                  : 1);
      }
      update.secondsLeft = seconds;
    }
  }
  return update;
}

}  // namespace

HealthRunner::HealthRunner(const QString& worker, QObject* parent)
    : QObject(parent), worker_(worker) {
  patience_.setSingleShot(true);
  patience_.setInterval(kPatience);
  connect(&patience_, &QTimer::timeout, this, [this] {
    if (process_) process_->kill();
  });
}

HealthRunner::~HealthRunner() {
  for (QProcess* process : {probe_, process_}) {
    if (!process) continue;
    process->disconnect(this);
    process->kill();
    process->waitForFinished(2000);
  }
}

void HealthRunner::probe() {
  if (probe_ || available_) return;
  reason_.clear();
  probe_ = new QProcess(this);
  quiet(*probe_);
  probe_->setProcessChannelMode(QProcess::MergedChannels);
  const auto answer = [this](bool can, const QString& reason) {
    if (!probe_) return;
    probe_->deleteLater();
    probe_ = nullptr;
    available_ = can;
    reason_ = reason;
    Q_EMIT probed();
  };
  connect(probe_, &QProcess::finished, this, [this, answer](int code) {
    const bool can = code == 0 && probe_->readAll().contains("--full");
    answer(can, can ? QString()
                    : tr("%1 has no command for the costly checks; install the version that "
                         "belongs to this window")
                          .arg(QFileInfo(worker_).fileName()));
  });
  connect(probe_, &QProcess::errorOccurred, this, [this, answer](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) answer(false, tr("%1 cannot be started").arg(worker_));
  });
  probe_->start(worker_,
                {QStringLiteral("runs"), QStringLiteral("health"), QStringLiteral("--help")});
}

void HealthRunner::start(qint64 run, const QString& database) {
  if (process_) return;
  run_ = run;
  cancelled_ = false;
  last_.clear();
  partial_.clear();
  process_ = new QProcess(this);
  quiet(*process_);
  process_->setStandardOutputFile(QProcess::nullDevice());
  connect(process_, &QProcess::readyReadStandardError, this, &HealthRunner::read);
  connect(process_, &QProcess::finished, this, [this](int code, QProcess::ExitStatus status) {
    read();
    QString problem;
    if (status == QProcess::CrashExit) {
      problem = tr("the process was killed (signal %1)").arg(code);
    } else if (code != 0) {
      problem = last_.isEmpty() ? tr("exit code %1").arg(code) : last_;
    }
    ended(problem);
  });
  connect(process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) ended(tr("%1 cannot be started").arg(worker_));
  });
  process_->start(worker_, {QStringLiteral("runs"), QStringLiteral("health"), QString::number(run),
                            QStringLiteral("--full"), QStringLiteral("--db"), database});
  if (process_) Q_EMIT started(run);
}

void HealthRunner::cancel() {
  if (!process_ || cancelled_) return;
  cancelled_ = true;
  process_->terminate();
  patience_.start();
}

void HealthRunner::read() {
  partial_ += process_->readAllStandardError();
  partial_.replace('\r', '\n');
  qsizetype from = 0;
  for (qsizetype end; (end = partial_.indexOf('\n', from)) >= 0; from = end + 1) {
    const QString line = QString::fromUtf8(partial_.mid(from, end - from)).trimmed();
    if (line.isEmpty()) continue;
    last_ = line;
    Q_EMIT progress(line, shareOf(line));
    Q_EMIT updated(updateOf(line));
  }
  partial_.remove(0, from);
}

void HealthRunner::ended(const QString& problem) {
  if (!process_) return;
  patience_.stop();
  process_->deleteLater();
  process_ = nullptr;
  Q_EMIT finished(run_, cancelled_, cancelled_ ? QString() : problem);
}

}  // namespace bulwark
