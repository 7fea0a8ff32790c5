#include "ui/widgets/check_detail.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QVBoxLayout>
#include <cmath>

#include "core/health/check.h"
#include "core/health/remedy.h"
#include "ui/bridge/prepared_run.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

constexpr int kLimitWidth = 92;

QString text(double number) {
  return std::isfinite(number) ? QLocale().toString(number, 'g', 4) : QString();
}

/// The published rule of that number; null for one that no version knows.
const HealthRule* ruleOf(const QString& id) {
  for (const HealthRule& rule : healthRules()) {
    if (QString::fromStdString(rule.id) == id) return &rule;
  }
  return nullptr;
}

QLabel* wrapped(const char* role, const char* name) {
  auto* label = roleLabel({}, role);
  label->setObjectName(QLatin1String(name));
  label->setWordWrap(true);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  return label;
}

}  // namespace

CheckDetail::CheckDetail(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("checkDetail"));
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 6);
  column->setSpacing(6);
  auto* head = new QHBoxLayout;
  head->setSpacing(8);
  title_ = roleLabel({}, "heading");
  title_->setObjectName(QStringLiteral("checkTitle"));
  title_->setWordWrap(true);
  verdict_ = new QLabel;
  head->addWidget(verdict_, 0, Qt::AlignTop);
  head->addWidget(title_, 1, Qt::AlignTop);
  column->addLayout(head);
  rule_ = wrapped("muted", "checkRule");
  column->addWidget(rule_);

  limits_ = new QWidget;
  auto* lines = new QVBoxLayout(limits_);
  lines->setContentsMargins(0, 0, 0, 0);
  lines->setSpacing(6);
  auto* row = new QHBoxLayout;
  row->setSpacing(8);
  lines->addLayout(row);
  found_ = new QLabel;
  found_->setObjectName(QStringLiteral("checkFound"));
  row->addWidget(found_);
  const auto limit = [&](const QString& title, const char* name, const QString& tip) {
    auto* label = new QLabel(title);
    auto* edit = new QLineEdit;
    edit->setObjectName(QLatin1String(name));
    edit->setFixedWidth(kLimitWidth);
    edit->setAlignment(Qt::AlignRight);
    edit->setToolTip(tip);
    label->setBuddy(edit);
    row->addSpacing(8);
    row->addWidget(label);
    row->addWidget(edit);
    connect(edit, &QLineEdit::textEdited, this, &CheckDetail::readLimits);
    connect(edit, &QLineEdit::returnPressed, this, [this] {
      if (apply_->isEnabled()) apply(false);
    });
    return edit;
  };
  green_ = limit(tr("&Green up to"), "checkGreen", tr("Up to this value the check is green"));
  red_ = limit(tr("red a&bove"), "checkRed",
               tr("Above this value the check is red; empty: it never is, and warns only"));
  red_->setPlaceholderText(tr("never"));
  apply_ = new QPushButton(tr("&Judge anew"));
  apply_->setObjectName(QStringLiteral("checkApply"));
  apply_->setToolTip(
      tr("Judges the stored numbers of this run by these limits and stores both with the run. "
         "Nothing is measured again; its costly checks use these limits too."));
  reset_ = new QPushButton(tr("Published &limits"));
  reset_->setObjectName(QStringLiteral("checkReset"));
  row->addStretch(1);
  note_ = wrapped("muted", "checkNote");
  auto* second = new QHBoxLayout;
  second->setSpacing(8);
  second->addWidget(note_, 1);
  second->addWidget(apply_, 0, Qt::AlignTop);
  second->addWidget(reset_, 0, Qt::AlignTop);
  lines->addLayout(second);
  connect(apply_, &QPushButton::clicked, this, [this] { apply(false); });
  connect(reset_, &QPushButton::clicked, this, [this] { apply(true); });
  column->addWidget(limits_);

  auto* help = new QHBoxLayout;
  help->setSpacing(12);
  remedy_ = wrapped("", "checkRemedy");
  rerun_ = new QPushButton;
  rerun_->setObjectName(QStringLiteral("checkRerun"));
  help->addWidget(remedy_, 1);
  help->addWidget(rerun_, 0, Qt::AlignTop);
  column->addLayout(help);
  connect(rerun_, &QPushButton::clicked, this, [this] { Q_EMIT rerunWanted(wanted_); });
  clear();
}

void CheckDetail::setRun(const Json& specification, const Json& thresholds) {
  const Json limits = thresholds.is_object() ? thresholds : Json::object();
  if (specification == specification_ && limits == thresholds_) return;
  specification_ = specification;
  thresholds_ = limits;
  stale_ = true;
}

void CheckDetail::clear() {
  entry_ = {};
  stale_ = true;
  title_->setText(tr("No check is chosen"));
  rule_->setText(
      tr("Choose one in the list to see its rule, to change its limits, and what helps "
         "when it is amber or red."));
  verdict_->clear();
  for (QWidget* widget : {limits_, static_cast<QWidget*>(note_), static_cast<QWidget*>(remedy_),
                          static_cast<QWidget*>(rerun_)}) {
    widget->hide();
  }
}

void CheckDetail::showCheck(const HealthEntry& entry) {
  if (!stale_ && entry == entry_) return;
  stale_ = false;
  entry_ = entry;
  title_->setText((entry.subject.isEmpty() ? entry.id : entry.id + u' ' + entry.subject) +
                  QStringLiteral(" – ") + entry.title);
  verdict_->setText(signOf(entry.verdict) + u' ' + wordOf(entry.verdict));
  const char* roles[] = {"muted", "good", "warning", "error"};
  setRole(verdict_, roles[int(entry.verdict)]);
  QStringList lines;
  if (!entry.rule.isEmpty()) lines += tr("Rule: %1.").arg(entry.rule);
  if (!entry.detail.isEmpty()) lines += entry.detail + u'.';
  if (!entry.source.isEmpty()) lines += tr("Source: %1.").arg(entry.source);
  rule_->setText(lines.join(u' '));

  const HealthRule* rule = ruleOf(entry.id);
  const bool number = rule && entry.verdict != HealthVerdict::NotApplicable;
  limits_->setVisible(number);
  note_->setVisible(number);
  if (number) {
    found_->setText(tr("Found %1").arg(entry.value ? text(*entry.value) : tr("no number")));
    green_->setText(entry.threshold ? text(*entry.threshold) : QString());
    red_->setText(entry.redAbove ? text(*entry.redAbove) : QString());
    const bool edited = thresholds_.contains(rule->id);
    reset_->setEnabled(edited);
    reset_->setToolTip(
        std::isfinite(rule->red)
            ? tr("Green up to %1, red above %2").arg(text(rule->amber), text(rule->red))
            : tr("Green up to %1, never red").arg(text(rule->amber)));
    readLimits();
  }

  const Remedy remedy = entry.isProblem() ? remedyOf(entry.id.toStdString(),
                                                     entry.subject.toStdString(), specification_)
                                          : Remedy();
  remedy_->setText(QString::fromStdString(remedy.text));
  remedy_->setVisible(!remedy.text.empty());
  wanted_ = preparedRun(specification_, remedy.specification, QString::fromStdString(remedy.change),
                        entry.detail);
  rerun_->setVisible(wanted_.is_object());
  rerun_->setText(tr("&Prepare: %1").arg(QString::fromStdString(remedy.change)));
  rerun_->setToolTip(
      tr("Opens the Attack page with this run's experiment, changed so and under the name \"%1\"; "
         "nothing is started yet")
          .arg(wanted_.is_object() && wanted_.contains("name")
                   ? QString::fromStdString(wanted_.at("name").get<std::string>())
                   : QString()));
}

void CheckDetail::readLimits() {
  bool greenOk = false, redOk = true;
  const double green = QLocale().toDouble(green_->text().trimmed(), &greenOk);
  double red = std::numeric_limits<double>::infinity();
  if (!red_->text().trimmed().isEmpty()) red = QLocale().toDouble(red_->text().trimmed(), &redOk);
  QString problem;
  if (!greenOk || !redOk || green < 0) {
    problem = tr("A limit is a number of at least 0; without one there is no red.");
  } else if (red < green) {
    problem = tr("The red limit (%1) is below the green limit (%2); it must be at least as large.")
                  .arg(text(red), text(green));
  }
  const bool edited = thresholds_.contains(entry_.id.toStdString());
  setRole(note_, problem.isEmpty() ? "muted" : "error");
  note_->setText(!problem.isEmpty() ? problem
                 : edited
                     ? tr("These limits are not the published ones. They are stored with this run.")
                     : tr("The published limits. Others judge this run's stored numbers anew and "
                          "are stored with it; nothing is measured again."));
  const bool same = green_->text() == (entry_.threshold ? text(*entry_.threshold) : QString()) &&
                    red_->text() == (entry_.redAbove ? text(*entry_.redAbove) : QString());
  apply_->setEnabled(problem.isEmpty() && !same);
}

void CheckDetail::apply(bool published) {
  const std::string id = entry_.id.toStdString();
  Json edits = thresholds_;
  if (published) {
    edits.erase(id);
  } else {
    const QString red = red_->text().trimmed();
    edits[id] = Json::array({QLocale().toDouble(green_->text().trimmed()),
                             red.isEmpty() ? Json() : Json(QLocale().toDouble(red))});
  }
  Q_EMIT thresholdsEdited(edits);
}

}  // namespace bulwark
