#pragma once

#include <QAbstractTableModel>
#include <QHash>
#include <vector>

#include "core/base/task.h"
#include "core/store/records.h"

namespace bulwark {

/// "running" -> "Running".
QString stateTitle(RunState state);
/// "2026-03-01T12:30:00Z" as local time, short; empty stays empty.
QString localTime(const std::string& utc);

/// The id of the costly health checks in the list, which are no job of the queue.
inline constexpr qint64 kHealthJob = -1;

/// The queue as the Jobs dock shows it: what the database says, overlaid by what the worker of
/// this window reports between two looks at the database.
class JobTableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { Id, Name, State, Phase, Progress, Rate, Left, Started, ColumnCount };
  /// JobRole: the job's id; StateRole: its RunState as int; FractionRole: 0..1, or -1 if unknown.
  enum Role { JobRole = Qt::UserRole + 1, RunRole, StateRole, FractionRole, SortRole };

  using QAbstractTableModel::QAbstractTableModel;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  /// Newest first. Rows that stay keep their selection.
  void setJobs(std::vector<JobRecord> jobs);
  void setProgress(qint64 job, const ProgressUpdate& update);
  const JobRecord* job(qint64 id) const;
  const JobRecord* at(int row) const;
  int rowOf(qint64 id) const;

 private:
  QVariant text(const JobRecord& job, int column) const;

  std::vector<JobRecord> jobs_;
};

}  // namespace bulwark
