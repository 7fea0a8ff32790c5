#include "ui/widgets/health_label.h"

#include <QLocale>
#include <QMouseEvent>
#include <algorithm>
#include <iterator>

#include "core/health/check.h"
#include "core/report/other_aims.h"
#include "ui/models/health_model.h"
#include "ui/models/result_table_model.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

constexpr std::size_t kMostListed = 16;  // rows that a tooltip may have and still fit a screen

QString number(const std::optional<double>& value) {
  return value ? QLocale().toString(*value, 'g', 3) : QStringLiteral("–");
}

/// The line in full, and every problem with its number and its limit, red first.
QString detailsOf(const QString& line, const std::vector<HealthEntry>& entries) {
  QString html = QStringLiteral("<p>%1</p>").arg(line.toHtmlEscaped());
  std::vector<HealthEntry> listed;
  for (const auto verdict : {HealthVerdict::Red, HealthVerdict::Amber}) {
    std::copy_if(entries.begin(), entries.end(), std::back_inserter(listed),
                 [&](const HealthEntry& entry) { return entry.verdict == verdict; });
  }
  if (listed.empty()) listed = entries;
  const std::size_t most = std::min(listed.size(), kMostListed);
  html += QStringLiteral("<table cellpadding='2'>");
  html += QStringLiteral(
              "<tr><th></th><th></th><th align='left'>%1</th><th align='right'>%2</th>"
              "<th align='right'>%3</th></tr>")
              .arg(HealthLabel::tr("check"), HealthLabel::tr("found"), HealthLabel::tr("limit"));
  for (std::size_t i = 0; i < most; ++i) {
    const HealthEntry& entry = listed[i];
    QString what = entry.title.toHtmlEscaped();
    if (!entry.detail.isEmpty()) {
      what += QStringLiteral("<br><i>%1</i>").arg(entry.detail.toHtmlEscaped());
    }
    html += QStringLiteral(
                "<tr><td>%1</td><td>%2&nbsp;&nbsp;</td><td>%3</td>"
                "<td align='right'>&nbsp;&nbsp;%4</td>"
                "<td align='right'>&nbsp;&nbsp;%5</td></tr>")
                .arg(signOf(entry.verdict), entry.name().toHtmlEscaped(), what, number(entry.value),
                     number(entry.threshold));
  }
  html += QStringLiteral("</table>");
  if (listed.size() > most) {
    html += HealthLabel::tr("… and %1 more in the health panel.").arg(listed.size() - most);
  }
  return html + QStringLiteral("<p>%1</p>").arg(HealthLabel::tr("Click to see the worst."));
}

}  // namespace

HealthLabel::HealthLabel(QWidget* parent) : ElidedLabel({}, parent) {
  setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  setCursor(Qt::PointingHandCursor);
}

void HealthLabel::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton && rect().contains(event->pos())) Q_EMIT clicked();
  ElidedLabel::mouseReleaseEvent(event);
}

void HealthLabel::say(const QString& text, const char* role) {
  setFullText(text);
  if (property("role").toString() != QLatin1String(role)) setRole(this, role);
}

void HealthLabel::showChecks(const Json& summary, const Json& specification,
                             const ResultTableModel& table) {
  const auto entries = readHealth(summary);
  const bool checked = !entries.empty();
  QString line = checked ? healthLine(entries) : QString();
  // Which limits are not the published ones, as the run itself tells it.
  const auto stored = QString::fromStdString(healthLineOf(summary));
  const auto limits = stored.indexOf(QLatin1String("; limits not the published ones"));
  if (checked && limits > 0) line += stored.mid(limits);
  setDetails(checked ? detailsOf(line, entries) : QString());
  setAccessibleDescription(line);
  auto worst = HealthVerdict::NotApplicable;
  for (const HealthEntry& entry : entries) worst = std::max(worst, entry.verdict);

  const auto others = otherAims(specification);
  const auto& lines = table.lines();
  const auto isAttacked = [](const ResultLine& one) {
    return one.cells[ResultTableModel::InOut - ResultTableModel::Clean].has_value();
  };
  const bool attacked = std::any_of(lines.begin(), lines.end(), isAttacked);
  const auto held = std::count_if(lines.begin(), lines.end(), [&](const ResultLine& one) {
    return !others.contains(one.attack.toStdString());
  });
  const QString wrong = table.inconsistency(others);
  if (!wrong.isEmpty()) {
    say(tr("⚠ Not consistent: %1").arg(wrong), "error");
  } else if (worst == HealthVerdict::Red) {
    say(QStringLiteral("✗ ") + line, "error");
  } else if (worst == HealthVerdict::Amber) {
    say(QStringLiteral("⚠ ") + line, "warning");
  } else if (checked) {
    say(QStringLiteral("✓ ") + line, "");
  } else if (attacked && held > 0) {
    say(tr("✓ in_out ≤ min(in, out) ≤ clean in all %1 lines").arg(held), "");
  } else if (attacked) {
    say(tr("No attack aims at the score"), "");
  } else {
    say(tr("No attack was evaluated"), "");
  }
}

}  // namespace bulwark
