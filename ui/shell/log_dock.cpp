#include "ui/shell/log_dock.h"

#include <QComboBox>
#include <QDateTime>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QScrollBar>
#include <QTableView>
#include <QVBoxLayout>
#include <iterator>

#include "ui/bridge/database_service.h"
#include "ui/bridge/job_controller.h"
#include "ui/bridge/run_focus.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {
constexpr int drainInterval = 100;  // ms
}

LogDock::LogDock(const AppContext& context, QWidget* parent)
    : QDockWidget(tr("Log"), parent),
      context_(context),
      model_(new LogModel(this)),
      filter_(new LogFilter(this)) {
  setObjectName(QStringLiteral("logDock"));
  filter_->setSourceModel(model_);
  auto* body = new QWidget;
  auto* layout = new QVBoxLayout(body);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  auto* tools = new QHBoxLayout;
  tools->setContentsMargins(8, 4, 8, 4);
  tools->setSpacing(8);
  source_ = roleLabel(tr("No run yet"), "muted");
  tools->addWidget(source_);
  tools->addStretch(1);
  auto* level = new QComboBox;
  level->setObjectName(QStringLiteral("logLevel"));
  level->setAccessibleName(tr("Least level shown"));
  level->addItems({tr("All"), tr("Info"), tr("Warnings"), tr("Errors")});
  level->setCurrentIndex(1);
  tools->addWidget(level);
  auto* search = new QLineEdit;
  search->setObjectName(QStringLiteral("logSearch"));
  search->setPlaceholderText(tr("Filter"));
  search->setClearButtonEnabled(true);
  search->setMaximumWidth(160);
  tools->addWidget(search);
  layout->addLayout(tools);
  table_ = new QTableView;
  table_->setObjectName(QStringLiteral("logTable"));
  table_->setAccessibleName(tr("Log lines"));
  table_->setModel(filter_);
  table_->setShowGrid(false);
  table_->setWordWrap(false);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->verticalHeader()->hide();
  table_->verticalHeader()->setDefaultSectionSize(22);
  table_->horizontalHeader()->hide();
  table_->horizontalHeader()->setStretchLastSection(true);
  table_->setColumnWidth(LogModel::Time, 72);
  table_->setColumnWidth(LogModel::Level, 64);
  layout->addWidget(table_, 1);
  setWidget(body);

  connect(level, &QComboBox::currentIndexChanged, filter_, &LogFilter::setLeastSeverity);
  connect(search, &QLineEdit::textChanged, filter_, &LogFilter::setText);
  timer_.setInterval(drainInterval);
  connect(&timer_, &QTimer::timeout, this, &LogDock::drain);
  timer_.start();
  connect(context_.focus, &RunFocus::runChanged, this, &LogDock::setRun);
  connect(context_.focus, &RunFocus::contentChanged, this, [this] { stale_ = true; });
  connect(context_.jobs, &JobController::started, this, [this](qint64, qint64 run) {
    if (context_.focus->run() == 0) setRun(run);
  });
  connect(context_.database, &DatabaseService::changed, this, [this] { stale_ = true; });
  connect(context_.database, &DatabaseService::failed, this,
          [this](const QString& text) { say(LogLevel::Error, text); });
  setRun(context_.focus->run());
}

void LogDock::setRun(qint64 run) {
  if (run == run_) return;
  run_ = run;
  lastId_ = 0;
  model_->clear();
  source_->setText(run == 0 ? tr("No run yet") : tr("Run %1").arg(run));
  stale_ = true;
}

void LogDock::say(LogLevel level, const QString& text) {
  static const char* const names[] = {"debug", "info", "warning", "error"};
  LogLine line;
  line.time = QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs).toStdString();
  line.level = names[static_cast<int>(level)];
  line.text = text.toStdString();
  waiting_.push_back(std::move(line));
}

void LogDock::fetch() {
  if (asking_ || run_ == 0 || !context_.database->isOpen()) return;
  asking_ = true;
  stale_ = false;
  context_.database->run(
      this, [run = run_, after = lastId_](RunStore& store) { return store.log(run, after); },
      [this, run = run_](std::vector<LogLine> lines) {
        asking_ = false;
        if (run != run_ || lines.empty()) return;
        lastId_ = lines.back().id;
        waiting_.insert(waiting_.end(), std::make_move_iterator(lines.begin()),
                        std::make_move_iterator(lines.end()));
      },
      [this](const Error&) { asking_ = false; });
}

void LogDock::drain() {
  if (stale_) fetch();
  if (waiting_.empty()) return;
  auto* bar = table_->verticalScrollBar();
  const bool atEnd = bar->value() == bar->maximum();
  model_->append(waiting_);
  waiting_.clear();
  if (atEnd) table_->scrollToBottom();  // someone who reads further up is left there
}

}  // namespace bulwark
