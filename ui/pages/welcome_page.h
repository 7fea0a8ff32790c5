#pragma once

#include <QWidget>

#include "ui/bridge/app_context.h"

class QLabel;
class QProgressBar;
class QPushButton;

namespace bulwark {

/// What is shown while the database holds no run: what Bulwark is, and the first step.
class WelcomePage : public QWidget {
  Q_OBJECT

 public:
  explicit WelcomePage(const AppContext& context, QWidget* parent = nullptr);

 Q_SIGNALS:
  void openDatabaseRequested();
  void newExperimentRequested();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void runDemo();

  AppContext context_;
  QPushButton* demo_;
  QLabel* progressText_;
  QProgressBar* progress_;
};

/// In place of the pages when the database cannot be used: what is wrong and what can be done.
class DatabaseProblemPage : public QWidget {
  Q_OBJECT

 public:
  explicit DatabaseProblemPage(QWidget* parent = nullptr);
  void setProblem(const QString& path, const QString& problem, const QString& hint);

 Q_SIGNALS:
  void chooseRequested();
  void retryRequested();

 private:
  QLabel* path_;
  QLabel* problem_;
  QLabel* hint_;
};

}  // namespace bulwark
