#pragma once

#include <QAbstractFileIconProvider>
#include <QFileDialog>
#include <QIcon>

namespace bulwark {

/// Icons and type names by folder and suffix alone: no file is ever opened.
///
/// Qt's own provider sniffs the content of every listed file. Closing any descriptor of a database
/// file drops all POSIX locks that SQLite holds on it in this process
/// (sqlite.org/howtocorrupt.html, section 2.2): the next program to open the database believes to
/// be alone and takes the write-ahead log away from under our connection.
class BlindIconProvider : public QAbstractFileIconProvider {
 public:
  BlindIconProvider();  ///< in the window's thread; used by the dialog's worker thread

  QIcon icon(IconType type) const override;
  QIcon icon(const QFileInfo& info) const override;
  QString type(const QFileInfo& info) const override;

 private:
  QIcon folder_;
  QIcon file_;
  QIcon drive_;
};

/// The only file dialog of the program: it lists a folder without opening what lies in it. The
/// desktop's native dialogs are not used, because they look into files too, in our process.
class FileDialog {
 public:
  /// `at`: folder to show, a file to suggest, or both in one path; empty: where Qt was last.
  FileDialog(QWidget* parent, const QString& title, const QString& at, const QString& filter);

  QFileDialog& dialog() { return dialog_; }
  /// The chosen path, or empty when the user gave up.
  QString ask();

 private:
  BlindIconProvider icons_;  // outlives the dialog, whose worker thread asks it
  QFileDialog dialog_;
};

}  // namespace bulwark
