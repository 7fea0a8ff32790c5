#include "ui/models/config_diff_model.h"

#include <QFont>
#include <QHash>
#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/experiment/specification.h"
#include "core/params/params.h"

namespace bulwark {

namespace {

/// A value as it would be typed: text without quotes, numbers without a needless ".0".
QString plain(const std::string& json) {
  const Json value = Json::parse(json, nullptr, false);
  if (value.is_string()) return QString::fromStdString(value.get<std::string>());
  if (value.is_number_float()) return QString::fromStdString(formatNumber(value.get<double>()));
  return QString::fromStdString(json);
}

/// How many words all of `lists` begin with, read forwards or backwards.
qsizetype commonWords(const QList<QStringList>& lists, bool backwards) {
  for (qsizetype i = 0;; ++i) {
    for (const QStringList& words : lists) {
      const QStringList& first = lists[0];
      if (i >= words.size() || i >= first.size()) return i;
      const bool same = backwards ? words[words.size() - 1 - i] == first[first.size() - 1 - i]
                                  : words[i] == first[i];
      if (!same) return i;
    }
  }
}

}  // namespace

QStringList distinctNames(const QStringList& names) {
  if (names.size() < 2) return names;
  QList<QStringList> lists;
  for (const QString& name : names) lists += name.split(u' ', Qt::SkipEmptyParts);
  const qsizetype before = commonWords(lists, false);
  const qsizetype after = commonWords(lists, true);
  QStringList distinct;
  for (const QStringList& words : lists) {
    const qsizetype left = words.size() - before - after;
    // A number or nothing at all does not name a run.
    const QString rest = left > 0 ? words.mid(before, left).join(u' ') : QString();
    if (rest.size() < 3) return names;
    distinct += rest;
  }
  return distinct;
}

QStringList runTitles(const std::vector<qint64>& runs, const QStringList& names) {
  const QStringList distinct = distinctNames(names);
  const bool alike = names.size() > 1 && names.count(names[0]) == names.size();
  QStringList titles;
  for (qsizetype i = 0; i < names.size(); ++i) {
    const qint64 run = std::size_t(i) < runs.size() ? runs[std::size_t(i)] : 0;
    if (run == 0) {
      titles += distinct[i];
    } else {
      titles += alike ? QStringLiteral("#%1").arg(run)
                      : QStringLiteral("#%1 %2").arg(run).arg(distinct[i]);
    }
  }
  return titles;
}

std::vector<NamedConfiguration> completed(std::vector<NamedConfiguration> configurations,
                                          const Registries& registries,
                                          const DatasetCatalogue& catalogue) {
  std::vector<NamedConfiguration> full = configurations;
  try {
    for (NamedConfiguration& one : full) {
      one.specification =
          Specification::fromJson(one.specification, registries, catalogue).toJson();
    }
  } catch (const Error&) {
    // A run of another version: its own words against those of the others, not against defaults.
    return configurations;
  }
  return full;
}

ConfigurationDiff diffConfigurations(const std::vector<NamedConfiguration>& configurations) {
  ConfigurationDiff result;
  for (const NamedConfiguration& one : configurations) {
    result.names += one.name;
    result.runs.push_back(one.run);
  }
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
        const QString first = plain(difference.before);
        result.lines.push_back({path, QStringList(qsizetype(configurations.size()), first)});
      }
      result.lines[lineOf.value(path)].values[qsizetype(i)] = plain(difference.after);
    }
  }
  std::erase_if(result.lines, [](const ConfigurationDiff::Line& line) {
    return std::all_of(line.values.begin(), line.values.end(), [](const QString& value) {
      return value.isEmpty() || value == QLatin1String("{}") || value == QLatin1String("[]") ||
             value == QLatin1String("null");
    });
  });
  return result;
}

void ConfigDiffModel::setDiff(ConfigurationDiff diff) {
  beginResetModel();
  diff_ = std::move(diff);
  shortNames_ = runTitles(diff_.runs, diff_.names);
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
  if (section == 0) return role == Qt::DisplayRole ? QVariant(tr("Option")) : QVariant();
  if (role == Qt::ToolTipRole) {
    const std::size_t at = std::size_t(section) - 1;
    const qint64 run = at < diff_.runs.size() ? diff_.runs[at] : 0;
    const QString name = diff_.names.value(section - 1);
    return run == 0 ? name : QStringLiteral("#%1 %2").arg(run).arg(name);
  }
  return role == Qt::DisplayRole ? shortNames_.value(section - 1) : QVariant();
}

}  // namespace bulwark
