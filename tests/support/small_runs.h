#pragma once

#include <QTemporaryDir>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/experiment/runner.h"
#include "core/experiment/store_journal.h"
#include "core/store/run_store.h"

/// Runs of seconds, executed in this process on a database of their own.
namespace smallruns {

using namespace bulwark;

inline Json smallSpecification() {
  return Json::parse(R"({
    "name": "small",
    "threads": 1,
    "data": {"in": {"dataset": "glyphs", "train_limit": 400, "test_limit": 60},
             "out": [{"dataset": "noise-uniform", "test_limit": 60},
                     {"dataset": "noise-gaussian", "test_limit": 40}]},
    "classifier": {"network": "lenet5", "recipe": {"type": "standard", "epochs": 2}},
    "detectors": [{"type": "msp"}, {"type": "energy"}, {"type": "mahalanobis"},
                  {"type": "knn", "k": 5}],
    "attacks": [{"type": "pgd", "eps": "8/255", "steps": 6}],
    "evaluation": {"bootstrap": 100, "image_pairs": 4, "batch_size": 32}
  })");
}

class Bench {
 public:
  Bench() : registries(builtinRegistries()), catalogue(DatasetCatalogue::defaultFolders()) {
    store.emplace(RunStore::open(folder.filePath("runs.db").toStdString()));
  }

  std::int64_t create(const Json& json) {
    const auto spec = Specification::fromJson(json, registries, catalogue);
    return store->createRun(spec.name, spec.toJson(), spec.seed, spec.device);
  }

  /// Executes (or resumes) the run; `stopAfter` > 0 cancels after so many events of that kind.
  void execute(std::int64_t run, const std::string& stopAt = {}, int stopAfter = 0) {
    Control control;
    int seen = 0;
    StoreJournal journal(*store, run, [&](const Json& event) {
      if (event.at("event") == stopAt && ++seen == stopAfter) control.cancel();
    });
    Task task(&control);
    const auto spec = Specification::fromJson(store->run(run).specification, registries, catalogue);
    Runner(registries, catalogue).execute(spec, journal, task);
  }

  std::string results(std::int64_t run) const {
    Json json = Json::array();
    for (const auto& row : store->results(run)) json.push_back(row.toJson());
    return json.dump();
  }

  QTemporaryDir folder;
  Registries registries;
  DatasetCatalogue catalogue;
  std::optional<RunStore> store;
};

using Key = std::tuple<std::string, std::string, std::string>;

/// The health check of that id in a run's summary.
inline Json check(const Json& summary, const std::string& id, const std::string& subject = {}) {
  for (const auto& entry : summary.at("health_checks")) {
    if (entry.at("id") == id && entry.at("subject") == subject) return entry;
  }
  return {};
}

inline std::map<Key, std::map<std::string, double>> byCell(const std::vector<ResultRow>& rows) {
  std::map<Key, std::map<std::string, double>> cells;
  for (const auto& row : rows) {
    cells[{row.detector, row.attack, row.out}][row.setting] = row.auroc;
  }
  return cells;
}

}  // namespace smallruns
