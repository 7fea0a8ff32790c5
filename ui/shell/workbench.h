#pragma once

#include <QObject>
#include <QSettings>
#include <QString>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/data/catalogue.h"
#include "core/registry/registries.h"
#include "ui/bridge/app_context.h"
#include "ui/bridge/dialogs.h"

namespace bulwark {

class MainWindow;
class ThemeManager;

/// Everything behind one window, built in the right order and taken down in the reverse one.
class Workbench : public QObject {
  Q_OBJECT

 public:
  struct Options {
    QString database;  ///< empty: the last one used, else the user's own
    std::vector<std::filesystem::path> dataFolders;
    QString settingsFile;                     ///< empty: the user's configuration folder
    QString worker;                           ///< empty: found as JobController says
    std::unique_ptr<DialogProvider> dialogs;  ///< empty: the desktop's
  };

  explicit Workbench(Options options, QObject* parent = nullptr);
  ~Workbench() override;

  const AppContext& context() const { return context_; }
  MainWindow* window() const { return window_.get(); }
  ThemeManager* themes() const { return themes_; }
  /// Opens the database; the window can be shown before or after.
  void start();
  /// Writes every page, light and dark, as PNG of 1440 x 900 into `folder`. False with a reason
  /// in `error` when a file cannot be written.
  bool renderPages(const QString& folder, QString* error);

 private:
  Options options_;
  std::unique_ptr<QSettings> settings_;
  std::unique_ptr<Registries> registries_;
  std::unique_ptr<DatasetCatalogue> catalogue_;
  AppContext context_;
  ThemeManager* themes_ = nullptr;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace bulwark
