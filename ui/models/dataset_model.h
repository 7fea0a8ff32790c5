#pragma once

#include <QAbstractListModel>
#include <QSortFilterProxyModel>
#include <vector>

#include "core/data/catalogue.h"

namespace bulwark {

/// One row of the Data page's list: a catalogue set, or a folder the user added.
struct DatasetEntry {
  DatasetInfo info;
  DatasetStatus status;
  bool own = false;  ///< added by the user: `path` and `info.format` name it
  QString path;      ///< own sets only
  bool statusKnown = false;

  /// The object that names this set in a specification.
  Json request() const;
  /// Whether it has images of this part, "train" or "test", as far as that is known.
  bool has(const char* part) const;
  /// The same for a role that takes this part: where the set has images of the other one only, the
  /// object says "split".
  Json request(const char* part) const;
};

/// The sets that can be chosen, with whether they are installed.
class DatasetModel : public QAbstractListModel {
  Q_OBJECT

 public:
  enum Role { EntryRole = Qt::UserRole + 1, InstalledRole, GeneratedRole, SubtitleRole, BadgeRole };

  using QAbstractListModel::QAbstractListModel;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

  void setEntries(std::vector<DatasetEntry> entries);
  /// Answers of the disk, by row of `setEntries`; a wrong length is ignored.
  void setStatuses(const std::vector<DatasetStatus>& statuses);
  void setStatus(const QString& name, const DatasetStatus& status);
  const DatasetEntry* entry(const QModelIndex& index) const;
  const DatasetEntry* find(const QString& name) const;
  QModelIndex indexOf(const QString& name) const;
  const std::vector<DatasetEntry>& entries() const { return entries_; }

 private:
  std::vector<DatasetEntry> entries_;
};

/// Filters by words in name, title and summary, and optionally to what is installed. Installed
/// sets come first, then generated ones.
class DatasetFilter : public QSortFilterProxyModel {
  Q_OBJECT

 public:
  explicit DatasetFilter(QObject* parent = nullptr);
  void setWords(const QString& words);
  void setInstalledOnly(bool only);

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
  bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

 private:
  QStringList words_;
  bool installedOnly_ = false;
};

}  // namespace bulwark
