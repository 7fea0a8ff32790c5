#include "ui/models/job_table_model.h"

#include <QDateTime>
#include <QLocale>
#include <algorithm>

#include "core/base/text.h"

namespace bulwark {

QString stateTitle(RunState state) {
  QString title = QString::fromStdString(toString(state));
  if (!title.isEmpty()) title[0] = title[0].toUpper();
  return title;
}

QString localTime(const std::string& utc) {
  if (utc.empty()) return {};
  QDateTime time = QDateTime::fromString(QString::fromStdString(utc), Qt::ISODateWithMs);
  if (!time.isValid()) return QString::fromStdString(utc);
  time.setTimeSpec(Qt::UTC);
  return time.toLocalTime().toString(QStringLiteral("yyyy-MM-dd HH:mm"));
}

int JobTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(jobs_.size());
}

int JobTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : ColumnCount;
}

QVariant JobTableModel::data(const QModelIndex& index, int role) const {
  const JobRecord* record = index.isValid() ? at(index.row()) : nullptr;
  if (!record) return {};
  switch (role) {
    case Qt::DisplayRole:
      return text(*record, index.column());
    case Qt::ToolTipRole:
      return record->error.empty() ? text(*record, index.column())
                                   : QVariant(QString::fromStdString(record->error));
    case Qt::TextAlignmentRole:
      if (index.column() == Id || index.column() == Rate || index.column() == Left) {
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
      }
      return {};
    case JobRole:
      return static_cast<qint64>(record->id);
    case RunRole:
      return static_cast<qint64>(record->run);
    case StateRole:
      return static_cast<int>(record->state);
    case FractionRole:
      if (record->state == RunState::Done) return 1.0;
      if (record->total <= 0) return -1.0;
      return std::clamp(static_cast<double>(record->done) / static_cast<double>(record->total), 0.0,
                        1.0);
    default:
      return {};
  }
}

QVariant JobTableModel::text(const JobRecord& job, int column) const {
  const bool active = job.state == RunState::Running || job.state == RunState::Paused;
  switch (column) {
    case Id:
      return job.id < 0 ? QVariant(QStringLiteral("–")) : QVariant(static_cast<qint64>(job.id));
    case Name:
      return QString::fromStdString(job.name);
    case State:
      return stateTitle(job.state);
    case Phase:
      // The last phase of a finished job says nothing; why one stopped does.
      if (!active && job.error.empty() && job.state == RunState::Done) return QString();
      return QString::fromStdString(active || job.error.empty() ? job.phase : job.error);
    case Progress:
      if (job.state == RunState::Done) return tr("100 %");
      if (job.total <= 0) return QString();
      return QStringLiteral("%1 / %2 %3")
          .arg(QLocale().toString(static_cast<qlonglong>(job.done)),
               QLocale().toString(static_cast<qlonglong>(job.total)),
               QString::fromStdString(job.unit));
    case Rate:
      if (job.state != RunState::Running || job.rate <= 0) return QString();
      return QStringLiteral("%1 %2/s").arg(QLocale().toString(job.rate, 'f', job.rate < 10 ? 1 : 0),
                                           QString::fromStdString(job.unit));
    case Left:
      if (job.state != RunState::Running || !job.secondsLeft) return QString();
      return QString::fromStdString(formatDuration(*job.secondsLeft));
    case Started:
      return localTime(job.started.empty() ? job.queued : job.started);
    default:
      return {};
  }
}

QVariant JobTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole && (section == Id || section == Rate || section == Left)) {
    return QVariant(Qt::AlignRight | Qt::AlignVCenter);
  }
  if (role == Qt::ToolTipRole && section == Left) {
    return tr("Time left in this phase; the phases after it are not counted");
  }
  if (role != Qt::DisplayRole) return {};
  switch (section) {
    case Id:
      return tr("Job");
    case Name:
      return tr("Name");
    case State:
      return tr("State");
    case Phase:
      return tr("Phase");
    case Progress:
      return tr("Progress");
    case Rate:
      return tr("Rate");
    case Left:
      return tr("Time left");
    case Started:
      return tr("Started");
    default:
      return {};
  }
}

void JobTableModel::setJobs(std::vector<JobRecord> jobs) {
  const auto known = [](const std::vector<JobRecord>& list, std::int64_t id) {
    return std::any_of(list.begin(), list.end(), [id](const auto& job) { return job.id == id; });
  };
  for (int row = rowCount() - 1; row >= 0; --row) {
    if (known(jobs, jobs_[static_cast<std::size_t>(row)].id)) continue;
    beginRemoveRows({}, row, row);
    jobs_.erase(jobs_.begin() + row);
    endRemoveRows();
  }
  for (std::size_t row = 0; row < jobs.size(); ++row) {
    if (row < jobs_.size() && jobs_[row].id == jobs[row].id) continue;
    if (known(jobs_, jobs[row].id)) {
      // The order of what was there has changed, which a queue does rarely.
      beginResetModel();
      jobs_ = std::move(jobs);
      endResetModel();
      return;
    }
    beginInsertRows({}, static_cast<int>(row), static_cast<int>(row));
    jobs_.insert(jobs_.begin() + static_cast<std::ptrdiff_t>(row), jobs[row]);
    endInsertRows();
  }
  jobs_ = std::move(jobs);
  if (!jobs_.empty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
}

void JobTableModel::setProgress(qint64 job, const ProgressUpdate& update) {
  const int row = rowOf(job);
  if (row < 0) return;
  JobRecord& record = jobs_[static_cast<std::size_t>(row)];
  record.phase = update.phase;
  record.unit = update.unit;
  record.done = update.done;
  record.total = update.total;
  record.rate = update.rate;
  record.secondsLeft = update.secondsLeft;
  Q_EMIT dataChanged(index(row, Phase), index(row, Left));
}

const JobRecord* JobTableModel::job(qint64 id) const {
  return at(rowOf(id));
}

const JobRecord* JobTableModel::at(int row) const {
  return row >= 0 && row < rowCount() ? &jobs_[static_cast<std::size_t>(row)] : nullptr;
}

int JobTableModel::rowOf(qint64 id) const {
  const auto found =
      std::find_if(jobs_.begin(), jobs_.end(), [id](const auto& job) { return job.id == id; });
  return found == jobs_.end() ? -1 : static_cast<int>(found - jobs_.begin());
}

}  // namespace bulwark
