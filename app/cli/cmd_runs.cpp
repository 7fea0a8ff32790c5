#include <algorithm>
#include <iostream>

#include "app/cli/session.h"
#include "core/base/error.h"
#include "core/params/params.h"
#include "core/report/load_report.h"
#include "core/report/table.h"

namespace bulwark::cli {
namespace {

/// Runs whose program was killed are marked first, where the database can be written.
RunStore openMarked(Session& session) {
  RunStore store = session.openStore(RunStore::Mode::ReadOnly);
  const auto runs = store.runs(true);
  const bool active = std::any_of(runs.begin(), runs.end(), [](const RunRecord& run) {
    return run.state == RunState::Running || run.state == RunState::Paused;
  });
  if (!active) return store;
  try {
    RunStore writable = session.openStore(RunStore::Mode::ReadWrite);
    writable.markInterrupted(RunStore::Workers::OfThisHost);
    return writable;
  } catch (const Error&) {
    return store;
  }
}

void listRuns(Session& session, bool asJson) {
  const RunStore store = openMarked(session);
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"run", "state", "created", "device", "name"}};
  for (const auto& run : store.runs(true)) {
    rows.push_back(
        {std::to_string(run.id), toString(run.state), run.created, run.device, run.name});
    list.push_back({{"run", run.id},
                    {"uuid", run.uuid},
                    {"name", run.name},
                    {"state", toString(run.state)},
                    {"created", run.created},
                    {"finished", run.finished},
                    {"device", run.device},
                    {"pinned", run.pinned}});
  }
  if (asJson) {
    std::cout << list.dump(2) << '\n';
  } else {
    printColumns(rows);
  }
}

void showRun(Session& session, std::int64_t id, bool asJson) {
  const RunStore store = openMarked(session);
  const Json document = runDocument(store, id);
  if (asJson) {
    std::cout << document.dump(2) << '\n';
    return;
  }
  for (const char* key : {"run", "name", "state", "created", "finished", "accuracy_clean",
                          "accuracy_attacked", "health", "error"}) {
    if (!document.contains(key)) continue;
    const Json& value = document.at(key);
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    const std::string prefix = std::string(key) + ": ";  // the health line begins with it
    std::cout << (text.starts_with(prefix) ? text : prefix + text) << '\n';
  }
  if (!document.at("results").empty()) {
    std::cout << '\n'
              << writeTable({loadReport(store, id, partsNeeded("table"))}, TableFormat::Text, {});
  }
}

void compareRuns(Session& session, const std::vector<std::int64_t>& ids, bool asJson) {
  const RunStore store = session.openStore(RunStore::Mode::ReadOnly);
  std::vector<RunReport> reports;
  for (const auto id : ids) reports.push_back(loadReport(store, id, partsNeeded("table")));
  Json differences = Json::array();
  for (std::size_t i = 1; i < reports.size(); ++i) {
    for (const auto& difference :
         diff(reports[0].run.specification, reports[i].run.specification)) {
      differences.push_back({{"run", ids[i]},
                             {"path", difference.path},
                             {"before", difference.before},
                             {"after", difference.after}});
    }
  }
  if (asJson) {
    Json runs = Json::array();
    for (const auto id : ids) runs.push_back(runDocument(store, id));
    std::cout << Json({{"differences", differences}, {"runs", runs}}).dump(2) << '\n';
    return;
  }
  std::cout << "Differences from run " << ids[0] << ":\n";
  std::vector<std::vector<std::string>> rows = {{"run", "path", "before", "after"}};
  for (const auto& item : differences) {
    rows.push_back({item.at("run").dump(), item.at("path").get<std::string>(),
                    item.at("before").get<std::string>(), item.at("after").get<std::string>()});
  }
  printColumns(rows);
  std::cout << '\n' << writeTable(reports, TableFormat::Text, {});
}

}  // namespace

void addRunsCommands(CLI::App& program, Session& session) {
  auto* runs = program.add_subcommand("runs", "What was executed");
  runs->require_subcommand(1);
  auto asJson = std::make_shared<bool>(false);

  auto* list = runs->add_subcommand("list", "All runs, pinned first, then newest");
  list->add_flag("--json", *asJson, "Print JSON");
  addDatabaseOption(*list, session);
  list->callback([&session, asJson] { listRuns(session, *asJson); });

  auto id = std::make_shared<std::int64_t>();
  auto* show = runs->add_subcommand("show", "One run with its results");
  addNumberOption(*show, "run", *id, "run", "Run number");
  show->add_flag("--json", *asJson, "Print JSON");
  addDatabaseOption(*show, session);
  show->callback([&session, id, asJson] { showRun(session, *id, *asJson); });

  addHealthCommand(*runs, session);

  auto ids = std::make_shared<std::vector<std::int64_t>>();
  auto* compare = runs->add_subcommand("compare", "What differs between runs, and their results");
  addNumberOption(*compare, "runs", *ids, "run", "Run numbers")->expected(2, 1000);
  compare->add_flag("--json", *asJson, "Print JSON");
  addDatabaseOption(*compare, session);
  compare->callback([&session, ids, asJson] { compareRuns(session, *ids, *asJson); });

  auto* remove = runs->add_subcommand("delete", "Remove a run and everything it owns");
  addNumberOption(*remove, "run", *id, "run", "Run number");
  addDatabaseOption(*remove, session);
  remove->callback([&session, id] {
    RunStore store = session.openStore(RunStore::Mode::ReadWrite);
    store.run(*id);  // a run that does not exist is an error
    store.deleteRun(*id);
  });

  auto file = std::make_shared<std::string>();
  auto* import = runs->add_subcommand("import", "Copy the finished runs of another database");
  import->add_option("file", *file, "Run database")->required();
  addDatabaseOption(*import, session);
  import->callback([&session, file] {
    RunStore store = session.openStore(RunStore::Mode::ReadWrite);
  for (const auto imported : store.importFrom(*file)) std::cout << imported << '\n';
});
}  // namespace bulwark::cli

}  // namespace bulwark::cli
