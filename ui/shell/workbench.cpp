#include "ui/shell/workbench.h"

#include <QComboBox>
#include <QDeadlineTimer>
#include <QDir>
#include <QEventLoop>
#include <QPixmap>
#include <QStandardPaths>
#include <QStatusBar>
#include <QThreadPool>
#include <QTimer>
#include <memory>
#include <optional>

#include "core/experiment/specification.h"
#include "ui/bridge/database_service.h"
#include "ui/bridge/draft_checker.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/bridge/job_controller.h"
#include "ui/bridge/navigator.h"
#include "ui/bridge/run_focus.h"
#include "ui/bridge/selection_hub.h"
#include "ui/pages/results_page.h"
#include "ui/plots/curve_switch.h"
#include "ui/shell/main_window.h"
#include "ui/shell/rail.h"
#include "ui/shell/theme.h"

namespace bulwark {

namespace {

constexpr auto databaseKey = "database/path";
constexpr auto draftKey = "experiment/draft";

QString settingsPath(const QString& wanted) {
  if (!wanted.isEmpty()) return wanted;
  const QString folder = QStandardPaths::writableLocation(QStandardPaths::AppConfigLocation);
  QDir().mkpath(folder);
  return QDir(folder).filePath(QStringLiteral("bulwark.ini"));
}

void wait(int milliseconds) {
  QEventLoop loop;
  QTimer::singleShot(milliseconds, &loop, &QEventLoop::quit);
  loop.exec();
}

}  // namespace

Workbench::Workbench(Options options, QObject* parent)
    : QObject(parent), options_(std::move(options)) {
  settings_ =
      std::make_unique<QSettings>(settingsPath(options_.settingsFile), QSettings::IniFormat);
  registries_ = std::make_unique<Registries>(builtinRegistries());
  catalogue_ =
      std::make_unique<DatasetCatalogue>(DatasetCatalogue::defaultFolders(options_.dataFolders));
  if (!options_.dialogs) options_.dialogs = std::make_unique<DesktopDialogs>();
  themes_ = new ThemeManager(this);
  themes_->apply(themeFromName(settings_->value(QStringLiteral("window/theme")).toString()));

  context_.database = new DatabaseService(this);
  context_.settings = settings_.get();
  context_.registries = registries_.get();
  context_.catalogue = catalogue_.get();
  context_.dialogs = options_.dialogs.get();
  context_.navigator = new Navigator(this);
  context_.focus = new RunFocus(context_.database, this);
  context_.selection = new SelectionHub(this);
  context_.draft = new ExperimentDraft(this);
  const Json draft = Json::parse(settings_->value(QLatin1String(draftKey)).toString().toStdString(),
                                 nullptr, false);
  if (draft.is_object()) context_.draft->load(draft);
  context_.checker = new DraftChecker(context_.draft, registries_.get(), catalogue_.get(), this);
  context_.jobs = new JobController(context_.database, options_.worker, this);
  window_ = std::make_unique<MainWindow>(context_, themes_);
}

Workbench::~Workbench() {
  settings_->setValue(QLatin1String(draftKey),
                      QString::fromStdString(context_.draft->specification().dump()));
  window_.reset();
  delete context_.checker;
  // What still runs on the pool has been cancelled by its owners and uses the registries.
  QThreadPool::globalInstance()->waitForDone();
  delete context_.jobs;
  delete context_.focus;
  delete context_.database;
}

void Workbench::start() {
  QString path = options_.database;
  if (path.isEmpty()) path = settings_->value(QLatin1String(databaseKey)).toString();
  if (path.isEmpty()) path = QString::fromStdString(RunStore::defaultPath().string());
  connect(context_.database, &DatabaseService::opened, this, [this](const QString& opened) {
    // A database named on the command line is for this time only.
    if (opened != options_.database) settings_->setValue(QLatin1String(databaseKey), opened);
  });
  context_.database->open(path);
}

bool Workbench::renderPages(const QString& folder, QString* error) {
  QDir().mkpath(folder);
  window_->resize(1440, 900);
  window_->show();
  window_->resetLayout();
  const QDeadlineTimer patience(10000);
  while (!context_.database->isOpen() && !patience.hasExpired()) wait(50);
  wait(800);
  if (const qint64 run = context_.focus->run()) {
    context_.database->run(
        this, [run](RunStore& store) { return store.run(run).specification; },
        [this](const Json& specification) { context_.draft->load(specification); });
    wait(800);
  }
  // Runs of the presets made for the health panel, if there are any: 0 where there is none.
  const auto finished = [this](const char* name) {
    const auto found = std::make_shared<std::optional<qint64>>();
    context_.database->run(
        this,
        [title = preset(name).specification.value("name", std::string())](RunStore& store) {
          std::int64_t last = 0;
          for (const RunRecord& run : store.runs()) {
            if (run.name == title && run.state == RunState::Done) last = run.id;
          }
          return last;
        },
        [found](std::int64_t run) { *found = run; });
    const QDeadlineTimer limit(10000);
    while (!*found && !limit.hasExpired()) wait(50);
    return found->value_or(0);
  };
  const qint64 sound = finished("sound"), masked = finished("masked"),
               byClass = finished("svdd-demo");
  const qint64 shown = context_.focus->run();
  for (const Theme theme : {Theme::Light, Theme::Dark}) {
    themes_->apply(theme);
    const auto save = [&](const QString& name) {
      window_->statusBar()->clearMessage();
      wait(900);
      const QString path = QDir(folder).filePath(name + QLatin1Char('-') + themeName(theme) +
                                                 QStringLiteral(".png"));
      if (window_->grab().save(path)) return true;
      *error = tr("%1 cannot be written").arg(path);
      return false;
    };
    auto* results = window_->findChild<ResultsPage*>();
    for (const auto& info : pageInfos()) {
      window_->showPage(info.id);
      if (!save(info.name)) return false;
      if (info.id != PageId::Results) continue;
      const auto show = [&](qint64 run, ResultsPage::Part part) {
        context_.focus->setRun(run);
        results->showPart(part);
        wait(800);
        results->showPart(part);  // the run may have had to be read first
      };
      const auto chooseLastDetector = [&] {
        auto* detector = results->findChild<QComboBox*>(QStringLiteral("resultsDetector"));
        detector->setCurrentIndex(detector->count() - 1);
        wait(400);
      };
      bool saved = true;
      if (byClass != 0) {
        show(byClass, ResultsPage::Figures);
        chooseLastDetector();
        auto* curves = results->findChild<CurveSwitch*>();
        curves->choose(QStringLiteral("layer-error"));
        saved = save(QStringLiteral("layers"));
        curves->choose(QStringLiteral("weight-tnr95_per_class"));
        saved = saved && save(QStringLiteral("weights"));
        curves->choose(QStringLiteral("pr"));
        results->showPart(ResultsPage::Classes);
        saved = saved && save(QStringLiteral("classes"));
      }
      show(sound != 0 ? sound : shown, ResultsPage::Health);
      saved = saved && save(QStringLiteral("health"));
      if (saved && masked != 0) {
        show(masked, ResultsPage::Health);
        chooseLastDetector();  // the squashed score comes after the plain one
        saved = save(QStringLiteral("health-masked"));
      }
      show(shown, ResultsPage::Figures);
      if (!saved) return false;
    }
  }
  return true;
}

}  // namespace bulwark
