#include "ui/models/config_diff_model.h"

#include <QFont>
#include <QHash>

#include "core/params/params.h"

namespace bulwark {

ConfigurationDiff diffConfigurations(const std::vector<NamedConfiguration>& configurations) {
  ConfigurationDiff result;
  for (const NamedConfiguration& one : configurations) result.names += one.name;
  if (configurations.size() < 2) return result;
  QHash<QString, std::size_t> lineOf;
  for (std::size_t i = 1; i < configurations.size(); ++i) {
    for (const ParamDifference& difference :
         diff(configurations[0].specification, configurations[i].specification)) {
      const QString path = QString::fromStdString(difference.path);
      if (path == QLatin1String("name")) continue;
      if (!lineOf.contains(path)) {
        lineOf.insert(path, result.lines.size());
        // Until another difference says so, a configuration agrees with the first.
        const QString first = QString::fromStdString(difference.before);
        result.lines.push_back({path, QStringList(qsizetype(configurations.size()), first)});
      }
      result.lines[lineOf.value(path)].values[qsizetype(i)] =
          QString::fromStdString(difference.after);
    }
  }
  return result;
}

void ConfigDiffModel::setDiff(ConfigurationDiff diff) {
  beginResetModel();
  diff_ = std::move(diff);
  endResetModel();
}

int ConfigDiffModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(diff_.lines.size());
}

int ConfigDiffModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : 1 + int(diff_.names.size());
}

QVariant ConfigDiffModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const ConfigurationDiff::Line& line = diff_.lines[std::size_t(index.row())];
  if (index.column() == 0) {
    return role == Qt::DisplayRole || role == Qt::ToolTipRole ? QVariant(line.path) : QVariant();
  }
  const QString value = line.values.value(index.column() - 1);
  if (role == Qt::DisplayRole) return value.isEmpty() ? QStringLiteral("–") : value;
  if (role == Qt::ToolTipRole) return value.isEmpty() ? tr("not set") : value;
  if (role == Qt::FontRole && value != line.values.value(0)) {
    QFont bold;
    bold.setBold(true);
    return bold;
  }
  return {};
}

QVariant ConfigDiffModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation == Qt::Vertical) return {};
  if (role == Qt::TextAlignmentRole) return QVariant(Qt::AlignLeft | Qt::AlignVCenter);
  if (role != Qt::DisplayRole && role != Qt::ToolTipRole) return {};
  return section == 0 ? tr("Option") : diff_.names.value(section - 1);
}

}  // namespace bulwark
