#include "ui/widgets/start_bar.h"

#include <QHBoxLayout>

#include "ui/bridge/draft_checker.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/bridge/job_controller.h"
#include "ui/shell/icons.h"
#include "ui/widgets/panel.h"

namespace bulwark {

StartBar::StartBar(const AppContext& context, const QString& buttonText, QWidget* parent)
    : QFrame(parent), context_(context), message_(roleLabel({}, "muted")) {
  setProperty("panel", true);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(12, 8, 12, 8);
  row->setSpacing(12);
  message_->setObjectName(QStringLiteral("startMessage"));
  message_->setWordWrap(true);
  row->addWidget(message_, 1);
  button_ = primaryButton(buttonText, QStringLiteral("startButton"));
  button_->setToolTip(tr("Queue this experiment and start the queue (Ctrl+R)"));
  row->addWidget(button_);
  connect(button_, &QPushButton::clicked, this, &StartBar::start);
  connect(context_.checker, &DraftChecker::pending, this, &StartBar::show);
  connect(context_.checker, &DraftChecker::checked, this, &StartBar::show);
  show();
}

void StartBar::show() {
  const DraftChecker& checker = *context_.checker;
  button_->setEnabled(!checker.isPending() && checker.last().valid);
  if (checker.isPending()) return;  // the old text stays, so that it does not flicker
  if (checker.last().valid) {
    setRole(message_, "muted");
    message_->setText(checker.last().cost.isEmpty() ? tr("Ready to start.") : checker.last().cost);
  } else if (checker.last().where == QLatin1String("data.in") &&
             context_.draft->part("/data/in").empty()) {
    // Where everybody starts is no error.
    setRole(message_, "muted");
    message_->setText(tr("Choose an in-distribution set on the Data page first."));
  } else if (checker.last().where == QLatin1String("data.out") &&
             context_.draft->part("/data/out").empty()) {
    setRole(message_, "muted");
    message_->setText(tr("Add at least one out set on the Data page."));
  } else {
    setRole(message_, "error");
    message_->setText(checker.last().message());
  }
}

void StartBar::start() {
  if (context_.checker->isPending() || !context_.checker->last().valid) return;
  const ExperimentDraft& draft = *context_.draft;
  context_.jobs->submit(draft.name(), context_.checker->last().complete, draft.seed(),
                        draft.device(), draft.threads());
}

}  // namespace bulwark
