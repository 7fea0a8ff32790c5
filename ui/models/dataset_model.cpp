#include "ui/models/dataset_model.h"

#include <algorithm>

namespace bulwark {

Json DatasetEntry::request() const {
  if (!own) return Json{{"dataset", info.name}};
  return Json{{"path", path.toStdString()}, {"format", info.format}, {"label", info.name}};
}

bool DatasetEntry::has(const char* part) const {
  const auto& parts = status.splits;
  return parts.empty() || std::any_of(parts.begin(), parts.end(), [&](const std::string& one) {
           return one == part || one == "all";
         });
}

Json DatasetEntry::request(const char* part) const {
  Json entry = request();
  const char* other = part == std::string("train") ? "test" : "train";
  if (!has(part) && has(other)) entry["split"] = other;
  return entry;
}

int DatasetModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(entries_.size());
}

QVariant DatasetModel::data(const QModelIndex& index, int role) const {
  const DatasetEntry* found = entry(index);
  if (!found) return {};
  const auto& info = found->info;
  switch (role) {
    case Qt::DisplayRole:
      return QString::fromStdString(info.title.empty() ? info.name : info.title);
    case Qt::ToolTipRole:
      return QString::fromStdString(info.summary);
    case InstalledRole:
      return found->status.installed || info.generated;
    case GeneratedRole:
      return info.generated;
    case SubtitleRole: {
      QStringList parts{QString::fromStdString(info.name)};
      if (info.height > 0) {
        parts << QStringLiteral("%1 x %2 x %3").arg(info.channels).arg(info.height).arg(info.width);
      }
      if (info.classes > 0) parts << tr("%1 classes").arg(info.classes);
      return parts.join(QStringLiteral("  ·  "));
    }
    case BadgeRole:
      if (info.generated) return tr("generated");
      if (!found->statusKnown) return tr("looking…");
      if (!found->status.installed) return tr("not installed");
      return found->own ? tr("own folder") : tr("installed");
    case Qt::AccessibleTextRole:
      return data(index, Qt::DisplayRole).toString() + QStringLiteral(", ") +
             data(index, BadgeRole).toString();
    default:
      return {};
  }
}

void DatasetModel::setEntries(std::vector<DatasetEntry> entries) {
  beginResetModel();
  entries_ = std::move(entries);
  endResetModel();
}

void DatasetModel::setStatuses(const std::vector<DatasetStatus>& statuses) {
  if (statuses.size() != entries_.size() || entries_.empty()) return;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    entries_[i].status = statuses[i];
    entries_[i].statusKnown = true;
  }
  Q_EMIT dataChanged(index(0), index(rowCount() - 1));
}

void DatasetModel::setStatus(const QString& name, const DatasetStatus& status) {
  const QModelIndex where = indexOf(name);
  if (!where.isValid()) return;
  entries_[static_cast<std::size_t>(where.row())].status = status;
  entries_[static_cast<std::size_t>(where.row())].statusKnown = true;
  Q_EMIT dataChanged(where, where);
}

const DatasetEntry* DatasetModel::entry(const QModelIndex& index) const {
  if (!index.isValid() || index.model() != this || index.row() >= rowCount()) return nullptr;
  return &entries_[static_cast<std::size_t>(index.row())];
}

const DatasetEntry* DatasetModel::find(const QString& name) const {
  return entry(indexOf(name));
}

QModelIndex DatasetModel::indexOf(const QString& name) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].info.name == name.toStdString()) return index(static_cast<int>(i));
  }
  return {};
}

DatasetFilter::DatasetFilter(QObject* parent) : QSortFilterProxyModel(parent) {
  setDynamicSortFilter(true);
  sort(0);
}

void DatasetFilter::setWords(const QString& words) {
  words_ = words.split(QLatin1Char(' '), Qt::SkipEmptyParts);
  invalidateFilter();
}

void DatasetFilter::setInstalledOnly(bool only) {
  installedOnly_ = only;
  invalidateFilter();
}

bool DatasetFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
  const QModelIndex index = sourceModel()->index(row, 0, parent);
  if (installedOnly_ && !index.data(DatasetModel::InstalledRole).toBool()) return false;
  const QString text = index.data().toString() + QLatin1Char(' ') +
                       index.data(DatasetModel::SubtitleRole).toString() + QLatin1Char(' ') +
                       index.data(Qt::ToolTipRole).toString();
  return std::all_of(words_.begin(), words_.end(),
                     [&](const QString& word) { return text.contains(word, Qt::CaseInsensitive); });
}

bool DatasetFilter::lessThan(const QModelIndex& left, const QModelIndex& right) const {
  // What the user put there, then what needs no files, then what is missing.
  const auto rank = [](const QModelIndex& index) {
    if (!index.data(DatasetModel::InstalledRole).toBool()) return 2;
    return index.data(DatasetModel::GeneratedRole).toBool() ? 1 : 0;
  };
  const int a = rank(left), b = rank(right);
  return a != b ? a < b : left.row() < right.row();
}

}  // namespace bulwark
