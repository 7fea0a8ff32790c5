#include "ui/pages/own_sets.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QRegularExpression>
#include <algorithm>

#include "core/base/error.h"
#include "core/experiment/set_parts.h"

namespace bulwark {

namespace {

bool isCatalogued(const QString& name, const DatasetCatalogue& catalogue) {
  const auto& sets = catalogue.sets();
  return std::any_of(sets.begin(), sets.end(),
                     [&](const auto& info) { return info.name == name.toStdString(); });
}

DatasetEntry ownEntry(const QFileInfo& link, const std::string& format,
                      const DatasetCatalogue& catalogue) {
  DatasetEntry entry;
  entry.own = true;
  entry.path = link.absoluteFilePath();
  entry.info.name = link.fileName().toStdString();
  entry.info.title = entry.info.name;
  entry.info.format = format;
  entry.info.channels = entry.info.height = entry.info.width = 0;
  entry.info.summary = "A set of your own.";
  entry.status.installed = true;
  entry.status.folder = link.canonicalFilePath().toStdString();
  entry.status.splits = partsOf(DatasetRequest::fromJson(entry.request(), "dataset"), catalogue);
  entry.statusKnown = true;
  return entry;
}

}  // namespace

std::vector<DatasetEntry> findOwnSets(const QString& folder, const DatasetCatalogue& catalogue) {
  std::vector<DatasetEntry> found;
  const auto links =
      QDir(folder).entryInfoList(QDir::AllEntries | QDir::NoDotAndDotDot, QDir::Name);
  for (const QFileInfo& link : links) {
    if (isCatalogued(link.fileName(), catalogue)) continue;
    try {
      found.push_back(
          ownEntry(link, guessFormat(link.absoluteFilePath().toStdString()), catalogue));
    } catch (const std::exception&) {
      // Something else that happens to lie there, or what may not be read.
    }
  }
  return found;
}

QString linkOwnSet(const QString& path, const QString& folder, const DatasetCatalogue& catalogue,
                   Task& task) {
  const QFileInfo source(QDir::cleanPath(path));
  if (!source.exists()) {
    throw Error::badInput("there is nothing here", path.toStdString(), "choose another folder");
  }
  DatasetRequest request;
  request.path = source.canonicalFilePath().toStdString();
  request.format = guessFormat(request.path);
  previewDataset(catalogue, request, "test", 1, task);

  static const QRegularExpression unfit(QStringLiteral("[^a-z0-9._-]+"));
  QString stem = source.fileName().toLower().replace(unfit, QStringLiteral("-"));
  if (stem.isEmpty() || stem == QLatin1String("-")) stem = QStringLiteral("images");
  if (!QDir().mkpath(folder)) {
    throw Error::failed("the folder cannot be made", folder.toStdString(),
                        "check its permissions and the space on the disk");
  }
  QString name = stem;
  for (int i = 2;; ++i) {
    const QFileInfo taken(QDir(folder).filePath(name));
    if (taken.isSymLink() && taken.canonicalFilePath() == source.canonicalFilePath()) return name;
    if (!isCatalogued(name, catalogue) && !taken.exists() && !taken.isSymLink()) break;
    name = QStringLiteral("%1-%2").arg(stem).arg(i);
  }
  const QString link = QDir(folder).filePath(name);
  if (!QFile::link(source.canonicalFilePath(), link)) {
    throw Error::failed("a link cannot be made", link.toStdString(),
                        "check the permissions of the folder");
  }
  return name;
}

}  // namespace bulwark
