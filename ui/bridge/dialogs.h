#pragma once

#include <QDir>
#include <QList>
#include <QString>
#include <QStringList>

class QWidget;

namespace bulwark {

/// Every modal question of the window goes through here, so that tests can answer.
class DialogProvider {
 public:
  virtual ~DialogProvider() = default;
  /// Existing file, or empty when the user gave up. `filter` as in QFileDialog.
  virtual QString openFile(QWidget* parent, const QString& title, const QString& filter) = 0;
  virtual QString openFolder(QWidget* parent, const QString& title) = 0;
  /// File to write (overwriting was confirmed), or empty. `suggested`: name or whole path.
  virtual QString saveFile(QWidget* parent, const QString& title, const QString& suggested,
                           const QString& filter) = 0;
  virtual void message(QWidget* parent, const QString& title, const QString& text) = 0;
  /// Index of the chosen one of `buttons`, or -1 when the dialog was closed.
  virtual int question(QWidget* parent, const QString& title, const QString& text,
                       const QStringList& buttons) = 0;
};

/// Dialogs for the person at the desktop; those for files open no file (file_dialog.h).
class DesktopDialogs : public DialogProvider {
 public:
  QString openFile(QWidget* parent, const QString& title, const QString& filter) override;
  QString openFolder(QWidget* parent, const QString& title) override;
  QString saveFile(QWidget* parent, const QString& title, const QString& suggested,
                   const QString& filter) override;
  void message(QWidget* parent, const QString& title, const QString& text) override;
  int question(QWidget* parent, const QString& title, const QString& text,
               const QStringList& buttons) override;

 private:
  QString remember(const QString& path);

  QString folder_ = QDir::currentPath();  ///< of the last answer: where the next dialog starts
};

/// Answers from a script and keeps what was asked: for tests and for rendering screenshots.
class ScriptedDialogs : public DialogProvider {
 public:
  QStringList paths;   ///< next answers of openFile, openFolder and saveFile
  QList<int> choices;  ///< next answers of question
  QStringList shown;   ///< texts of messages and questions so far
  QStringList titles;  ///< titles of everything asked so far

  QString openFile(QWidget* parent, const QString& title, const QString& filter) override;
  QString openFolder(QWidget* parent, const QString& title) override;
  QString saveFile(QWidget* parent, const QString& title, const QString& suggested,
                   const QString& filter) override;
  void message(QWidget* parent, const QString& title, const QString& text) override;
  int question(QWidget* parent, const QString& title, const QString& text,
               const QStringList& buttons) override;

 private:
  QString nextPath(const QString& title);
};

}  // namespace bulwark
