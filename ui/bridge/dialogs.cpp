#include "ui/bridge/dialogs.h"

#include <QFileDialog>
#include <QMessageBox>
#include <QPushButton>

namespace bulwark {

QString DesktopDialogs::openFile(QWidget* parent, const QString& title, const QString& filter) {
  return QFileDialog::getOpenFileName(parent, title, {}, filter);
}

QString DesktopDialogs::openFolder(QWidget* parent, const QString& title) {
  return QFileDialog::getExistingDirectory(parent, title);
}

QString DesktopDialogs::saveFile(QWidget* parent, const QString& title, const QString& suggested,
                                 const QString& filter) {
  return QFileDialog::getSaveFileName(parent, title, suggested, filter);
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
