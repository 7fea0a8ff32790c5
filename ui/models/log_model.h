#pragma once

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>
#include <vector>

#include "core/store/records.h"

namespace bulwark {

/// Log lines of one run, and the window's own messages. Nothing is dropped.
class LogModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { Time, Level, Text, ColumnCount };
  /// SeverityRole: 0 debug, 1 info, 2 warning, 3 error.
  enum Role { SeverityRole = Qt::UserRole + 1 };

  using QAbstractTableModel::QAbstractTableModel;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  void append(const std::vector<LogLine>& lines);
  void clear();
  static int severity(const std::string& level);

 private:
  std::vector<LogLine> lines_;
};

/// Lines of at least a level that contain a text.
class LogFilter : public QSortFilterProxyModel {
  Q_OBJECT

 public:
  using QSortFilterProxyModel::QSortFilterProxyModel;
  void setLeastSeverity(int severity);
  void setText(const QString& text);

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

 private:
  int least_ = 1;
  QString text_;
};

}  // namespace bulwark
