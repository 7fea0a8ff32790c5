#include "ui/shell/main_window.h"

#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QFileInfo>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenuBar>
#include <QPushButton>
#include <QScreen>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QStyle>

#include "core/base/text.h"
#include "ui/bridge/database_service.h"
#include "ui/bridge/dialogs.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/bridge/health_runner.h"
#include "ui/bridge/job_controller.h"
#include "ui/bridge/run_focus.h"
#include "ui/pages/welcome_page.h"
#include "ui/shell/inspector.h"
#include "ui/shell/jobs_dock.h"
#include "ui/shell/log_dock.h"
#include "ui/shell/page_factory.h"
#include "ui/shell/rail.h"
#include "ui/shell/theme.h"
#include "ui/widgets/page_scroll.h"
#include "ui/widgets/wheel_guard.h"

namespace bulwark {

namespace {
/// To be raised when docks come or go: an older state is then not restored.
constexpr int layoutVersion = 1;
constexpr int jobsHeight = 186;  // pixels: tools, header and two whole rows
/// In pixels: in a narrow window the pages need all the room that the inspector can spare.
int inspectorWidth(int window) {
  return window < 1200 ? 240 : 264;
}
constexpr auto geometryKey = "window/geometry";
constexpr auto stateKey = "window/state";
constexpr auto pageKey = "window/page";
}  // namespace

MainWindow::MainWindow(const AppContext& context, ThemeManager* themes, QWidget* parent)
    : QMainWindow(parent), context_(context), themes_(themes) {
  setObjectName(QStringLiteral("mainWindow"));
  setWindowTitle(QStringLiteral("Bulwark"));
  // Not larger than the screen, less some room for what the desktop keeps on it.
  const QScreen* screen = QGuiApplication::primaryScreen();
  const QSize room = screen ? screen->availableSize() - QSize(40, 60) : QSize(1440, 900);
  resize(QSize(1440, 900).boundedTo(room));
  setMinimumSize(1024, 680);
  setDockOptions(AnimatedDocks | AllowTabbedDocks | AllowNestedDocks);
  setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
  qApp->installEventFilter(new WheelGuard(this));
  makePages();
  makeDocks();
  makeStatusBar();
  makeMenus();
  connectParts();
  firstState_ = saveState(layoutVersion);
  restore();
  updateWelcome();
}

void MainWindow::makePages() {
  auto* centre = new QWidget;
  auto* row = new QHBoxLayout(centre);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  rail_ = new Rail;
  row->addWidget(rail_);
  content_ = new QStackedWidget;
  row->addWidget(content_, 1);
  pages_ = new QStackedWidget;
  pages_->setObjectName(QStringLiteral("pages"));
  for (const auto& info : pageInfos()) {
    pages_->addWidget(new PageScroll(makePage(info.id, context_)));
  }
  content_->addWidget(pages_);
  welcome_ = new WelcomePage(context_);
  content_->addWidget(welcome_);
  problem_ = new DatabaseProblemPage;
  content_->addWidget(problem_);
  setCentralWidget(centre);
  rail_->setCurrent(PageId::Data);
  // While no page is shown, none is marked in the rail.
  connect(content_, &QStackedWidget::currentChanged, this, [this] {
    if (content_->currentWidget() == pages_) {
      rail_->setCurrent(currentPage());
    } else {
      rail_->setNone();
    }
  });
  content_->setFocusPolicy(Qt::ClickFocus);
  content_->setFocus();
}

void MainWindow::makeDocks() {
  inspector_ = new Inspector(context_, this);
  jobs_ = new JobsDock(context_, this);
  log_ = new LogDock(context_, this);
  addDockWidget(Qt::RightDockWidgetArea, inspector_);
  addDockWidget(Qt::BottomDockWidgetArea, jobs_);
  addDockWidget(Qt::BottomDockWidgetArea, log_);
  tabifyDockWidget(jobs_, log_);
  jobs_->raise();
  resizeDocks({inspector_}, {inspectorWidth(width())}, Qt::Horizontal);
  resizeDocks({jobs_}, {jobsHeight}, Qt::Vertical);
}

void MainWindow::makeStatusBar() {
  jobLabel_ = new QLabel;
  jobLabel_->setObjectName(QStringLiteral("statusJob"));
  deviceLabel_ = new QLabel;
  deviceLabel_->setObjectName(QStringLiteral("statusDevice"));
  databaseLabel_ = new QLabel;
  databaseLabel_->setObjectName(QStringLiteral("statusDatabase"));
  statusBar()->addWidget(jobLabel_, 1);
  elsewhere_ = new QLabel;
  elsewhere_->setObjectName(QStringLiteral("statusElsewhere"));
  elsewhere_->hide();
  statusBar()->addPermanentWidget(elsewhere_);
  notice_ = new QLabel;
  notice_->setObjectName(QStringLiteral("statusNotice"));
  noticeOpen_ = new QPushButton(tr("Open"));
  noticeOpen_->setObjectName(QStringLiteral("statusOpen"));
  noticeOpen_->setToolTip(tr("Show the results of this run"));
  statusBar()->addPermanentWidget(notice_);
  statusBar()->addPermanentWidget(noticeOpen_);
  sayDone(0, {});
  connect(noticeOpen_, &QPushButton::clicked, this, [this] {
    context_.focus->setRun(noticeRun_);
    showPage(PageId::Results);
  });
  statusBar()->addPermanentWidget(deviceLabel_);
  statusBar()->addPermanentWidget(databaseLabel_);
}

void MainWindow::connectParts() {
  connect(rail_, &Rail::pageChosen, this, &MainWindow::showPage);
  connect(context_.navigator, &Navigator::pageRequested, this, &MainWindow::showPage);
  connect(welcome_, &WelcomePage::openDatabaseRequested, this, &MainWindow::chooseDatabase);
  connect(welcome_, &WelcomePage::newExperimentRequested, this, [this] { showPage(PageId::Data); });
  connect(problem_, &DatabaseProblemPage::chooseRequested, this, &MainWindow::chooseDatabase);
  connect(problem_, &DatabaseProblemPage::retryRequested, this,
          [this] { context_.database->open(context_.database->path()); });

  connect(context_.database, &DatabaseService::opened, this, [this] {
    dismissed_ = false;
    own_ = {context_.jobs->runningJob()};
    sayDone(0, {});
    content_->setCurrentWidget(pages_);
    updateWelcome();
    updateStatus();
    openNewest();
  });
  connect(context_.database, &DatabaseService::openFailed, this,
          [this](const QString& problem, const QString& hint, const QString& path) {
            if (context_.database->isOpen()) {
              const QString open = context_.database->path();
              const QString text = tr("%1 was not opened: %2").arg(path, problem);
              log_->say(LogLevel::Error, text);
              context_.dialogs->message(
                  this, tr("The run database cannot be used"),
                  text + (hint.isEmpty() ? QString() : QStringLiteral("\n\n") + hint) +
                      QStringLiteral("\n\n") + tr("%1 stays open.").arg(open));
              return;
            }
            problem_->setProblem(path, problem, hint);
            content_->setCurrentWidget(problem_);
            updateStatus();
          });
  connect(context_.database, &DatabaseService::failed, this,
          [this](const QString& text) { statusBar()->showMessage(text, 10000); });
  connect(context_.database, &DatabaseService::changed, this, &MainWindow::updateWelcome);

  connect(context_.jobs, &JobController::submitted, this, [this](qint64, qint64 run) {
    hasRuns_ = true;
    sayDone(0, {});
    if (!isWelcomeShown()) context_.focus->setRun(run);
    jobs_->show();
    jobs_->raise();
  });
  connect(context_.jobs, &JobController::started, this, [this](qint64 job) {
    own_.insert(job);
    updateElsewhere();
  });
  connect(jobs_->model(), &QAbstractItemModel::rowsRemoved, this, &MainWindow::updateElsewhere);
  connect(jobs_->model(), &QAbstractItemModel::modelReset, this, &MainWindow::updateElsewhere);
  connect(jobs_->model(), &QAbstractItemModel::dataChanged, this, &MainWindow::updateElsewhere);
  connect(context_.jobs->health(), &HealthRunner::started, this, &MainWindow::updateStatus);
  connect(context_.jobs->health(), &HealthRunner::finished, this, &MainWindow::updateStatus);
  connect(context_.jobs, &JobController::progress, this,
          [this](qint64 job, const ProgressUpdate& update) {
            QString text = tr("Job %1: %2").arg(job).arg(QString::fromStdString(update.phase));
            if (update.total > 0) {
              text += QStringLiteral("  %1 %").arg(100 * update.done / update.total);
            }
            if (update.secondsLeft) {
              text += tr(", %1 left in this phase")
                          .arg(QString::fromStdString(formatDuration(*update.secondsLeft)));
            }
            jobLabel_->setText(text);
          });
  connect(context_.jobs, &JobController::finished, this, &MainWindow::jobFinished);
  connect(context_.jobs, &JobController::interruptedFound, this, [this](int count) {
    const QString text =
        (count == 1 ? tr("A job was interrupted.") : tr("%1 jobs were interrupted.").arg(count)) +
        QLatin1Char(' ') + tr("\"Resume\" in the Jobs list goes on where it stopped.");
    log_->say(LogLevel::Warning, text);
    statusBar()->showMessage(text, 15000);
    jobs_->show();
    jobs_->raise();
  });
  connect(context_.draft, &ExperimentDraft::changed, this, &MainWindow::updateStatus);
  updateStatus();
}

void MainWindow::restore() {
  QSettings& settings = *context_.settings;
  restoreGeometry(settings.value(QLatin1String(geometryKey)).toByteArray());
  restoreState(settings.value(QLatin1String(stateKey)).toByteArray(), layoutVersion);
  const QString name = settings.value(QLatin1String(pageKey)).toString();
  for (const auto& info : pageInfos()) {
    if (info.name != name) continue;
    pages_->setCurrentIndex(static_cast<int>(info.id));
    rail_->setCurrent(info.id);
  }
}

void MainWindow::showPage(PageId page) {
  if (context_.database->isOpen()) {
    dismissed_ = true;
    content_->setCurrentWidget(pages_);
  }
  pages_->setCurrentIndex(static_cast<int>(page));
  rail_->setCurrent(page);
  if (page == PageId::Results && context_.focus->run() == noticeRun_) sayDone(0, {});
}

PageId MainWindow::currentPage() const {
  return static_cast<PageId>(pages_->currentIndex());
}

QWidget* MainWindow::page(PageId page) const {
  return static_cast<PageScroll*>(pages_->widget(static_cast<int>(page)))->widget();
}

bool MainWindow::isWelcomeShown() const {
  return content_->currentWidget() == welcome_;
}

void MainWindow::dismissWelcome() {
  showPage(currentPage());
}

// The welcome page shows while there is no run, or while the first one is on its way.
void MainWindow::updateWelcome() {
  if (!context_.database->isOpen() || dismissed_ || asking_ || isWelcomeShown()) return;
  asking_ = true;
  context_.database->run(
      this, [](RunStore& store) { return !store.runs(true).empty(); },
      [this](bool any) {
        asking_ = false;
        hasRuns_ = any;
        if (any) {
          dismissed_ = true;
        } else if (!dismissed_) {
          content_->setCurrentWidget(welcome_);
        }
      },
      [this](const Error&) { asking_ = false; });
}

void MainWindow::openNewest() {
  context_.database->run(
      this,
      [](RunStore& store) {
        for (const auto& run : store.runs(true)) {
          if (run.state == RunState::Done) return run.id;
        }
        return std::int64_t{0};
      },
      [this](std::int64_t run) {
        if (run != 0 && context_.focus->run() == 0) context_.focus->setRun(run);
      });
}

void MainWindow::jobFinished(qint64 job, qint64 run, RunState state) {
  jobLabel_->clear();
  const bool first = isWelcomeShown();
  switch (state) {
    case RunState::Done:
      log_->say(LogLevel::Info, tr("Job %1 is done.").arg(job));
      if (first) {
        context_.focus->setRun(run);
        showPage(PageId::Results);
      } else {
        // Nobody is torn from what they are doing; pages that are empty show it.
        if (context_.focus->run() == 0) context_.focus->setRun(run);
        context_.database->run(
            this, [run](RunStore& store) { return store.run(run).name; },
            [this, job, run](const std::string& name) {
              sayDone(run, tr("Job %1 is done: %2")
                               .arg(job)
                               .arg(fontMetrics().elidedText(QString::fromStdString(name),
                                                             Qt::ElideRight, 260)));
            });
      }
      break;
    case RunState::Cancelled:
      log_->say(LogLevel::Info, tr("Job %1 was cancelled.").arg(job));
      break;
    case RunState::Running:
    case RunState::Paused:
      log_->say(LogLevel::Info, tr("Job %1 is computed by another program.").arg(job));
      break;
    default:
      if (!first) context_.focus->setRun(run);
      log_->say(LogLevel::Error, tr("Job %1 did not finish.").arg(job));
      context_.database->run(
          this, [job](RunStore& store) { return store.job(job).error; },
          [this](const std::string& error) {
            if (error.empty()) return;
            log_->say(LogLevel::Error, QString::fromStdString(error));
            statusBar()->showMessage(QString::fromStdString(error), 15000);
          });
  }
  updateStatus();
}

/// A notice with its button until it is opened, overtaken or seen on the Results page; run 0: none.
void MainWindow::sayDone(qint64 run, const QString& text) {
  noticeRun_ = run;
  notice_->setText(text);
  notice_->setVisible(run != 0);
  noticeOpen_->setVisible(run != 0);
}

void MainWindow::updateStatus() {
  const HealthRunner* health = context_.jobs->health();
  if (!context_.jobs->isRunning()) {
    jobLabel_->setText(health->isRunning()      ? tr("Health checks of run %1").arg(health->run())
                       : elsewhere_->isHidden() ? tr("No job is running")
                                                : QString());
  }
  const int threads = context_.draft->threads();
  deviceLabel_->setText(tr("device %1, %2")
                            .arg(context_.draft->device(),
                                 threads == 0 ? tr("all cores") : tr("threads: %1").arg(threads)));
  const QString path = context_.database->path();
  databaseLabel_->setText(context_.database->isOpen() ? QFileInfo(path).fileName()
                                                      : tr("no database"));
  databaseLabel_->setToolTip(path);
}

/// Jobs of this database that another program computes, such as a run of the command line.
void MainWindow::updateElsewhere() {
  QStringList names;
  for (int row = 0; row < jobs_->model()->rowCount(); ++row) {
    const JobRecord& job = *jobs_->model()->at(row);
    const bool active = job.state == RunState::Running || job.state == RunState::Paused;
    if (!active || job.id == kHealthJob || own_.contains(job.id)) continue;
    names += tr("Job %1: %2").arg(job.id).arg(QString::fromStdString(job.name));
  }
  elsewhere_->setText(tr("%1 running elsewhere").arg(names.size()));
  elsewhere_->setToolTip(tr("Started by another program, for example the command line:") + u'\n' +
                         names.join(u'\n'));
  elsewhere_->setVisible(!names.isEmpty());
  updateStatus();
}

void MainWindow::resetLayout() {
  restoreState(firstState_, layoutVersion);
  resizeDocks({inspector_}, {inspectorWidth(width())}, Qt::Horizontal);
  resizeDocks({jobs_}, {jobsHeight}, Qt::Vertical);
  context_.settings->remove(QLatin1String(stateKey));
}

void MainWindow::closeEvent(QCloseEvent* event) {
  if (context_.jobs->isRunning()) {
    const int choice = context_.dialogs->question(
        this, tr("A job is running"),
        tr("The job can go on without the window, or be cancelled. A cancelled job can be resumed "
           "later."),
        {tr("Keep it running"), tr("Cancel the job")});
    if (choice < 0) {
      event->ignore();
      return;
    }
    if (choice == 0) {
      context_.jobs->detach();
    } else {
      context_.jobs->cancel(context_.jobs->runningJob());
    }
  }
  HealthRunner* health = context_.jobs->health();
  if (health->isRunning()) {
    const int choice = context_.dialogs->question(
        this, tr("Health checks are running"),
        tr("The costly health checks of run %1 end with the window; started again, they begin "
           "anew.")
            .arg(health->run()),
        {tr("Stop the checks"), tr("Keep the window open")});
    if (choice != 0) {
      event->ignore();
      return;
    }
    health->cancel();
  }
  QSettings& settings = *context_.settings;
  settings.setValue(QLatin1String(geometryKey), saveGeometry());
  settings.setValue(QLatin1String(stateKey), saveState(layoutVersion));
  settings.setValue(QLatin1String(pageKey), pageInfos().at(static_cast<int>(currentPage())).name);
  settings.sync();
  event->accept();
}

}  // namespace bulwark
