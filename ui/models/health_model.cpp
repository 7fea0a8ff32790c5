#include "ui/models/health_model.h"

#include <QApplication>
#include <QColor>
#include <QLocale>
#include <QPainter>
#include <QPalette>
#include <algorithm>
#include <cmath>

namespace bulwark {

namespace {

QString textAt(const Json& check, const char* key) {
  const auto found = check.find(key);
  return found != check.end() && found->is_string()
             ? QString::fromStdString(found->get<std::string>())
             : QString();
}

std::optional<double> numberAt(const Json& check, const char* key) {
  const auto found = check.find(key);
  if (found == check.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

HealthVerdict verdictOf(const QString& text) {
  if (text == QLatin1String("green")) return HealthVerdict::Green;
  if (text == QLatin1String("amber")) return HealthVerdict::Amber;
  if (text == QLatin1String("red")) return HealthVerdict::Red;
  return HealthVerdict::NotApplicable;
}

/// H1 to H9, H10 to H20, H21 to H36.
int lightOfNumber(const QString& id) {
  const int number = id.mid(1).toInt();
  return number < 10 ? 0 : number < 21 ? 1 : 2;
}

int lightOf(const QString& group, const QString& id) {
  if (group == QLatin1String("consistent")) return 0;
  if (group == QLatin1String("attackable")) return 1;
  if (group == QLatin1String("converged")) return 2;
  return lightOfNumber(id);
}

QString shown(const std::optional<double>& number) {
  if (!number) return QStringLiteral("–");
  return QLocale().toString(*number, 'g', 3);
}

}  // namespace

QString HealthEntry::sentence() const {
  QString text = name() + QStringLiteral(": ") + title + QStringLiteral(" – ");
  text += verdict == HealthVerdict::Red && redAbove
              ? HealthModel::tr("found %1, red above %2").arg(shown(value), shown(redAbove))
              : HealthModel::tr("found %1, limit %2").arg(shown(value), shown(threshold));
  if (!detail.isEmpty()) text += QStringLiteral(" (%1)").arg(detail);
  return text + u'.';
}

std::vector<HealthEntry> readHealth(const Json& summary) {
  std::vector<HealthEntry> entries;
  if (!summary.is_object()) return entries;
  const auto checks = summary.find("health_checks");
  if (checks == summary.end() || !checks->is_array()) return entries;
  for (const Json& check : *checks) {
    if (!check.is_object()) continue;
    HealthEntry entry;
    entry.id = textAt(check, "id");
    entry.subject = textAt(check, "subject");
    if (const auto space = entry.id.indexOf(u' '); space > 0) {
      if (entry.subject.isEmpty()) entry.subject = entry.id.mid(space + 1);
      entry.id.truncate(space);
    }
    entry.light = lightOf(textAt(check, "group"), entry.id);
    entry.title = textAt(check, "title");
    entry.rule = textAt(check, "rule");
    entry.source = textAt(check, "source");
    entry.detail = textAt(check, "detail");
    entry.verdict = verdictOf(textAt(check, "verdict"));
    entry.value = numberAt(check, "value");
    entry.threshold = numberAt(check, "threshold");
    entry.redAbove = numberAt(check, "red_above");
    entries.push_back(std::move(entry));
  }
  return entries;
}

QString healthLine(const std::vector<HealthEntry>& entries) {
  std::vector<HealthEntry> sorted = entries;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.id.mid(1).toInt() < b.id.mid(1).toInt();
  });
  std::array<QStringList, 4> names;
  for (const HealthEntry& entry : sorted) names[std::size_t(entry.verdict)] += entry.name();
  QStringList parts;
  for (const auto verdict : {HealthVerdict::Red, HealthVerdict::Amber, HealthVerdict::Green}) {
    const QStringList& found = names[std::size_t(verdict)];
    if (found.isEmpty()) continue;
    QString part = QStringLiteral("%1 %2").arg(found.size()).arg(wordOf(verdict));
    if (verdict >= HealthVerdict::Amber) {
      part += QStringLiteral(" (%1)").arg(found.join(QStringLiteral(", ")));
    }
    parts += part;
  }
  if (parts.isEmpty()) return HealthModel::tr("Health: no check applies");
  return HealthModel::tr("Health: %1").arg(parts.join(QStringLiteral(", ")));
}

std::array<HealthLight, 3> lightsOf(const std::vector<HealthEntry>& entries) {
  std::array<HealthLight, 3> lights;
  struct Said {
    HealthEntry entry;  ///< the worst, with the subjects of all
    QString name;       ///< of the worst
  };
  std::array<std::vector<Said>, 3> problems;
  for (const HealthEntry& entry : entries) {
    HealthLight& light = lights[std::size_t(entry.light)];
    light.verdict = std::max(light.verdict, entry.verdict);
    light.green += entry.verdict == HealthVerdict::Green;
    light.amber += entry.verdict == HealthVerdict::Amber;
    light.red += entry.verdict == HealthVerdict::Red;
    light.notApplicable += entry.verdict == HealthVerdict::NotApplicable;
    if (!entry.isProblem()) continue;
    // One sentence for a check that several subjects fail, with the worst number.
    auto& said = problems[std::size_t(entry.light)];
    const auto same = std::find_if(said.begin(), said.end(), [&](const Said& other) {
      return other.entry.id == entry.id && other.entry.verdict == entry.verdict;
    });
    if (same == said.end()) {
      said.push_back({entry, entry.name()});
      continue;
    }
    const QString subjects = same->entry.subject + QStringLiteral(", ") + entry.subject;
    if (entry.value > same->entry.value) *same = {entry, entry.name()};
    same->entry.subject = subjects;
  }
  for (std::size_t i = 0; i < lights.size(); ++i) {
    std::stable_sort(problems[i].begin(), problems[i].end(), [](const auto& a, const auto& b) {
      return a.entry.verdict > b.entry.verdict;
    });
    for (const Said& said : problems[i]) {
      lights[i].sentences += said.entry.sentence();
      lights[i].names += said.name;
    }
  }
  return lights;
}

QStringList redChecks(const std::vector<HealthEntry>& entries, const QString& detector,
                      const QStringList& attacks) {
  QStringList names;
  for (const HealthEntry& entry : entries) {
    if (entry.verdict != HealthVerdict::Red) continue;
    const QString& subject = entry.subject;
    if (subject.isEmpty() || subject == detector || attacks.contains(subject) ||
        subject.endsWith(QStringLiteral(" on ") + detector)) {
      names += entry.name();
    }
  }
  return names;
}

QString signOf(HealthVerdict verdict) {
  switch (verdict) {
    case HealthVerdict::Green:
      return QStringLiteral("✓");
    case HealthVerdict::Amber:
      return QStringLiteral("⚠");
    case HealthVerdict::Red:
      return QStringLiteral("✗");
    case HealthVerdict::NotApplicable:
      break;
  }
  return QStringLiteral("–");
}

QString wordOf(HealthVerdict verdict) {
  switch (verdict) {
    case HealthVerdict::Green:
      return HealthModel::tr("green");
    case HealthVerdict::Amber:
      return HealthModel::tr("amber");
    case HealthVerdict::Red:
      return HealthModel::tr("red");
    case HealthVerdict::NotApplicable:
      break;
  }
  return HealthModel::tr("not applicable");
}

QColor colourOf(HealthVerdict verdict, bool dark) {
  switch (verdict) {
    case HealthVerdict::Green:
      return dark ? QColor(0x3fb27f) : QColor(0x1a7f4b);
    case HealthVerdict::Amber:
      return dark ? QColor(0xe3b341) : QColor(0xb07500);
    case HealthVerdict::Red:
      return dark ? QColor(0xff7b72) : QColor(0xc62828);
    case HealthVerdict::NotApplicable:
      break;
  }
  return dark ? QColor(0x626b79) : QColor(0x9aa3b0);
}

void HealthModel::setEntries(std::vector<HealthEntry> entries) {
  beginResetModel();
  entries_ = std::move(entries);
  endResetModel();
}

int HealthModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(entries_.size());
}

int HealthModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(ColumnCount);
}

QVariant HealthModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const HealthEntry& entry = entries_[std::size_t(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      switch (index.column()) {
        case Verdict:
          return signOf(entry.verdict) + u' ' + wordOf(entry.verdict);
        case Id:
          return entry.name();
        case Check:
          return entry.title;
        case Value:
          return shown(entry.value);
        case Threshold:
          return shown(entry.threshold);
        case Source:
          return entry.source;
        default:
          return {};
      }
    case Qt::ToolTipRole: {
      QStringList lines = {entry.title};
      if (!entry.rule.isEmpty()) lines += tr("Rule: %1").arg(entry.rule);
      lines += entry.redAbove
                   ? tr("Found %1; green up to %2, red above %3")
                         .arg(shown(entry.value), shown(entry.threshold), shown(entry.redAbove))
                   : tr("Found %1; green up to %2").arg(shown(entry.value), shown(entry.threshold));
      if (!entry.detail.isEmpty()) lines += entry.detail;
      if (!entry.source.isEmpty()) lines += tr("Source: %1").arg(entry.source);
      return lines.join(u'\n');
    }
    case Qt::TextAlignmentRole:
      if (index.column() == Value || index.column() == Threshold) {
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
      }
      return {};
    case Qt::ForegroundRole:
      if (index.column() == Verdict) {
        const bool dark = QApplication::palette().color(QPalette::Base).lightnessF() < 0.5;
        return colourOf(entry.verdict, dark);
      }
      return {};
    case RuleRole:
      if (index.column() != Check) return {};
      return entry.isProblem() && !entry.detail.isEmpty() ? entry.detail : entry.rule;
    case VerdictRole:
      return int(entry.verdict);
    case SortRole:
      switch (index.column()) {
        case Verdict:
          return -int(entry.verdict);
        case Id:
          return entry.id.mid(1).toInt();
        case Value:
          return entry.value.value_or(-1.0);
        case Threshold:
          return entry.threshold.value_or(-1.0);
        default:
          return data(index, Qt::DisplayRole);
      }
    default:
      return {};
  }
}

QVariant HealthModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount) return {};
  static const char* titles[] = {QT_TR_NOOP("Verdict"), QT_TR_NOOP("Id"),    QT_TR_NOOP("Check"),
                                 QT_TR_NOOP("Found"),   QT_TR_NOOP("Limit"), QT_TR_NOOP("Source")};
  if (role == Qt::DisplayRole) return tr(titles[section]);
  if (role == Qt::TextAlignmentRole) {
    const bool number = section == Value || section == Threshold;
    return QVariant((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
  }
  return {};
}

HealthFilter::HealthFilter(QObject* parent) : QSortFilterProxyModel(parent) {
  setSortRole(HealthModel::SortRole);
}

void HealthFilter::setOnlyProblems(bool only) {
  only_ = only;
  invalidateFilter();
}

bool HealthFilter::lessThan(const QModelIndex& left, const QModelIndex& right) const {
  const QVariant a = left.data(HealthModel::SortRole), b = right.data(HealthModel::SortRole);
  if (a != b || left.column() != HealthModel::Verdict) {
    return QSortFilterProxyModel::lessThan(left, right);
  }
  const auto number = [](const QModelIndex& index) {
    return index.siblingAtColumn(HealthModel::Id).data(HealthModel::SortRole).toInt();
  };
  return number(left) < number(right);
}

bool HealthFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
  if (!only_) return true;
  const int verdict = sourceModel()->index(row, 0, parent).data(HealthModel::VerdictRole).toInt();
  return verdict >= int(HealthVerdict::Amber);
}

void RuleDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                         const QModelIndex& index) const {
  QStyleOptionViewItem item = option;
  initStyleOption(&item, index);
  item.state &= ~QStyle::State_HasFocus;
  const QString rule = index.data(HealthModel::RuleRole).toString();
  if (rule.isEmpty()) {
    item.widget->style()->drawControl(QStyle::CE_ItemViewItem, &item, painter, item.widget);
    return;
  }
  const QString title = item.text;
  item.text.clear();
  item.widget->style()->drawControl(QStyle::CE_ItemViewItem, &item, painter, item.widget);
  const QRect inside = item.rect.adjusted(8, 3, -8, -3);
  painter->save();
  painter->setFont(option.font);
  painter->setPen(item.palette.color(QPalette::Text));
  painter->drawText(inside, Qt::AlignLeft | Qt::AlignTop,
                    option.fontMetrics.elidedText(title, Qt::ElideRight, inside.width()));
  QFont small = option.font;
  small.setPointSizeF(option.font.pointSizeF() * 0.85);
  painter->setFont(small);
  painter->setPen(item.palette.color(QPalette::PlaceholderText));
  painter->drawText(inside, Qt::AlignLeft | Qt::AlignBottom,
                    QFontMetrics(small).elidedText(rule, Qt::ElideRight, inside.width()));
  painter->restore();
}

QSize RuleDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
  QSize size = QStyledItemDelegate::sizeHint(option, index);
  size.setHeight(option.fontMetrics.height() * 2 + 6);
  return size;
}

}  // namespace bulwark
