#include "ui/models/result_table_model.h"

#include <QApplication>
#include <QFontDatabase>
#include <QHash>
#include <QLocale>
#include <QPainter>
#include <algorithm>

#include "core/metrics/detection.h"
#include "core/metrics/summary.h"
#include "ui/models/number_text.h"

namespace bulwark {

namespace {

constexpr const char* kSettings[] = {"clean", "in", "out", "in_out"};

QString number(double value, int digits = 3) {
  return numberText(value, 'f', digits);
}

QString interval(const ResultRow& row, int digits) {
  return number(row.ciLow, digits) + QStringLiteral("–") + number(row.ciHigh, digits);
}

/// As the tables of a report call it.
QString titleOf(const std::string& metric) {
  for (const MetricInfo& info : metricInfos()) {
    if (info.name == metric) return QString::fromStdString(info.title);
  }
  return QString::fromStdString(metric);
}

QString everything(const ResultRow& row) {
  const auto line = [](const QString& name, double value) {
    return QStringLiteral("<tr><td>%1&nbsp;&nbsp;</td><td align='right'>%2</td></tr>")
        .arg(name, number(value, 4));
  };
  QString text = QStringLiteral("<b>%1</b>, %2, %3, %4<table>")
                     .arg(QString::fromStdString(row.detector).toHtmlEscaped(),
                          row.attack.empty() ? ResultTableModel::tr("no attack")
                                             : QString::fromStdString(row.attack).toHtmlEscaped(),
                          QString::fromStdString(row.setting),
                          QString::fromStdString(row.out).toHtmlEscaped());
  text += line(QStringLiteral("AUROC"), row.auroc);
  text += QStringLiteral("<tr><td>%1&nbsp;&nbsp;</td><td align='right'>%2</td></tr>")
              .arg(ResultTableModel::tr("95 % interval"), interval(row, 4));
  text += line(ResultTableModel::tr("AUPR (out positive)"), row.auprOut);
  text += line(ResultTableModel::tr("AUPR (in positive)"), row.auprIn);
  text += line(ResultTableModel::tr("FPR at 95 % TPR (in positive)"), row.fpr95Id);
  text += line(ResultTableModel::tr("FPR at 95 % TPR (out positive)"), row.fpr95Ood);
  text += line(ResultTableModel::tr("TNR at 95 % TPR"), row.tnr95);
  text += line(ResultTableModel::tr("Detection accuracy"), row.detectionAccuracy);
  for (const auto& [name, value] : row.extra.items()) {
    if (value.is_number()) {
      text += line(titleOf(name).toHtmlEscaped(), value.get<double>());
    }
  }
  text += QStringLiteral("</table>") +
          ResultTableModel::tr("%1 in and %2 out samples")
              .arg(QLocale().toString(qint64(row.nIn)), QLocale().toString(qint64(row.nOut)));
  return text;
}

}  // namespace

ResultTableModel::ResultTableModel(QObject* parent) : QAbstractTableModel(parent) {}

void ResultTableModel::setRows(const std::vector<ResultRow>& rows) {
  std::vector<ResultLine> lines;
  const auto line = [&](const ResultRow& row, const std::string& attack) -> ResultLine& {
    for (ResultLine& known : lines) {
      if (known.detector.toStdString() == row.detector && known.out.toStdString() == row.out &&
          known.attack.toStdString() == attack) {
        return known;
      }
    }
    ResultLine fresh;
    fresh.detector = QString::fromStdString(row.detector);
    fresh.out = QString::fromStdString(row.out);
    fresh.attack = QString::fromStdString(attack);
    lines.push_back(std::move(fresh));
    return lines.back();
  };
  // A clean row belongs to every attack of its detector and out set.
  for (const ResultRow& row : rows) {
    if (row.attack.empty()) continue;
    const auto cell = std::find(std::begin(kSettings), std::end(kSettings), row.setting);
    if (cell == std::end(kSettings)) continue;
    line(row, row.attack).cells[std::size_t(cell - std::begin(kSettings))] = row;
  }
  for (const ResultRow& row : rows) {
    if (!row.attack.empty()) continue;
    bool placed = false;
    for (ResultLine& known : lines) {
      if (known.detector.toStdString() != row.detector || known.out.toStdString() != row.out) {
        continue;
      }
      known.cells[0] = row;
      placed = true;
    }
    if (!placed) line(row, {}).cells[0] = row;
  }
  beginResetModel();
  lines_ = std::move(lines);
  mark();
  endResetModel();
}

void ResultTableModel::setHealth(std::vector<HealthEntry> entries) {
  health_ = std::move(entries);
  mark();
  if (!lines_.empty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
}

// As exported tables do: all lines of a detector, whichever attack on it the check speaks of.
void ResultTableModel::mark() {
  QHash<QString, QStringList> attacks;
  for (const ResultLine& line : lines_) {
    if (!line.attack.isEmpty()) attacks[line.detector] += line.attack;
  }
  for (ResultLine& line : lines_) {
    line.red = redChecks(health_, line.detector, attacks.value(line.detector));
  }
}

int ResultTableModel::find(const QString& detector, const QString& out,
                           const QString& attack) const {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i].detector == detector && lines_[i].out == out && lines_[i].attack == attack) {
      return int(i);
    }
  }
  return -1;
}

QString ResultTableModel::settingOf(int column) {
  return column >= Clean && column <= InOut ? QLatin1String(kSettings[column - Clean]) : QString();
}

QString ResultTableModel::inconsistency(const std::set<std::string>& otherAims) const {
  for (const ResultLine& line : lines_) {
    if (otherAims.contains(line.attack.toStdString())) continue;
    const auto value = [&](int cell) {
      const auto& row = line.cells[std::size_t(cell)];
      return row ? std::optional<double>(row->auroc) : std::nullopt;
    };
    const auto violations = checkBounds(ReportedSettings{value(0), value(1), value(2), value(3)});
    if (!violations.empty()) {
      return tr("%1 on %2 under %3: %4")
          .arg(line.detector, line.out, line.attack,
               QString::fromStdString(violations.front().text));
    }
  }
  return {};
}

int ResultTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(lines_.size());
}

int ResultTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(ColumnCount);
}

bool ResultTableModel::isBest(int row, int cell) const {
  const ResultLine& mine = lines_[std::size_t(row)];
  if (!mine.red.isEmpty()) return false;
  const double value = mine.cells[std::size_t(cell)]->auroc;
  int rivals = 0;
  for (const ResultLine& line : lines_) {
    if (line.out != mine.out || line.attack != mine.attack || !line.red.isEmpty() ||
        !line.cells[std::size_t(cell)]) {
      continue;
    }
    ++rivals;
    if (line.cells[std::size_t(cell)]->auroc > value) return false;
  }
  return rivals > 1;
}

QVariant ResultTableModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const ResultLine& line = lines_[std::size_t(index.row())];
  const QString warning =
      line.red.isEmpty()
          ? QString()
          : tr("%1 Red health check: %2. Do not quote the figures of this detector.")
                .arg(QChar(kRedMark))
                .arg(line.red.mid(0, 6).join(QStringLiteral(", ")) +
                     (line.red.size() > 6 ? tr(" and %1 more").arg(line.red.size() - 6)
                                          : QString()));
  if (index.column() < Clean) {
    if (index.column() == Detector && !line.red.isEmpty()) {
      if (role == Qt::DisplayRole) return line.detector + QChar(kRedMark);
      if (role == Qt::ToolTipRole) return warning;
    }
    const QString text = index.column() == Detector ? line.detector
                         : index.column() == Out    ? line.out
                         : line.attack.isEmpty()    ? QStringLiteral("–")
                                                    : line.attack;
    if (role == Qt::DisplayRole || role == SortRole || role == Qt::ToolTipRole) return text;
    return {};
  }
  const int cell = index.column() - Clean;
  const auto& row = line.cells[std::size_t(cell)];
  switch (role) {
    case Qt::TextAlignmentRole:
      return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    case Qt::DisplayRole:
      return row ? number(row->auroc) : QStringLiteral("–");
    case SortRole:
      return row ? row->auroc : -1.0;
    case IntervalRole:
      return row ? interval(*row, 2) : QString();
    case BestRole:
      return row && isBest(index.row(), cell);
    case Qt::ToolTipRole:
      if (!row) return tr("Not evaluated");
      return warning.isEmpty()
                 ? everything(*row)
                 : everything(*row) + QStringLiteral("<p>%1</p>").arg(warning.toHtmlEscaped());
    case Qt::AccessibleTextRole:
      return row ? tr("%1, 95 percent interval %2").arg(number(row->auroc), interval(*row, 3))
                 : tr("not evaluated");
    default:
      return {};
  }
}

QVariant ResultTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation == Qt::Vertical)
    return role == Qt::DisplayRole ? QVariant(section + 1) : QVariant();
  static const char* titles[] = {
      QT_TR_NOOP("Detector"), QT_TR_NOOP("Out set"), QT_TR_NOOP("Attack"), QT_TR_NOOP("clean"),
      QT_TR_NOOP("in"),       QT_TR_NOOP("out"),     QT_TR_NOOP("in_out")};
  static const char* helps[] = {
      "",
      "",
      "",
      QT_TR_NOOP("AUROC without an attack, with its 95 % bootstrap interval"),
      QT_TR_NOOP("AUROC with the in set attacked: its scores are raised"),
      QT_TR_NOOP("AUROC with the out set attacked: its scores are lowered"),
      QT_TR_NOOP("AUROC with both sets attacked")};
  if (section < 0 || section >= ColumnCount) return {};
  if (role == Qt::DisplayRole) return tr(titles[section]);
  if (role == Qt::ToolTipRole && section >= Clean) return tr(helps[section]);
  if (role == Qt::TextAlignmentRole) {
    return QVariant((section < Clean ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
  }
  return {};
}

void IntervalDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                             const QModelIndex& index) const {
  const QString small = index.data(ResultTableModel::IntervalRole).toString();
  QStyleOptionViewItem item = option;
  initStyleOption(&item, index);
  QFont digits = QFontDatabase::systemFont(QFontDatabase::FixedFont);
  digits.setPointSizeF(option.font.pointSizeF());
  digits.setBold(index.data(ResultTableModel::BestRole).toBool());
  if (small.isEmpty()) {
    if (index.column() >= ResultTableModel::Clean) item.font = digits;
    item.widget->style()->drawControl(QStyle::CE_ItemViewItem, &item, painter, item.widget);
    return;
  }
  const QString value = item.text;
  item.text.clear();
  item.widget->style()->drawControl(QStyle::CE_ItemViewItem, &item, painter, item.widget);
  const QRect inside = item.rect.adjusted(2, 2, -6, -2);
  painter->save();
  painter->setFont(digits);
  painter->setPen(item.palette.color(QPalette::Text));
  painter->drawText(inside, Qt::AlignRight | Qt::AlignTop, value);
  digits.setBold(false);
  digits.setPointSizeF(option.font.pointSizeF() * 0.8);
  painter->setFont(digits);
  painter->setOpacity(0.7);
  painter->drawText(inside, Qt::AlignRight | Qt::AlignBottom, small);
  painter->restore();
}

QSize IntervalDelegate::sizeHint(const QStyleOptionViewItem& option,
                                 const QModelIndex& index) const {
  QSize size = QStyledItemDelegate::sizeHint(option, index);
  QFont digits = QFontDatabase::systemFont(QFontDatabase::FixedFont);
  digits.setPointSizeF(option.font.pointSizeF() * 0.8);
  const QFontMetrics small(digits);
  const QString interval = index.data(ResultTableModel::IntervalRole).toString();
  size.setWidth(std::max(size.width(), small.horizontalAdvance(interval) + 10));
  size.setHeight(option.fontMetrics.height() + small.height() + 6);
  return size;
}

}  // namespace bulwark
