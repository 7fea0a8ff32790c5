#pragma once

class QSettings;

namespace bulwark {

class DatabaseService;
class DatasetCatalogue;
class DialogProvider;
class DraftChecker;
class ExperimentDraft;
class JobController;
class Navigator;
class RunFocus;
class SelectionHub;
struct Registries;

/// What every page is given. Holds no ownership; all of it outlives the pages.
struct AppContext {
  DatabaseService* database = nullptr;
  JobController* jobs = nullptr;
  RunFocus* focus = nullptr;
  SelectionHub* selection = nullptr;
  ExperimentDraft* draft = nullptr;
  DraftChecker* checker = nullptr;
  Navigator* navigator = nullptr;
  const Registries* registries = nullptr;
  const DatasetCatalogue* catalogue = nullptr;
  QSettings* settings = nullptr;
  DialogProvider* dialogs = nullptr;
};

}  // namespace bulwark
