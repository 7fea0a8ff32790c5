#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/data/catalogue.h"
#include "core/registry/registries.h"
#include "core/store/run_store.h"

namespace bulwark::cli {

/// What every command needs, made when it is first asked for.
class Session {
 public:
  std::filesystem::path database;                  ///< --db; empty: the user's own
  std::vector<std::filesystem::path> dataFolders;  ///< --data
  int exitCode = 0;

  std::filesystem::path databasePath() const;
  const DatasetCatalogue& catalogue();
  const Registries& registries();
  /// Read-only where nothing is to be written; a database that does not exist is an error then.
  RunStore openStore(RunStore::Mode mode);

 private:
  std::unique_ptr<DatasetCatalogue> catalogue_;
  std::unique_ptr<Registries> registries_;
};

/// Adds --db and --data to a command.
void addDatabaseOption(CLI::App& command, Session& session);
void addDataOption(CLI::App& command, Session& session);

/// See `addNumberOption`.
CLI::Validator numberCheck(const CLI::App& command, const std::string& kind);
/// A required option (or positional) `name` for the number of a run or job, or several; anything
/// that is no number from 1 is an error that says what, where and how to find the numbers.
/// `kind`: "run" or "job".
template <typename Target>
CLI::Option* addNumberOption(CLI::App& command, const std::string& name, Target& target,
                             const std::string& kind, const std::string& help) {
  return command.add_option(name, target, help)->required()->check(numberCheck(command, kind));
}

// Each adds its verbs to the program; their callbacks do the work.
void addListCommands(CLI::App& program, Session& session);
void addRunCommands(CLI::App& program, Session& session);
void addQueueCommands(CLI::App& program, Session& session);
void addRunsCommands(CLI::App& program, Session& session);
/// `runs health`.
void addHealthCommand(CLI::App& runs, Session& session);
void addExportCommands(CLI::App& program, Session& session);
void addDataCommands(CLI::App& program, Session& session);
void addBenchCommands(CLI::App& program, Session& session);

/// Enters what `--set` gives, "path=value" each, into a specification. Throws `Error` (BadInput).
void setAll(Json& specification, const std::vector<std::string>& assignments);

/// Executes a job in this process with progress on standard error; returns its state.
RunState executeHere(Session& session, std::int64_t job, int& exitCode);

/// What `run --json` and `runs show --json` print of a run.
Json runDocument(const RunStore& store, std::int64_t run);

/// Prints aligned columns; the first row is the heading.
void printColumns(const std::vector<std::vector<std::string>>& rows);

}  // namespace bulwark::cli
