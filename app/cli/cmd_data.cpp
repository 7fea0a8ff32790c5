#include <iostream>

#include "app/cli/session.h"
#include "core/base/error.h"
#include "core/base/text.h"

namespace bulwark::cli {
namespace {

/// Checks one set and prints what is wrong; true when it is installed and sound.
bool checkSet(Session& session, const std::string& name) {
  Task task;
  const auto status = session.catalogue().check(name, task);
  const auto& info = session.catalogue().info(name);
  if (info.generated) {
    std::cout << name << ": generated, needs no files\n";
    return true;
  }
  if (!status.installed) {
    std::cout << name << ": not installed. " << status.advice << '\n';
    return false;
  }
  if (status.problems.empty()) {
    std::cout << name << ": ok (" << status.folder.string() << ")\n";
    return true;
  }
  std::cout << name << ": damaged (" << status.folder.string() << ")\n";
  for (const auto& problem : status.problems) std::cout << "  " << problem << '\n';
  return false;
}

/// What one set needs, without the folders, which are told once for all.
void printWhere(Session& session, const DatasetInfo& info) {
  std::cout << '\n' << info.name << ": ";
  if (info.generated) {
    std::cout << "generated, needs no files\n";
    return;
  }
  const auto status = session.catalogue().status(info.name);
  if (status.installed) {
    std::cout << "installed in " << status.folder.string() << '\n';
    return;
  }
  std::cout << "not installed\n  " << info.whatToPutWhere << '\n';
  if (!status.folder.empty()) {
    std::cout << "  Found " << status.folder.string();
    if (!status.missing.empty()) std::cout << ", without " << join(status.missing, ", ");
    std::cout << '\n';
  }
  for (const auto& problem : status.problems) std::cout << "  Problem: " << problem << '\n';
  if (!info.homepage.empty()) std::cout << "  Home page: " << info.homepage << '\n';
}

}  // namespace

void addDataCommands(CLI::App& program, Session& session) {
  auto* data = program.add_subcommand("data", "Data sets on this machine");
  data->require_subcommand(1);

  auto* check = data->add_subcommand("check", "Counts and checksums of one or all installed sets");
  auto name = std::make_shared<std::string>();
  check->add_option("name", *name, "Data set; default: all that are installed");
  addDataOption(*check, session);
  check->callback([&session, name] {
    if (!name->empty()) {
      session.catalogue().info(*name, "data check");
      session.exitCode = checkSet(session, *name) ? 0 : 1;
      return;
    }
    std::size_t absent = 0;
    for (const auto& info : session.catalogue().sets()) {
      if (!session.catalogue().status(info.name).installed) {
        ++absent;
      } else if (!checkSet(session, info.name)) {
        session.exitCode = 1;
      }
    }
    std::cout << absent << " further sets are not installed; 'data where' says what to put where\n";
  });

  auto* where = data->add_subcommand("where", "Folders that are searched, and what to put there");
  addDataOption(*where, session);
  where->callback([&session] {
    std::cout << "Sets lie in folders of their own in one of these, searched in this order:\n";
    for (const auto& folder : session.catalogue().folders()) {
      std::cout << "  " << folder.string() << '\n';
    }
    for (const auto& info : session.catalogue().sets()) printWhere(session, info);
  });
}

}  // namespace bulwark::cli
