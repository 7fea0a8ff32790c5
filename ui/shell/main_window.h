#pragma once

#include <QMainWindow>
#include <QSet>

#include "core/store/records.h"
#include "ui/bridge/app_context.h"
#include "ui/bridge/navigator.h"

class QActionGroup;
class QLabel;
class QPushButton;
class QStackedWidget;

namespace bulwark {

class DatabaseProblemPage;
class Inspector;
class JobsDock;
class LogDock;
class Rail;
class ThemeManager;
class WelcomePage;

/// The window: rail and pages, docks, menus, status bar, and what is remembered of them.
class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  MainWindow(const AppContext& context, ThemeManager* themes, QWidget* parent = nullptr);

  void showPage(PageId page);
  PageId currentPage() const;
  /// The widget of a page; never null.
  QWidget* page(PageId page) const;
  bool isWelcomeShown() const;
  /// Leaves the welcome page until the next database.
  void dismissWelcome();
  void resetLayout();
  JobsDock* jobsDock() const { return jobs_; }
  LogDock* logDock() const { return log_; }

 public Q_SLOTS:
  void chooseDatabase();

 protected:
  void closeEvent(QCloseEvent* event) override;

 private:
  void makePages();
  void makeDocks();
  void makeMenus();
  void makeStatusBar();
  void connectParts();
  void restore();
  void updateWelcome();
  void updateStatus();
  void updateElsewhere();
  void jobFinished(qint64 job, qint64 run, RunState state);
  void openNewest();
  void sayDone(qint64 run, const QString& text);
  void importRuns();
  void loadSpecification();
  void saveSpecification();
  void showShortcuts();
  void showAbout();
  void setTheme(QAction* action);

  AppContext context_;
  ThemeManager* themes_;
  Rail* rail_;
  QStackedWidget* pages_;
  QStackedWidget* content_;
  WelcomePage* welcome_;
  DatabaseProblemPage* problem_;
  Inspector* inspector_;
  JobsDock* jobs_;
  LogDock* log_;
  QLabel* databaseLabel_;
  QLabel* deviceLabel_;
  QLabel* jobLabel_;
  QLabel* elsewhere_;
  QSet<qint64> own_;  ///< jobs that this window has started
  QLabel* notice_;
  QPushButton* noticeOpen_;
  qint64 noticeRun_ = 0;
  QActionGroup* themeActions_;
  QByteArray firstState_;
  bool hasRuns_ = false;
  bool dismissed_ = false;
  bool asking_ = false;
};

}  // namespace bulwark
