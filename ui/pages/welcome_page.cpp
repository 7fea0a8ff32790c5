#include "ui/pages/welcome_page.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

#include "core/experiment/specification.h"
#include "ui/bridge/database_service.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/bridge/job_controller.h"
#include "ui/shell/icons.h"
#include "ui/widgets/panel.h"

namespace bulwark {

WelcomePage::WelcomePage(const AppContext& context, QWidget* parent)
    : QWidget(parent), context_(context) {
  setObjectName(QStringLiteral("welcomePage"));
  auto* outer = new QVBoxLayout(this);
  outer->addStretch(2);
  auto* column = new QVBoxLayout;
  column->setSpacing(12);
  auto* logo = new QLabel;
  logo->setPixmap(applicationIcon().pixmap(72, 72));
  column->addWidget(logo, 0, Qt::AlignHCenter);
  auto* title = roleLabel(tr("Welcome to Bulwark"), "title");
  title->setAlignment(Qt::AlignCenter);
  column->addWidget(title);
  auto* what = roleLabel(
      tr("Train a classifier on the images you call normal, and let detectors tell what is not.\n"
         "Attack the detectors end to end, and see how much of their skill is left.\n"
         "Compare runs image by image, and take tables and figures into your paper."),
      "muted");
  what->setAlignment(Qt::AlignCenter);
  column->addWidget(what);
  column->addSpacing(8);
  demo_ = primaryButton(tr("Run the demo"), QStringLiteral("runDemo"));
  demo_->setIcon(QIcon());
  demo_->setMinimumSize(220, 44);
  demo_->setToolTip(tr("A small network on Fashion-MNIST, four detectors, attacked by PGD-20"));
  column->addWidget(demo_, 0, Qt::AlignHCenter);
  progressText_ = roleLabel(tr("Takes one to three minutes on two processor cores; nothing is "
                               "downloaded."),
                            "muted");
  progressText_->setObjectName(QStringLiteral("demoText"));
  progressText_->setAlignment(Qt::AlignCenter);
  column->addWidget(progressText_);
  progress_ = new QProgressBar;
  progress_->setObjectName(QStringLiteral("demoProgress"));
  progress_->setTextVisible(false);
  progress_->setFixedWidth(320);
  auto policy = progress_->sizePolicy();
  policy.setRetainSizeWhenHidden(true);
  progress_->setSizePolicy(policy);
  progress_->hide();
  column->addWidget(progress_, 0, Qt::AlignHCenter);
  auto* others = new QHBoxLayout;
  others->setSpacing(12);
  others->addStretch(1);
  auto* fresh = new QPushButton(icon(QStringLiteral("add")), tr("New experiment"));
  fresh->setObjectName(QStringLiteral("newExperiment"));
  auto* open = new QPushButton(icon(QStringLiteral("database")), tr("Open a database"));
  open->setObjectName(QStringLiteral("openDatabase"));
  others->addWidget(fresh);
  others->addWidget(open);
  others->addStretch(1);
  column->addLayout(others);
  outer->addLayout(column);
  outer->addStretch(3);

  connect(demo_, &QPushButton::clicked, this, &WelcomePage::runDemo);
  connect(open, &QPushButton::clicked, this, &WelcomePage::openDatabaseRequested);
  connect(fresh, &QPushButton::clicked, this, &WelcomePage::newExperimentRequested);
  connect(context_.jobs, &JobController::progress, this,
          [this](qint64, const ProgressUpdate& update) {
            progress_->show();
            progress_->setRange(0, update.total > 0 ? 1000 : 0);
            if (update.total > 0) {
              progress_->setValue(static_cast<int>(1000.0 * static_cast<double>(update.done) /
                                                   static_cast<double>(update.total)));
            }
            progressText_->setText(QString::fromStdString(update.phase));
          });
  connect(context_.jobs, &JobController::finished, this, [this](qint64, qint64, RunState state) {
    demo_->setEnabled(true);
    progress_->hide();
    if (state == RunState::Running || state == RunState::Paused) {
      progressText_->setText(tr("Another program computes this run; the Jobs list shows it."));
    } else if (state != RunState::Done) {
      progressText_->setText(tr("The run did not finish; the Jobs list below says why."));
    }
  });
  connect(context_.database, &DatabaseService::failed, this, [this](const QString& text) {
    demo_->setEnabled(true);
    progressText_->setText(text);
  });
}

void WelcomePage::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange) update();
  QWidget::changeEvent(event);
}

void WelcomePage::runDemo() {
  demo_->setEnabled(false);
  progressText_->setText(tr("Starting…"));
  const Json& specification = preset("demo").specification;
  context_.draft->load(specification);
  const Json complete =
      Specification::fromJson(specification, *context_.registries, *context_.catalogue).toJson();
  context_.jobs->submit(context_.draft->name(), complete, context_.draft->seed(),
                        context_.draft->device(), context_.draft->threads());
}

DatabaseProblemPage::DatabaseProblemPage(QWidget* parent)
    : QWidget(parent),
      path_(roleLabel({}, "muted")),
      problem_(roleLabel({}, "error")),
      hint_(roleLabel({}, "muted")) {
  setObjectName(QStringLiteral("databaseProblem"));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(48, 24, 48, 24);
  layout->setSpacing(12);
  layout->addStretch(2);
  auto* title = roleLabel(tr("The run database cannot be used"), "title");
  title->setAlignment(Qt::AlignCenter);
  layout->addWidget(title);
  problem_->setObjectName(QStringLiteral("databaseProblemText"));
  for (auto* label : {path_, problem_, hint_}) {
    label->setAlignment(Qt::AlignCenter);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(label);
  }
  auto* row = new QHBoxLayout;
  row->setSpacing(12);
  row->addStretch(1);
  auto* choose = primaryButton(tr("Choose another file"), QStringLiteral("chooseDatabase"));
  auto* retry = new QPushButton(tr("Try again"));
  retry->setObjectName(QStringLiteral("retryDatabase"));
  row->addWidget(choose);
  row->addWidget(retry);
  row->addStretch(1);
  layout->addSpacing(8);
  layout->addLayout(row);
  layout->addStretch(3);
  connect(choose, &QPushButton::clicked, this, &DatabaseProblemPage::chooseRequested);
  connect(retry, &QPushButton::clicked, this, &DatabaseProblemPage::retryRequested);
}

void DatabaseProblemPage::setProblem(const QString& path, const QString& problem,
                                     const QString& hint) {
  path_->setText(path);
  problem_->setText(problem);
  hint_->setText(hint.isEmpty() ? tr("The file was left as it was.") : hint);
}

}  // namespace bulwark
