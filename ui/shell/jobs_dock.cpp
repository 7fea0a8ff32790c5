#include "ui/shell/jobs_dock.h"

#include <QApplication>
#include <QDateTime>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QMenu>
#include <QPainter>
#include <QStackedWidget>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "ui/bridge/database_service.h"
#include "ui/bridge/health_runner.h"
#include "ui/bridge/job_controller.h"
#include "ui/bridge/navigator.h"
#include "ui/bridge/run_focus.h"
#include "ui/shell/icons.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

/// Rows are selected as a whole: no frame around the one cell that was clicked.
class RowDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;

 protected:
  void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
    QStyledItemDelegate::initStyleOption(option, index);
    option->state &= ~QStyle::State_HasFocus;
  }
};

/// A thin bar below the counts.
class ProgressDelegate : public RowDelegate {
 public:
  using RowDelegate::RowDelegate;

  void paint(QPainter* painter, const QStyleOptionViewItem& option,
             const QModelIndex& index) const override {
    QStyleOptionViewItem cell(option);
    initStyleOption(&cell, index);
    const QString text = cell.text;
    cell.text.clear();
    const QWidget* view = option.widget;
    const QPalette palette = QApplication::palette();
    view->style()->drawControl(QStyle::CE_ItemViewItem, &cell, painter, view);
    const double fraction = index.data(JobTableModel::FractionRole).toDouble();
    const QRect box = option.rect.adjusted(8, 4, -8, -4);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(palette.color(QPalette::Text));
    painter->drawText(box, Qt::AlignHCenter | Qt::AlignTop,
                      cell.fontMetrics.elidedText(text, Qt::ElideRight, box.width()));
    if (fraction >= 0) {
      QRectF bar(box.left(), box.bottom() - 4, box.width(), 4);
      painter->setPen(Qt::NoPen);
      painter->setBrush(palette.color(QPalette::Mid));
      painter->drawRoundedRect(bar, 2, 2);
      bar.setWidth(bar.width() * fraction);
      painter->setBrush(palette.color(QPalette::Highlight));
      painter->drawRoundedRect(bar, 2, 2);
    }
    painter->restore();
  }
};

}  // namespace

JobsDock::JobsDock(const AppContext& context, QWidget* parent)
    : QDockWidget(tr("Jobs"), parent), context_(context), model_(new JobTableModel(this)) {
  setObjectName(QStringLiteral("jobsDock"));
  auto* body = new QWidget;
  auto* layout = new QVBoxLayout(body);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  auto* tools = new QHBoxLayout;
  tools->setContentsMargins(8, 4, 8, 4);
  tools->setSpacing(4);
  layout->addLayout(tools);
  stack_ = new QStackedWidget;
  layout->addWidget(stack_, 1);

  pause_ = addButton(QStringLiteral("pauseJob"), QStringLiteral("pause"), tr("Pause"));
  cancel_ = addButton(QStringLiteral("cancelJob"), QStringLiteral("stop"), tr("Cancel"));
  retry_ = addButton(QStringLiteral("retryJob"), QStringLiteral("retry"), tr("Retry"));
  open_ = addButton(QStringLiteral("openResults"), QStringLiteral("results"), tr("Open results"));
  startQueue_ = addButton(QStringLiteral("startQueue"), QStringLiteral("play"), tr("Start queue"));
  for (auto* button : {pause_, cancel_, retry_, open_}) tools->addWidget(button);
  tools->addStretch(1);
  tools->addWidget(startQueue_);

  table_ = new QTableView;
  table_->setObjectName(QStringLiteral("jobsTable"));
  table_->setAccessibleName(tr("Jobs"));
  table_->setModel(model_);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setShowGrid(false);
  table_->setWordWrap(false);
  table_->verticalHeader()->hide();
  table_->verticalHeader()->setDefaultSectionSize(30);
  table_->setItemDelegate(new RowDelegate(table_));
  table_->setItemDelegateForColumn(JobTableModel::Progress, new ProgressDelegate(table_));
  table_->setContextMenuPolicy(Qt::CustomContextMenu);
  auto* header = table_->horizontalHeader();
  header->setHighlightSections(false);
  header->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
  // Name and phase, which their tooltips have in full, share what the others leave.
  header->setMinimumSectionSize(40);
  header->setSectionResizeMode(JobTableModel::Name, QHeaderView::Stretch);
  header->setSectionResizeMode(JobTableModel::Phase, QHeaderView::Stretch);
  const std::pair<int, const char*> widest[] = {
      {JobTableModel::Id, "9999"},
      {JobTableModel::State, "Interrupted"},
      {JobTableModel::Progress, "135,000 / 135,000 images"},
      {JobTableModel::Rate, "99,999 images/s"},
      {JobTableModel::Left, "59 min 59 s"},
      {JobTableModel::Started, "2026-11-21 15:50"}};
  for (const auto& [column, text] : widest) {
    const int title = header->fontMetrics().horizontalAdvance(
        model_->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString());
    const int values = table_->fontMetrics().horizontalAdvance(QLatin1String(text));
    table_->setColumnWidth(column, std::max(title + 4, values) + 20);
  }
  stack_->addWidget(table_);
  auto* empty = roleLabel(tr("No jobs yet. What you start on the Train or Attack page waits and "
                             "runs here."),
                          "muted");
  empty->setAlignment(Qt::AlignCenter);
  empty->setWordWrap(true);
  stack_->addWidget(empty);
  stack_->setCurrentIndex(1);
  setWidget(body);

  connect(pause_, &QToolButton::clicked, this, [this] {
    const JobRecord* job = model_->job(selectedJob());
    if (!job) return;
    if (job->state == RunState::Paused) {
      context_.jobs->resume(job->id);
    } else {
      context_.jobs->pause(job->id);
    }
  });
  connect(cancel_, &QToolButton::clicked, this, [this] {
    if (selectedJob() == kHealthJob) {
      context_.jobs->health()->cancel();
      cancel_->setEnabled(false);
    } else {
      context_.jobs->cancel(selectedJob());
    }
  });
  connect(retry_, &QToolButton::clicked, this, [this] {
    if (selectedJob() == kHealthJob) {
      context_.jobs->health()->start(health_->run, context_.database->path());
    } else {
      context_.jobs->retry(selectedJob());
    }
  });
  connect(open_, &QToolButton::clicked, this, &JobsDock::openResults);
  connect(startQueue_, &QToolButton::clicked, this, [this] { context_.jobs->startQueue(); });
  connect(table_, &QTableView::doubleClicked, this, &JobsDock::openResults);
  connect(table_, &QTableView::customContextMenuRequested, this, [this](const QPoint& at) {
    QMenu menu;
    for (auto* button : {pause_, cancel_, retry_, open_}) {
      auto* action = menu.addAction(button->icon(), button->text(), button, &QToolButton::click);
      action->setEnabled(button->isEnabled());
    }
    menu.exec(table_->viewport()->mapToGlobal(at));
  });
  connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this,
          &JobsDock::showActions);
  connect(model_, &JobTableModel::dataChanged, this, &JobsDock::showActions);
  connect(context_.database, &DatabaseService::opened, this, &JobsDock::refresh);
  connect(context_.database, &DatabaseService::changed, this, &JobsDock::refresh);
  connect(context_.jobs, &JobController::progress, model_, &JobTableModel::setProgress);
  connect(context_.jobs, &JobController::submitted, this, [this](qint64 job) {
    wanted_ = job;
    refresh();
  });
  followHealth();
  showActions();
  refresh();
}

// The costly checks are no job of the database, but people look for what computes here.
void JobsDock::followHealth() {
  HealthRunner* runner = context_.jobs->health();
  connect(context_.database, &DatabaseService::opened, this, [this, runner] {
    if (!runner->isRunning()) health_.reset();
  });
  connect(runner, &HealthRunner::started, this, [this](qint64 run) {
    health_ = JobRecord();
    health_->id = kHealthJob;
    health_->run = run;
    health_->name = tr("Costly health checks of run %1").arg(run).toStdString();
    health_->state = RunState::Running;
    health_->started = QDateTime::currentDateTimeUtc().toString(Qt::ISODate).toStdString();
    wanted_ = kHealthJob;
    show();
    raise();
    refresh();
  });
  connect(runner, &HealthRunner::updated, this, [this](const ProgressUpdate& update) {
    if (!health_) return;
    health_->phase = update.phase;
    health_->unit = update.unit;
    health_->done = update.done;
    health_->total = update.total;
    health_->rate = update.rate;
    health_->secondsLeft = update.secondsLeft;
    model_->setProgress(kHealthJob, update);
  });
  connect(runner, &HealthRunner::finished, this,
          [this](qint64, bool cancelled, const QString& problem) {
            if (!health_) return;
            health_->state = cancelled           ? RunState::Cancelled
                             : problem.isEmpty() ? RunState::Done
                                                 : RunState::Failed;
            health_->error = problem.toStdString();
            if (cancelled) health_->phase.clear();  // the program's last words are not one
            refresh();
          });
}

QToolButton* JobsDock::addButton(const QString& name, const QString& iconName,
                                 const QString& text) {
  auto* button = new QToolButton;
  button->setObjectName(name);
  button->setProperty("flat", true);
  button->setIcon(icon(iconName));
  button->setText(text);
  button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  return button;
}

void JobsDock::refresh() {
  if (asking_) {
    again_ = true;
    return;
  }
  asking_ = true;
  context_.database->run(
      this, [](RunStore& store) { return store.jobs(); },
      [this](std::vector<JobRecord> jobs) {
        asking_ = false;
        if (health_) jobs.insert(jobs.begin(), *health_);
        model_->setJobs(std::move(jobs));
        stack_->setCurrentIndex(model_->rowCount() == 0 ? 1 : 0);
        if (const int row = model_->rowOf(wanted_); row >= 0) {
          table_->selectRow(row);
          table_->scrollTo(model_->index(row, 0));
          wanted_ = 0;
        }
        if (!table_->selectionModel()->hasSelection() && model_->rowCount() > 0) {
          table_->selectRow(0);
        }
        showActions();
        if (std::exchange(again_, false)) refresh();
      },
      [this](const Error&) {
        asking_ = false;
        if (std::exchange(again_, false)) refresh();
      });
}

qint64 JobsDock::selectedJob() const {
  const auto rows = table_->selectionModel()->selectedRows();
  return rows.isEmpty() ? 0 : rows.first().data(JobTableModel::JobRole).toLongLong();
}

void JobsDock::showActions() {
  const JobRecord* job = model_->job(selectedJob());
  const RunState state = job ? job->state : RunState::Done;
  const bool active = state == RunState::Running || state == RunState::Paused;
  const bool checks = job && job->id == kHealthJob;
  pause_->setEnabled(job && active && !checks);
  const bool paused = job && state == RunState::Paused;
  pause_->setText(paused ? tr("Resume") : tr("Pause"));
  pause_->setIcon(icon(paused ? QStringLiteral("play") : QStringLiteral("pause")));
  cancel_->setEnabled(job && (active || state == RunState::Queued));
  retry_->setEnabled(job && isFinal(state) && state != RunState::Done &&
                     !(checks && context_.jobs->health()->isRunning()));
  retry_->setText(state == RunState::Interrupted ? tr("Resume") : tr("Retry"));
  retry_->setToolTip(tr("Queue it again; it goes on where it stopped"));
  open_->setEnabled(job);
  bool waiting = false;
  for (int row = 0; row < model_->rowCount(); ++row) {
    waiting = waiting || model_->at(row)->state == RunState::Queued;
  }
  startQueue_->setVisible(waiting && !context_.jobs->isRunning());
}

void JobsDock::openResults() {
  const JobRecord* job = model_->job(selectedJob());
  if (!job) return;
  context_.focus->setRun(job->run);
  context_.navigator->showPage(PageId::Results);
}

}  // namespace bulwark
