#include "app/cli/session.h"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <system_error>

#include "core/base/error.h"

namespace bulwark::cli {

std::filesystem::path Session::databasePath() const {
  return database.empty() ? RunStore::defaultPath() : database;
}

const DatasetCatalogue& Session::catalogue() {
  if (!catalogue_) {
    catalogue_ = std::make_unique<DatasetCatalogue>(DatasetCatalogue::defaultFolders(dataFolders));
  }
  return *catalogue_;
}

const Registries& Session::registries() {
  if (!registries_) registries_ = std::make_unique<Registries>(builtinRegistries());
  return *registries_;
}

RunStore Session::openStore(RunStore::Mode mode) {
  const auto path = databasePath();
  if (mode == RunStore::Mode::ReadOnly && !std::filesystem::exists(path)) {
    throw Error::badInput("there is no run database", path.string(),
                          "execute something first, or name another with --db");
  }
  return RunStore::open(path, mode);
}

void addDatabaseOption(CLI::App& command, Session& session) {
  command.add_option("--db", session.database, "Run database (default: the user's own)");
}

void addDataOption(CLI::App& command, Session& session) {
  command.add_option("--data", session.dataFolders, "Folder with data sets; may be repeated");
}

CLI::Validator numberCheck(const CLI::App& command, const std::string& kind) {
  const auto check = [&command, kind](const std::string& text) -> std::string {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, number);
    if (problem == std::errc() && stop == end && number > 0) return {};
    std::string where = command.get_name();
    for (const CLI::App* above = command.get_parent(); above; above = above->get_parent()) {
      where = above->get_name() + " " + where;
    }
    throw Error::badInput("'" + text + "' is no " + kind + " number", where,
                          "a whole number from 1 on, as 'bulwark-cli " +
                              std::string(kind == "run" ? "runs" : "queue") + " list' shows them");
  };
  return CLI::Validator(check, {});
}

void printColumns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    std::cout << line << '\n';
  }
}

}  // namespace bulwark::cli
