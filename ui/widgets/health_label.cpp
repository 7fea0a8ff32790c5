#include "ui/widgets/health_label.h"

#include <QMouseEvent>
#include <algorithm>

#include "core/base/text.h"
#include "ui/models/result_table_model.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

QString text(const Json& check, const char* key) {
  const auto found = check.find(key);
  return found != check.end() && found->is_string()
             ? QString::fromStdString(found->get<std::string>()).toHtmlEscaped()
             : QString();
}

QString number(const Json& check, const char* key) {
  const auto found = check.find(key);
  return found != check.end() && found->is_number() ? QString::number(found->get<double>(), 'g', 3)
                                                    : QStringLiteral("–");
}

/// A sign as well as a word: no verdict is told by a colour alone.
QString sign(const QString& verdict) {
  if (verdict == QLatin1String("green")) return QStringLiteral("✓");
  if (verdict == QLatin1String("amber")) return QStringLiteral("⚠");
  if (verdict == QLatin1String("red")) return QStringLiteral("✗");
  return QStringLiteral("–");
}

bool any(const Json& checks, const char* verdict) {
  return std::any_of(checks.begin(), checks.end(),
                     [&](const Json& check) { return text(check, "verdict") == verdict; });
}

QString tableOf(const Json& checks) {
  QString html = QStringLiteral("<table cellpadding='2'>");
  html += QStringLiteral(
              "<tr><th></th><th></th><th align='left'>%1</th><th align='right'>%2</th>"
              "<th align='right'>%3</th></tr>")
              .arg(HealthLabel::tr("check"), HealthLabel::tr("found"), HealthLabel::tr("limit"));
  for (const Json& check : checks) {
    QString what = text(check, "title");
    const QString detail = text(check, "detail");
    if (!detail.isEmpty()) what += QStringLiteral("<br><i>%1</i>").arg(detail);
    html += QStringLiteral(
                "<tr><td>%1</td><td>%2&nbsp;&nbsp;</td><td>%3</td>"
                "<td align='right'>&nbsp;&nbsp;%4</td>"
                "<td align='right'>&nbsp;&nbsp;%5</td></tr>")
                .arg(sign(text(check, "verdict")), text(check, "id"), what, number(check, "value"),
                     number(check, "threshold"));
  }
  return html + QStringLiteral("</table>");
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

void HealthLabel::showChecks(const Json& summary, const ResultTableModel& table) {
  const Json none = Json::array();
  const bool checked = summary.is_object() && summary.contains("health_checks") &&
                       summary.at("health_checks").is_array() &&
                       !summary.at("health_checks").empty();
  const Json& checks = checked ? summary.at("health_checks") : none;
  setDetails(checked ? tableOf(checks) : QString());
  QString line =
      checked ? QString::fromStdString(summary.value("health", std::string())) : QString();
  if (!line.isEmpty()) line[0] = line[0].toUpper();
  setAccessibleDescription(line);

  const auto& lines = table.lines();
  const bool attacked = std::any_of(lines.begin(), lines.end(), [](const ResultLine& one) {
    return one.cells[ResultTableModel::InOut - ResultTableModel::Clean].has_value();
  });
  const QString wrong = table.inconsistency();
  if (!wrong.isEmpty()) {
    say(tr("⚠ Not consistent: %1").arg(wrong), "error");
  } else if (any(checks, "red")) {
    say(QStringLiteral("✗ ") + line, "error");
  } else if (any(checks, "amber")) {
    say(QStringLiteral("⚠ ") + line, "warning");
  } else if (checked) {
    say(QStringLiteral("✓ ") + line, "");
  } else if (attacked) {
    say(tr("✓ in_out ≤ min(in, out) ≤ clean in all %1 lines").arg(lines.size()), "");
  } else {
    say(tr("No attack was evaluated"), "");
  }
}

}  // namespace bulwark
