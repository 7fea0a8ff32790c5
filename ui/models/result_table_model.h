#pragma once

#include <QAbstractTableModel>
#include <QStyledItemDelegate>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/store/records.h"
#include "ui/models/health_model.h"

namespace bulwark {

/// One line of the AUROC table: a detector, an out set and an attack in the four settings.
struct ResultLine {
  QString detector, out, attack;
  /// clean, in, out, in_out; empty where the run has no such row.
  std::array<std::optional<ResultRow>, 4> cells;
  QStringList red;  ///< names of the red health checks of this detector and the attacks on it
};

/// AUROC of the four settings with 95 % intervals, one line per detector, out set and attack.
class ResultTableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { Detector, Out, Attack, Clean, In, OutSetting, InOut, ColumnCount };
  enum Role {
    IntervalRole = Qt::UserRole,  ///< "0.90–0.93"
    SortRole,
    BestRole,  ///< true for the best value among the lines of the same out set and attack that
               ///< no red check speaks against
  };

  explicit ResultTableModel(QObject* parent = nullptr);

  void setRows(const std::vector<ResultRow>& rows);
  /// Marks the detectors with a red check.
  void setHealth(std::vector<HealthEntry> entries);
  const std::vector<ResultLine>& lines() const { return lines_; }
  /// -1 when there is no such line.
  int find(const QString& detector, const QString& out, const QString& attack) const;
  /// "clean", "in", "out", "in_out" of a value column.
  static QString settingOf(int column);

  /// Checks in_out <= min(in, out) and in, out <= clean in every line but those of the attacks
  /// that do not aim at the score (`otherAims`): the first sentence of what is wrong, or an empty
  /// string.
  QString inconsistency(const std::set<std::string>& otherAims) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation,
                      int role = Qt::DisplayRole) const override;

 private:
  bool isBest(int row, int cell) const;
  void mark();

  std::vector<ResultLine> lines_;
  std::vector<HealthEntry> health_;
};

/// Draws the interval small under the value.
class IntervalDelegate : public QStyledItemDelegate {
  Q_OBJECT

 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  void paint(QPainter* painter, const QStyleOptionViewItem& option,
             const QModelIndex& index) const override;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

}  // namespace bulwark
