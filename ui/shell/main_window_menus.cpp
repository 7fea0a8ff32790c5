// The menus of the main window and what they do themselves.
#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QMenuBar>
#include <QSettings>
#include <QStatusBar>
#include <QUndoStack>

#include "bulwark/version.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/experiment/specification.h"
#include "ui/bridge/database_service.h"
#include "ui/bridge/dialogs.h"
#include "ui/bridge/draft_checker.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/bridge/health_runner.h"
#include "ui/bridge/job_controller.h"
#include "ui/bridge/selection_hub.h"
#include "ui/shell/icons.h"
#include "ui/shell/inspector.h"
#include "ui/shell/jobs_dock.h"
#include "ui/shell/log_dock.h"
#include "ui/shell/main_window.h"
#include "ui/shell/rail.h"
#include "ui/shell/theme.h"

namespace bulwark {

namespace {

QString databaseFilter() {
  return MainWindow::tr("Run databases (*.db);;All files (*)");
}

QString specificationFilter() {
  return MainWindow::tr("Experiment specifications (*.json);;All files (*)");
}

}  // namespace

void MainWindow::makeMenus() {
  const auto add = [this](QMenu* menu, const QString& name, const QString& text,
                          const QKeySequence& keys, auto&& slot) {
    auto* action = menu->addAction(text);
    action->setObjectName(name);
    action->setShortcut(keys);
    connect(action, &QAction::triggered, this, slot);
    return action;
  };

  auto* file = menuBar()->addMenu(tr("&File"));
  add(file, QStringLiteral("actionNew"), tr("&New experiment"), QKeySequence::New, [this] {
    context_.draft->load(Json());
    showPage(PageId::Data);
  });
  add(file, QStringLiteral("actionOpenDatabase"), tr("&Open database…"), QKeySequence::Open,
      [this] { chooseDatabase(); });
  add(file, QStringLiteral("actionImport"), tr("&Import runs…"), {}, [this] { importRuns(); });
  file->addSeparator();
  add(file, QStringLiteral("actionLoadSpecification"), tr("&Load specification…"), {},
      [this] { loadSpecification(); });
  add(file, QStringLiteral("actionSaveSpecification"), tr("&Save specification as…"),
      QKeySequence::Save, [this] { saveSpecification(); });
  file->addSeparator();
  add(file, QStringLiteral("actionQuit"), tr("&Quit"), QKeySequence::Quit, [this] { close(); });

  auto* edit = menuBar()->addMenu(tr("&Edit"));
  QAction* undo = context_.selection->undoStack()->createUndoAction(this, tr("&Undo"));
  undo->setObjectName(QStringLiteral("actionUndo"));
  undo->setShortcut(QKeySequence::Undo);
  QAction* redo = context_.selection->undoStack()->createRedoAction(this, tr("&Redo"));
  redo->setObjectName(QStringLiteral("actionRedo"));
  redo->setShortcut(QKeySequence::Redo);
  edit->addActions({undo, redo});
  edit->addSeparator();
  add(edit, QStringLiteral("actionCopySpecification"), tr("&Copy specification"),
      QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C), [this] {
        QApplication::clipboard()->setText(
            QString::fromStdString(context_.draft->specification().dump(2)));
        statusBar()->showMessage(tr("The specification was copied."), 4000);
      });
  auto* presetMenu = edit->addMenu(tr("Start from &preset"));
  for (const auto& entry : presets()) {
    auto* action = presetMenu->addAction(QString::fromStdString(entry.name));
    action->setToolTip(QString::fromStdString(entry.summary));
    connect(action, &QAction::triggered, this, [this, name = entry.name] {
      context_.draft->load(preset(name).specification);
      showPage(PageId::Train);
    });
  }

  auto* view = menuBar()->addMenu(tr("&View"));
  int number = 0;
  for (const auto& info : pageInfos()) {
    auto* action =
        add(view, QStringLiteral("actionPage_") + info.name, info.title,
            QKeySequence(Qt::CTRL | (Qt::Key_1 + number)), [this, id = info.id] { showPage(id); });
    action->setIcon(icon(info.icon));
    ++number;
  }
  view->addSeparator();
  view->addAction(inspector_->toggleViewAction());
  view->addAction(jobs_->toggleViewAction());
  view->addAction(log_->toggleViewAction());
  view->addSeparator();
  auto* themes = view->addMenu(tr("&Theme"));
  themeActions_ = new QActionGroup(this);
  const std::pair<Theme, QString> choices[] = {{Theme::System, tr("As the desktop")},
                                               {Theme::Light, tr("Light")},
                                               {Theme::Dark, tr("Dark")}};
  for (const auto& [theme, title] : choices) {
    auto* action = themes->addAction(title);
    action->setObjectName(QStringLiteral("actionTheme_") + themeName(theme));
    action->setData(themeName(theme));
    action->setCheckable(true);
    action->setChecked(themes_->theme() == theme);
    themeActions_->addAction(action);
  }
  connect(themeActions_, &QActionGroup::triggered, this, &MainWindow::setTheme);
  add(view, QStringLiteral("actionResetLayout"), tr("&Reset layout"), {},
      [this] { resetLayout(); });

  auto* run = menuBar()->addMenu(tr("&Run"));
  auto* start = add(run, QStringLiteral("actionStart"), tr("&Start this experiment"),
                    QKeySequence(Qt::CTRL | Qt::Key_R), [this] {
                      const ExperimentDraft& draft = *context_.draft;
                      context_.jobs->submit(draft.name(), context_.checker->last().complete,
                                            draft.seed(), draft.device(), draft.threads());
                    });
  const auto allow = [this, start] {
    start->setEnabled(!context_.checker->isPending() && context_.checker->last().valid);
  };
  connect(context_.checker, &DraftChecker::pending, this, allow);
  connect(context_.checker, &DraftChecker::checked, this, allow);
  allow();
  auto* cancel = add(run, QStringLiteral("actionCancel"), tr("&Cancel the running job"),
                     QKeySequence(Qt::CTRL | Qt::Key_Period),
                     [this] { context_.jobs->cancel(context_.jobs->runningJob()); });
  cancel->setEnabled(false);
  const auto allowCancel = [this, cancel] { cancel->setEnabled(context_.jobs->isRunning()); };
  connect(context_.jobs, &JobController::started, this, allowCancel);
  connect(context_.jobs, &JobController::finished, this, allowCancel);
  add(run, QStringLiteral("actionStartQueue"), tr("Start the &queue"), {},
      [this] { context_.jobs->startQueue(); });

  auto* help = menuBar()->addMenu(tr("&Help"));
  add(help, QStringLiteral("actionShortcuts"), tr("&Keyboard shortcuts"),
      QKeySequence(Qt::CTRL | Qt::Key_Slash), [this] { showShortcuts(); });
  add(help, QStringLiteral("actionAbout"), tr("&About Bulwark"), {}, [this] { showAbout(); });
}

void MainWindow::setTheme(QAction* action) {
  themes_->apply(themeFromName(action->data().toString()));
  context_.settings->setValue(QStringLiteral("window/theme"), action->data());
}

void MainWindow::chooseDatabase() {
  const QString path =
      context_.dialogs->openFile(this, tr("Open a run database"), databaseFilter());
  if (path.isEmpty()) return;
  if (context_.jobs->isRunning() || context_.jobs->health()->isRunning()) {
    context_.dialogs->message(this, tr("A job is running"),
                              tr("Cancel the running job, or wait for it, before opening another "
                                 "database."));
    return;
  }
  context_.database->open(path);
}

void MainWindow::importRuns() {
  const QString path = context_.dialogs->openFile(this, tr("Import runs from"), databaseFilter());
  if (path.isEmpty()) return;
  context_.database->run(
      this, [path = path.toStdString()](RunStore& store) { return store.importFrom(path).size(); },
      [this](std::size_t count) {
        statusBar()->showMessage(tr("Runs imported: %1").arg(count), 8000);
      },
      [this](const Error& error) {
        context_.dialogs->message(this, tr("Nothing was imported"),
                                  QString::fromStdString(error.what()));
      });
}

void MainWindow::loadSpecification() {
  const QString path =
      context_.dialogs->openFile(this, tr("Load a specification"), specificationFilter());
  if (path.isEmpty()) return;
  try {
    context_.draft->load(Specification::readJson(path.toStdString()));
    showPage(PageId::Train);
  } catch (const Error& error) {
    context_.dialogs->message(this, tr("The specification cannot be read"),
                              QString::fromStdString(error.what()));
  }
}

void MainWindow::saveSpecification() {
  const QString path = context_.dialogs->saveFile(this, tr("Save the specification"),
                                                  context_.draft->name() + QStringLiteral(".json"),
                                                  specificationFilter());
  if (path.isEmpty()) return;
  try {
    writeFileAtomically(path.toStdString(), context_.draft->specification().dump(2) + "\n");
  } catch (const Error& error) {
    context_.dialogs->message(this, tr("The specification was not saved"),
                              QString::fromStdString(error.what()));
  }
}

void MainWindow::showShortcuts() {
  QString rows;
  for (const auto* action : findChildren<QAction*>()) {
    if (action->shortcut().isEmpty() || action->objectName().isEmpty()) continue;
    rows += QStringLiteral("<tr><td style='padding:2px 24px 2px 0'><b>%1</b></td><td>%2</td></tr>")
                .arg(action->shortcut().toString(QKeySequence::NativeText).toHtmlEscaped(),
                     action->text().remove(QLatin1Char('&')).toHtmlEscaped());
  }
  context_.dialogs->message(this, tr("Keyboard shortcuts"),
                            QStringLiteral("<table>%1</table>").arg(rows));
}

void MainWindow::showAbout() {
  context_.dialogs->message(
      this, tr("About Bulwark"),
      tr("<h3>Bulwark %1</h3><p>A workbench for robust out-of-distribution and anomaly "
         "detection.</p><p>Licence: GPL-3.0-or-later. Made with Qt %2, LibTorch, QCustomPlot, "
         "OpenCV and SQLite.</p>")
          .arg(QStringLiteral(BULWARK_VERSION), QString::fromLatin1(qVersion())));
}

}  // namespace bulwark
