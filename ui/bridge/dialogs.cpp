#include "ui/bridge/dialogs.h"

#include <QDir>
#include <QFileInfo>
#include <QMessageBox>
#include <QPushButton>

#include "ui/bridge/file_dialog.h"

namespace bulwark {

QString DesktopDialogs::openFile(QWidget* parent, const QString& title, const QString& filter) {
  FileDialog files(parent, title, folder_, filter);
  files.dialog().setFileMode(QFileDialog::ExistingFile);
  return remember(files.ask());
}

QString DesktopDialogs::openFolder(QWidget* parent, const QString& title) {
  FileDialog files(parent, title, folder_, {});
  files.dialog().setFileMode(QFileDialog::Directory);
  files.dialog().setOption(QFileDialog::ShowDirsOnly);
  return remember(files.ask());
}

QString DesktopDialogs::saveFile(QWidget* parent, const QString& title, const QString& suggested,
                                 const QString& filter) {
  FileDialog files(parent, title, QDir(folder_).filePath(suggested), filter);
  files.dialog().setAcceptMode(QFileDialog::AcceptSave);
  files.dialog().setFileMode(QFileDialog::AnyFile);
  files.dialog().setDefaultSuffix(QFileInfo(suggested).suffix());
  return remember(files.ask());
}

QString DesktopDialogs::remember(const QString& path) {
  if (!path.isEmpty()) folder_ = QFileInfo(path).absolutePath();
  return path;
}

void DesktopDialogs::message(QWidget* parent, const QString& title, const QString& text) {
  QMessageBox::information(parent, title, text);
}

int DesktopDialogs::question(QWidget* parent, const QString& title, const QString& text,
                             const QStringList& buttons) {
  QMessageBox box(QMessageBox::Question, title, text, QMessageBox::NoButton, parent);
  QList<QAbstractButton*> added;
  for (const QString& button : buttons) {
    added << box.addButton(button,
                           added.isEmpty() ? QMessageBox::AcceptRole : QMessageBox::ActionRole);
  }
  auto* close = box.addButton(QMessageBox::Cancel);
  close->setVisible(buttons.size() < 3);
  box.exec();
  return static_cast<int>(added.indexOf(box.clickedButton()));
}

QString ScriptedDialogs::nextPath(const QString& title) {
  titles << title;
  return paths.isEmpty() ? QString() : paths.takeFirst();
}

QString ScriptedDialogs::openFile(QWidget*, const QString& title, const QString&) {
  return nextPath(title);
}

QString ScriptedDialogs::openFolder(QWidget*, const QString& title) {
  return nextPath(title);
}

QString ScriptedDialogs::saveFile(QWidget*, const QString& title, const QString&, const QString&) {
  return nextPath(title);
}

void ScriptedDialogs::message(QWidget*, const QString& title, const QString& text) {
  titles << title;
  shown << text;
}

int ScriptedDialogs::question(QWidget*, const QString& title, const QString& text,
                              const QStringList&) {
  titles << title;
  shown << text;
  return choices.isEmpty() ? -1 : choices.takeFirst();
}

}  // namespace bulwark
