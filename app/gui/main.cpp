// The window. Everything it computes runs in worker processes (bulwark-cli work).
#include <QApplication>
#include <QCommandLineParser>
#include <QFileInfo>
#include <QTextStream>

#include "bulwark/version.h"
#include "core/base/error.h"
#include "ui/shell/icons.h"
#include "ui/shell/main_window.h"
#include "ui/shell/rail.h"
#include "ui/shell/workbench.h"

namespace {

int fail(const QString& text, int code) {
  QTextStream(stderr) << "bulwark: " << text << '\n';
  return code;
}

int runWindow(QApplication& application) {
  using namespace bulwark;
  QCommandLineParser parser;
  parser.setApplicationDescription(
      QStringLiteral("Workbench for robust out-of-distribution and anomaly detection"));
  parser.addHelpOption();
  parser.addVersionOption();
  const QCommandLineOption database(QStringLiteral("db"), QStringLiteral("Run database to open."),
                                    QStringLiteral("FILE"));
  const QCommandLineOption data(QStringLiteral("data"),
                                QStringLiteral("Folder to look for data sets in; repeatable."),
                                QStringLiteral("DIR"));
  const QCommandLineOption page(QStringLiteral("page"),
                                QStringLiteral("Page to show first: data, train, attack, results, "
                                               "images, compare or report."),
                                QStringLiteral("NAME"));
  const QCommandLineOption screenshot(
      QStringLiteral("screenshot"),
      QStringLiteral("Write every page, light and dark, as PNG into DIR and exit."),
      QStringLiteral("DIR"));
  parser.addOptions({database, data, page, screenshot});
  parser.process(application);
  if (!parser.positionalArguments().isEmpty()) {
    return fail(QStringLiteral("unexpected argument '%1'; see --help")
                    .arg(parser.positionalArguments().first()),
                2);
  }
  const PageInfo* first = nullptr;
  for (const auto& info : pageInfos()) {
    if (info.name == parser.value(page)) first = &info;
  }
  if (parser.isSet(page) && !first) {
    return fail(QStringLiteral("there is no page '%1'; see --help").arg(parser.value(page)), 2);
  }

  Workbench::Options options;
  if (parser.isSet(database)) {
    options.database = QFileInfo(parser.value(database)).absoluteFilePath();
  }
  QStringList folders;
  for (const QString& folder : parser.values(data)) {
    const QString absolute = QFileInfo(folder).absoluteFilePath();
    if (!QFileInfo(absolute).isDir()) {
      return fail(QStringLiteral("--data %1: there is no such folder").arg(folder), 2);
    }
    options.dataFolders.emplace_back(absolute.toStdString());
    folders << absolute;
  }
  if (!folders.isEmpty()) {
    // The workers look in the same folders.
    const QString before = qEnvironmentVariable("BULWARK_DATA");
    if (!before.isEmpty()) folders << before;
    qputenv("BULWARK_DATA", folders.join(QLatin1Char(':')).toLocal8Bit());
  }
  Workbench workbench(std::move(options));
  if (first) workbench.window()->showPage(first->id);
  workbench.start();
  if (parser.isSet(screenshot)) {
    QString error;
    return workbench.renderPages(parser.value(screenshot), &error) ? 0 : fail(error, 1);
  }
  workbench.window()->show();
  return QApplication::exec();
}

}  // namespace

int main(int argc, char** argv) {
  QApplication application(argc, argv);
  QCoreApplication::setOrganizationName(QStringLiteral("bulwark"));
  QCoreApplication::setApplicationName(QStringLiteral("bulwark"));
  QCoreApplication::setApplicationVersion(QStringLiteral(BULWARK_VERSION));
  QGuiApplication::setApplicationDisplayName(QStringLiteral("Bulwark"));
  QGuiApplication::setDesktopFileName(QStringLiteral("io.github.bulwark.Bulwark"));
  QGuiApplication::setWindowIcon(bulwark::applicationIcon());
  try {
    return runWindow(application);
  } catch (const bulwark::Error& error) {
    return fail(QString::fromStdString(error.what()), error.exitCode());
  }
}
