#include "ui/bridge/file_dialog.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileIconProvider>
#include <QFileInfo>

namespace bulwark {

BlindIconProvider::BlindIconProvider() {
  // The icons of a kind, unlike those of a file, need no file.
  const QFileIconProvider kinds;
  folder_ = kinds.icon(Folder);
  file_ = kinds.icon(File);
  drive_ = kinds.icon(Drive);
}

QIcon BlindIconProvider::icon(IconType type) const {
  if (type == File) return file_;
  return type == Drive || type == Computer ? drive_ : folder_;
}

QIcon BlindIconProvider::icon(const QFileInfo& info) const {
  if (info.isRoot()) return drive_;
  return info.isDir() ? folder_ : file_;
}

QString BlindIconProvider::type(const QFileInfo& info) const {
  if (info.isDir()) return QCoreApplication::translate("FileDialog", "Folder");
  const QString suffix = info.suffix();
  if (suffix.isEmpty()) return QCoreApplication::translate("FileDialog", "File");
  return QCoreApplication::translate("FileDialog", "%1 file").arg(suffix.toUpper());
}

// The constructor of QFileDialog already shows a folder: the root, until the icons are ours.
FileDialog::FileDialog(QWidget* parent, const QString& title, const QString& at,
                       const QString& filter)
    : dialog_(parent, title, QDir::rootPath()) {
  dialog_.setOption(QFileDialog::DontUseNativeDialog);
  dialog_.setIconProvider(&icons_);
  if (!filter.isEmpty()) dialog_.setNameFilters(filter.split(QStringLiteral(";;")));
  const QFileInfo start(at);
  if (start.isDir()) {
    dialog_.setDirectory(start.absoluteFilePath());
  } else {
    dialog_.setDirectory(start.absolutePath());
    dialog_.selectFile(start.fileName());
  }
}

QString FileDialog::ask() {
  if (dialog_.exec() != QDialog::Accepted) return {};
  return dialog_.selectedFiles().value(0);
}

}  // namespace bulwark
