#pragma once

#include <QApplication>
#include <QSettings>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QUndoStack>

#include "sample_runs.h"
#include "ui/bridge/app_context.h"
#include "ui/bridge/database_service.h"
#include "ui/bridge/dialogs.h"
#include "ui/bridge/run_focus.h"
#include "ui/bridge/selection_hub.h"
#include "ui/shell/theme.h"

namespace bulwark::testing {

/// A database of sample runs with everything around it that a page needs.
class Workbench {
 public:
  explicit Workbench(int runs = 1) {
    const auto path = folder.filePath(QStringLiteral("runs.db"));
    {
      RunStore store = RunStore::open(path.toStdString());
      for (int i = 0; i < runs; ++i) {
        ids.push_back(addSampleRun(store, "sample " + std::to_string(i + 1), i + 1));
      }
    }
    QSignalSpy opened(&database, &DatabaseService::opened);
    database.open(path);
    if (!opened.wait(10000)) qFatal("the sample database does not open");
    context.database = &database;
    context.focus = &focus;
    context.selection = &selection;
    context.dialogs = &dialogs;
  }

  RunStore store() {
    return RunStore::open(folder.filePath(QStringLiteral("runs.db")).toStdString());
  }

  QTemporaryDir folder;
  std::vector<std::int64_t> ids;
  DatabaseService database;
  RunFocus focus{&database};
  SelectionHub selection;
  ScriptedDialogs dialogs;
  AppContext context;
};

/// Writes a picture of the widget to $BULWARK_GRABS, when that is set, for a person to look at.
inline void grab(QWidget& widget, const QString& name) {
  const QString folder = qEnvironmentVariable("BULWARK_GRABS");
  if (folder.isEmpty()) return;
  QTest::qWait(80);
  widget.grab().save(folder + u'/' + name + QStringLiteral(".png"));
}

/// The same in the light and the dark theme of the window.
inline void grabBoth(QWidget& widget, const QString& name) {
  if (qEnvironmentVariableIsEmpty("BULWARK_GRABS")) return;
  ThemeManager theme;
  theme.apply(Theme::Dark);
  grab(widget, name + QStringLiteral("-dark"));
  theme.apply(Theme::Light);
  grab(widget, name);
}

}  // namespace bulwark::testing
