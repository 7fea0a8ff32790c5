#pragma once

#include <QAbstractTableModel>
#include <QStringList>
#include <vector>

#include "core/base/json.h"

namespace bulwark {

class DatasetCatalogue;
struct Registries;

/// A configuration with the name of its run.
struct NamedConfiguration {
  QString name;
  Json specification;
  qint64 run = 0;  ///< its number; 0: none
};

/// Where configurations differ: one line per path, one value per configuration.
struct ConfigurationDiff {
  struct Line {
    QString path;
    QStringList values;  ///< empty text: absent
  };
  QStringList names;
  std::vector<qint64> runs;
  std::vector<Line> lines;
};

/// The same with every default filled in, so that an option left out and its default written down
/// are the same; all as they are where one of them cannot be read by this version.
std::vector<NamedConfiguration> completed(std::vector<NamedConfiguration> configurations,
                                          const Registries& registries,
                                          const DatasetCatalogue& catalogue);

/// Everything in which at least one configuration differs from the first, in document order;
/// the names of the runs themselves are left out, and what is absent in one and empty in another.
ConfigurationDiff diffConfigurations(const std::vector<NamedConfiguration>& configurations);

/// `names` without the words that all of them begin and end with; as they are where that would
/// leave too little to tell them apart.
QStringList distinctNames(const QStringList& names);

/// "#12 robust", "#13 standard": the number of each run and what tells its name from the others',
/// or the number alone where all have one name.
QStringList runTitles(const std::vector<qint64>& runs, const QStringList& names);

/// Rows are differing paths, columns are runs.
class ConfigDiffModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  using QAbstractTableModel::QAbstractTableModel;
  void setDiff(ConfigurationDiff diff);
  const ConfigurationDiff& diff() const { return diff_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation,
                      int role = Qt::DisplayRole) const override;

 private:
  ConfigurationDiff diff_;
  QStringList shortNames_;
};

}  // namespace bulwark
