#pragma once

#include <QAbstractTableModel>
#include <QDateTime>
#include <QIcon>
#include <QSortFilterProxyModel>
#include <map>
#include <optional>
#include <vector>

#include "core/store/run_store.h"

namespace bulwark {

/// The best detector of a run by mean AUROC over its out sets, those with a red health check (an
/// exported table marks them) left aside unless all have one.
struct BestAuroc {
  std::optional<double> clean;
  std::optional<double> inOut;  ///< under the strongest attack
  QString cleanDetector, inOutDetector;
  bool red = false;  ///< all have a red check
};
BestAuroc bestAuroc(const std::vector<ResultRow>& rows, const Json& summary = Json());

/// What the runs table shows of one run.
struct RunRow {
  qint64 id = 0;
  QString name, device, note, error;
  RunState state = RunState::Queued;
  QDateTime created;
  std::optional<double> seconds;
  quint64 seed = 0;
  bool pinned = false;
  QString stamp;  ///< changes when the results may have changed
};
RunRow runRow(const RunRecord& run);

/// All runs of the database, brief rows only.
class RunTableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column {
    Pin,
    Number,
    Name,
    State,
    Clean,
    InOut,
    Created,
    Duration,
    Device,
    Seed,
    Note,
    ColumnCount
  };
  enum Role { SortRole = Qt::UserRole, IdRole };

  explicit RunTableModel(QObject* parent = nullptr);

  /// Keeps what did not change, so that selections survive a refresh.
  void setRuns(std::vector<RunRow> rows);
  void setBest(qint64 run, const QString& stamp, const BestAuroc& best);
  /// Runs whose best values are not known yet, newest first, with their stamps.
  std::vector<std::pair<qint64, QString>> wantingBest(std::size_t most) const;
  const RunRow& run(int row) const { return rows_[std::size_t(row)]; }
  std::optional<BestAuroc> best(int row) const;
  int rowOf(qint64 run) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  /// Name and Note: asks for the change by `edited`; the database answers with new rows.
  bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;
  QVariant headerData(int section, Qt::Orientation orientation,
                      int role = Qt::DisplayRole) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;

 Q_SIGNALS:
  void edited(qint64 run, int column, const QString& text);

 private:
  struct Best {
    QString stamp;
    BestAuroc values;
  };
  std::vector<RunRow> rows_;
  std::map<qint64, Best> best_;
  QIcon pinIcon_;
};

/// Text filter and sorting; pinned runs stay on top in either order.
///
/// The filter is a list of words that must all occur in a run ("#12" is its number), and of
/// conditions such as
/// `state=done`, `in_out>0.4`, `device=cpu`, `seed=3`, `duration<60`.
class RunFilter : public QSortFilterProxyModel {
  Q_OBJECT

 public:
  explicit RunFilter(QObject* parent = nullptr);
  void setQuery(const QString& text);
  const RunRow& run(const QModelIndex& index) const;

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
  bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

 private:
  struct Condition {
    int column = 0;
    QString relation, text;
    std::optional<double> number;
  };
  bool fulfils(const RunTableModel& model, int row, const Condition& condition) const;

  QStringList words_;
  std::vector<Condition> conditions_;
};

}  // namespace bulwark
