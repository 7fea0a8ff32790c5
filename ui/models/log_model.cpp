#include "ui/models/log_model.h"

#include <QDateTime>

namespace bulwark {

int LogModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(lines_.size());
}

int LogModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : ColumnCount;
}

QVariant LogModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  const LogLine& line = lines_[static_cast<std::size_t>(index.row())];
  if (role == SeverityRole) return severity(line.level);
  if (role == Qt::ToolTipRole) return QString::fromStdString(line.text);
  if (role != Qt::DisplayRole) return {};
  switch (index.column()) {
    case Time: {
      auto time = QDateTime::fromString(QString::fromStdString(line.time), Qt::ISODateWithMs);
      time.setTimeSpec(Qt::UTC);
      return time.isValid() ? time.toLocalTime().toString(QStringLiteral("HH:mm:ss"))
                            : QString::fromStdString(line.time);
    }
    case Level:
      return QString::fromStdString(line.level);
    default:
      return QString::fromStdString(line.text);
  }
}

QVariant LogModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  switch (section) {
    case Time:
      return tr("Time");
    case Level:
      return tr("Level");
    default:
      return tr("Message");
  }
}

void LogModel::append(const std::vector<LogLine>& lines) {
  if (lines.empty()) return;
  const int first = rowCount();
  beginInsertRows({}, first, first + static_cast<int>(lines.size()) - 1);
  lines_.insert(lines_.end(), lines.begin(), lines.end());
  endInsertRows();
}

void LogModel::clear() {
  beginResetModel();
  lines_.clear();
  endResetModel();
}

int LogModel::severity(const std::string& level) {
  if (level == "debug") return 0;
  if (level == "warning") return 2;
  if (level == "error") return 3;
  return 1;
}

void LogFilter::setLeastSeverity(int severity) {
  least_ = severity;
  invalidateFilter();
}

void LogFilter::setText(const QString& text) {
  text_ = text;
  invalidateFilter();
}

bool LogFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
  const QModelIndex index = sourceModel()->index(row, LogModel::Text, parent);
  return index.data(LogModel::SeverityRole).toInt() >= least_ &&
         index.data().toString().contains(text_, Qt::CaseInsensitive);
}

}  // namespace bulwark
