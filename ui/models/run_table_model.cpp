#include "ui/models/run_table_model.h"

#include <QFontDatabase>
#include <QLocale>
#include <QRegularExpression>
#include <algorithm>
#include <set>

#include "ui/models/health_model.h"
#include "ui/shell/icons.h"

namespace bulwark {

namespace {

QDateTime time(const std::string& text) {
  return QDateTime::fromString(QString::fromStdString(text), Qt::ISODate);
}

QString duration(double seconds) {
  const QLocale locale;
  if (seconds < 10) return RunTableModel::tr("%1 s").arg(locale.toString(seconds, 'f', 1));
  const qint64 whole = qRound64(seconds);
  if (whole < 120) return RunTableModel::tr("%1 s").arg(whole);
  if (whole < 7200) return RunTableModel::tr("%1 min %2 s").arg(whole / 60).arg(whole % 60);
  return RunTableModel::tr("%1 h %2 min").arg(whole / 3600).arg(whole / 60 % 60);
}

// Best detector by the mean over out sets; `value` picks what a row contributes.
void best(const std::map<std::string, std::map<std::string, double>>& table,
          std::optional<double>& value, QString& name) {
  for (const auto& [detector, outs] : table) {
    double sum = 0;
    for (const auto& [out, auroc] : outs) sum += auroc;
    const double mean = sum / double(outs.size());
    if (value && mean <= *value) continue;
    value = mean;
    name = QString::fromStdString(detector);
  }
}

}  // namespace

BestAuroc bestAuroc(const std::vector<ResultRow>& rows, const Json& summary) {
  const auto health = readHealth(summary);
  std::map<std::string, QStringList> attacks;
  for (const ResultRow& row : rows) attacks[row.detector] += QString::fromStdString(row.attack);
  std::set<std::string> red;
  for (const auto& [detector, tried] : attacks) {
    if (!redChecks(health, QString::fromStdString(detector), tried).isEmpty()) red.insert(detector);
  }
  const bool all = red.size() == attacks.size();
  std::map<std::string, std::map<std::string, double>> clean, inOut;
  for (const ResultRow& row : rows) {
    if (!all && red.count(row.detector) > 0) continue;
    if (row.setting == "clean") {
      clean[row.detector][row.out] = row.auroc;
    } else if (row.setting == "in_out") {
      const auto [at, fresh] = inOut[row.detector].try_emplace(row.out, row.auroc);
      if (!fresh) at->second = std::min(at->second, row.auroc);
    }
  }
  BestAuroc result;
  result.red = all && !rows.empty();
  best(clean, result.clean, result.cleanDetector);
  best(inOut, result.inOut, result.inOutDetector);
  return result;
}

RunRow runRow(const RunRecord& run) {
  RunRow row;
  row.id = run.id;
  row.name = QString::fromStdString(run.name);
  row.device = QString::fromStdString(run.device);
  row.note = QString::fromStdString(run.note);
  row.error = QString::fromStdString(run.error);
  row.state = run.state;
  row.created = time(run.created);
  row.seed = run.seed;
  row.pinned = run.pinned;
  const QDateTime started = time(run.started), finished = time(run.finished);
  if (started.isValid() && finished.isValid()) row.seconds = started.msecsTo(finished) / 1000.0;
  // Checks made or judged anew are stored with another line, and change which detector is best.
  const auto line = run.summary.is_object() ? run.summary.find("health") : run.summary.end();
  const bool told = line != run.summary.end() && line->is_string();
  row.stamp = QString::fromStdString(toString(run.state) + run.finished +
                                     (told ? line->get<std::string>() : std::string()));
  return row;
}

RunTableModel::RunTableModel(QObject* parent)
    : QAbstractTableModel(parent), pinIcon_(icon(QStringLiteral("pin"))) {}

void RunTableModel::setRuns(std::vector<RunRow> rows) {
  bool same = rows.size() == rows_.size();
  for (std::size_t i = 0; same && i < rows.size(); ++i) same = rows[i].id == rows_[i].id;
  if (!same) {
    beginResetModel();
    rows_ = std::move(rows);
    endResetModel();
    return;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const RunRow& old = rows_[i];
    const bool changed = old.stamp != rows[i].stamp || old.name != rows[i].name ||
                         old.note != rows[i].note || old.pinned != rows[i].pinned ||
                         old.device != rows[i].device;
    rows_[i] = std::move(rows[i]);
    if (changed) Q_EMIT dataChanged(index(int(i), 0), index(int(i), ColumnCount - 1));
  }
}

void RunTableModel::setBest(qint64 run, const QString& stamp, const BestAuroc& best) {
  best_[run] = {stamp, best};
  const int row = rowOf(run);
  if (row >= 0) Q_EMIT dataChanged(index(row, Clean), index(row, InOut));
}

std::vector<std::pair<qint64, QString>> RunTableModel::wantingBest(std::size_t most) const {
  std::vector<std::pair<qint64, QString>> wanted;
  for (const RunRow& row : rows_) {
    const auto known = best_.find(row.id);
    if (known != best_.end() && known->second.stamp == row.stamp) continue;
    wanted.emplace_back(row.id, row.stamp);
    if (wanted.size() == most) break;
  }
  return wanted;
}

std::optional<BestAuroc> RunTableModel::best(int row) const {
  const auto known = best_.find(rows_[std::size_t(row)].id);
  return known == best_.end() ? std::nullopt : std::optional(known->second.values);
}

int RunTableModel::rowOf(qint64 run) const {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [run](const RunRow& row) { return row.id == run; });
  return found == rows_.end() ? -1 : int(found - rows_.begin());
}

int RunTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(rows_.size());
}

int RunTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(ColumnCount);
}

QVariant RunTableModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const RunRow& run = rows_[std::size_t(index.row())];
  const int column = index.column();
  if (role == IdRole) return run.id;
  if (role == Qt::TextAlignmentRole) {
    const bool number = column == Number || column == Clean || column == InOut ||
                        column == Duration || column == Seed;
    return QVariant((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
  }
  if (role == Qt::FontRole) {
    if (column != Clean && column != InOut) return {};
    return QFontDatabase::systemFont(QFontDatabase::FixedFont);
  }
  if (column == Pin) {
    if (role == Qt::DecorationRole && run.pinned) return pinIcon_;
    if (role == SortRole) return run.pinned;
    if (role == Qt::ToolTipRole)
      return run.pinned ? tr("Pinned: stays on top") : tr("Click to pin");
    if (role == Qt::AccessibleTextRole) return run.pinned ? tr("pinned") : tr("not pinned");
    return {};
  }
  const bool shown = role == Qt::DisplayRole, sorted = role == SortRole;
  if (role == Qt::EditRole && (column == Name || column == Note)) {
    return column == Name ? run.name : run.note;
  }
  if (role == Qt::ToolTipRole) {
    if (column == State && !run.error.isEmpty()) return run.error;
    if (column == Clean || column == InOut) {
      const auto known = best(index.row());
      const QString detector = !known            ? QString()
                               : column == Clean ? known->cleanDetector
                                                 : known->inOutDetector;
      if (detector.isEmpty()) return {};
      QString text = column == Clean
                         ? tr("%1: its AUROC without an attack, mean over the out sets")
                         : tr("%1: its AUROC under the strongest attack on both sets, mean over "
                              "the out sets");
      if (known->red) {
        text += QStringLiteral("\n%1 ").arg(QChar(kRedMark)) +
                tr("Every detector of this run has a red health check: do not quote its figures.");
      }
      return text.arg(detector);
    }
    if (column == Created) return QLocale().toString(run.created.toLocalTime());
    return column == Name || column == Note ? data(index, Qt::DisplayRole) : QVariant();
  }
  if (!shown && !sorted) return {};
  switch (column) {
    case Number:
      if (sorted) return run.id;
      return QStringLiteral("#%1").arg(run.id);
    case Name:
      return run.name;
    case State:
      return QString::fromStdString(toString(run.state));
    case Created:
      if (sorted) return run.created;
      return run.created.toLocalTime().toString(QStringLiteral("yyyy-MM-dd HH:mm"));
    case Duration:
      if (sorted) return run.seconds.value_or(-1);
      return run.seconds ? duration(*run.seconds) : QStringLiteral("–");
    case Device:
      return run.device;
    case Seed:
      if (sorted) return run.seed;
      return QString::number(run.seed);
    case Note:
      return run.note;
    default: {
      const auto known = best(index.row());
      const auto value = !known ? std::nullopt : column == Clean ? known->clean : known->inOut;
      if (sorted) return value.value_or(-1);
      if (!value) return QStringLiteral("–");
      return QLocale().toString(*value, 'f', 3) +
             (known->red ? QString(QChar(kRedMark)) : QString());
    }
  }
}

bool RunTableModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  if (role != Qt::EditRole || !index.isValid()) return false;
  if (index.column() != Name && index.column() != Note) return false;
  const QString text = value.toString().trimmed();
  if (index.column() == Name && text.isEmpty()) return false;
  if (text == data(index, Qt::EditRole).toString()) return false;
  RunRow& run = rows_[std::size_t(index.row())];
  (index.column() == Name ? run.name : run.note) = text;
  Q_EMIT dataChanged(index, index);
  Q_EMIT edited(run.id, index.column(), text);
  return true;
}

QVariant RunTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation == Qt::Vertical || section < 0 || section >= ColumnCount) return {};
  static const char* titles[] = {
      QT_TR_NOOP(""),        QT_TR_NOOP("Run"),         QT_TR_NOOP("Name"),
      QT_TR_NOOP("State"),   QT_TR_NOOP("AUROC clean"), QT_TR_NOOP("AUROC in_out"),
      QT_TR_NOOP("Created"), QT_TR_NOOP("Duration"),    QT_TR_NOOP("Device"),
      QT_TR_NOOP("Seed"),    QT_TR_NOOP("Note")};
  if (role == Qt::DisplayRole) return section == Pin ? QString() : tr(titles[section]);
  if (role == Qt::TextAlignmentRole) {
    const bool number = section == Number || section == Clean || section == InOut ||
                        section == Duration || section == Seed;
    return QVariant((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
  }
  if (role == Qt::ToolTipRole) {
    const QString red =
        tr("Detectors with a red health check are left aside while there are "
           "others; the tooltip of a value names its detector.");
    if (section == Clean) {
      return tr("AUROC of the run's best detector without an attack: the highest among its "
                "detectors of the mean over the out sets.") +
             u'\n' + red;
    }
    if (section == InOut) {
      return tr("AUROC of the run's best detector with both sets attacked: per out set the worst "
                "over the attacks, then the mean over the out sets, the highest among the "
                "detectors.") +
             u'\n' + red;
    }
    if (section == Duration) return tr("From the start of the run to its end");
    if (section == Number) {
      return tr("The run's number, as in the Inspector, in the ROC plot and on the command line");
    }
    if (section == Pin) return tr("Pinned runs stay on top");
  }
  return {};
}

Qt::ItemFlags RunTableModel::flags(const QModelIndex& index) const {
  Qt::ItemFlags flags = QAbstractTableModel::flags(index);
  if (index.column() == Name || index.column() == Note) flags |= Qt::ItemIsEditable;
  return flags;
}

RunFilter::RunFilter(QObject* parent) : QSortFilterProxyModel(parent) {
  setSortRole(RunTableModel::SortRole);
  setDynamicSortFilter(true);
}

void RunFilter::setQuery(const QString& text) {
  static const QRegularExpression condition(
      QStringLiteral(
          "^(name|state|device|seed|note|clean|auroc|in_out|duration)(<=|>=|=|<|>)(.+)$"),
      QRegularExpression::CaseInsensitiveOption);
  static const QMap<QString, int> columns = {{QStringLiteral("name"), RunTableModel::Name},
                                             {QStringLiteral("state"), RunTableModel::State},
                                             {QStringLiteral("device"), RunTableModel::Device},
                                             {QStringLiteral("seed"), RunTableModel::Seed},
                                             {QStringLiteral("note"), RunTableModel::Note},
                                             {QStringLiteral("clean"), RunTableModel::Clean},
                                             {QStringLiteral("auroc"), RunTableModel::Clean},
                                             {QStringLiteral("in_out"), RunTableModel::InOut},
                                             {QStringLiteral("duration"), RunTableModel::Duration}};
  words_.clear();
  conditions_.clear();
  for (const QString& token : text.split(u' ', Qt::SkipEmptyParts)) {
    const QRegularExpressionMatch match = condition.match(token);
    if (!match.hasMatch()) {
      words_ += token;
      continue;
    }
    Condition one;
    one.column = columns.value(match.captured(1).toLower());
    one.relation = match.captured(2);
    one.text = match.captured(3);
    bool isNumber = false;
    const double number = one.text.toDouble(&isNumber);
    if (isNumber) one.number = number;
    conditions_.push_back(one);
  }
  invalidateFilter();
}

const RunRow& RunFilter::run(const QModelIndex& index) const {
  return static_cast<const RunTableModel*>(sourceModel())->run(mapToSource(index).row());
}

bool RunFilter::fulfils(const RunTableModel& model, int row, const Condition& condition) const {
  const QVariant value = model.index(row, condition.column).data(RunTableModel::SortRole);
  const bool numeric =
      condition.column == RunTableModel::Clean || condition.column == RunTableModel::InOut ||
      condition.column == RunTableModel::Duration || condition.column == RunTableModel::Seed;
  if (!numeric) {
    return condition.relation == u'=' &&
           value.toString().contains(condition.text, Qt::CaseInsensitive);
  }
  // An unknown value (-1) fulfils no condition.
  const double number = value.toDouble();
  if (!condition.number || number < 0) return false;
  if (condition.relation == u'<') return number < *condition.number;
  if (condition.relation == u'>') return number > *condition.number;
  if (condition.relation == QLatin1String("<=")) return number <= *condition.number;
  if (condition.relation == QLatin1String(">=")) return number >= *condition.number;
  return number == *condition.number;
}

bool RunFilter::filterAcceptsRow(int row, const QModelIndex&) const {
  const auto& model = *static_cast<const RunTableModel*>(sourceModel());
  const RunRow& run = model.run(row);
  for (const QString& word : words_) {
    if (word == QStringLiteral("#%1").arg(run.id)) continue;
    if (!run.name.contains(word, Qt::CaseInsensitive) &&
        !run.note.contains(word, Qt::CaseInsensitive) &&
        !run.device.contains(word, Qt::CaseInsensitive) &&
        !QString::fromStdString(toString(run.state)).contains(word, Qt::CaseInsensitive)) {
      return false;
    }
  }
  return std::all_of(conditions_.begin(), conditions_.end(),
                     [&](const Condition& condition) { return fulfils(model, row, condition); });
}

bool RunFilter::lessThan(const QModelIndex& left, const QModelIndex& right) const {
  const auto& model = *static_cast<const RunTableModel*>(sourceModel());
  const RunRow& a = model.run(left.row());
  const RunRow& b = model.run(right.row());
  if (a.pinned != b.pinned) return sortOrder() == Qt::AscendingOrder ? a.pinned : b.pinned;
  const QVariant x = left.data(RunTableModel::SortRole), y = right.data(RunTableModel::SortRole);
  if (x == y) return a.id < b.id;
  return QSortFilterProxyModel::lessThan(left, right);
}

}  // namespace bulwark
