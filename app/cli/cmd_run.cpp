#include <iostream>

#include "app/cli/progress_printer.h"
#include "app/cli/session.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/experiment/cost_rates.h"
#include "core/experiment/runner.h"
#include "core/experiment/specification.h"
#include "core/experiment/worker.h"
#include "core/health/check.h"
#include "core/report/load_report.h"
#include "core/report/table.h"

namespace bulwark::cli {
namespace {

struct RunOptions {
  std::string file, preset, device, name;
  std::vector<std::string> sets;
  int threads = 0;
  bool json = false;
};

Json readSpecification(const RunOptions& options) {
  if (options.file.empty() == options.preset.empty()) {
    throw Error::badInput("expected one specification", "run",
                          "give a SPEC.json or --preset NAME, not both");
  }
  Json json = options.preset.empty() ? Specification::readJson(options.file)
                                     : preset(options.preset).specification;
  setAll(json, options.sets);
  if (!options.device.empty()) json["device"] = options.device;
  if (options.threads > 0) json["threads"] = options.threads;
  if (!options.name.empty()) json["name"] = options.name;
  return json;
}

void run(Session& session, const RunOptions& options) {
  const Json json = readSpecification(options);
  const auto spec = Specification::fromJson(json, session.registries(), session.catalogue());
  requireDevice(spec.device);  // before anything is recorded
  std::int64_t job = 0;
  std::int64_t runId = 0;
  std::string cost;
  {
    RunStore store = session.openStore(RunStore::Mode::ReadWrite);
    const auto rates = earlierRates(store, spec, session.registries(), session.catalogue());
    cost = estimateCost(spec, session.registries(), session.catalogue(), rates).text;
    // Last: a window with the same database runs what it finds waiting.
    job = store.enqueue(spec.name, spec.toJson(), spec.seed, spec.device, spec.threads);
    runId = store.job(job).run;
  }
  std::cerr << "run " << runId << ": " << spec.name << '\n' << cost << '\n';
  if (executeHere(session, job, session.exitCode) != RunState::Done) return;
  const RunStore store = session.openStore(RunStore::Mode::ReadOnly);
  if (options.json) {
    std::cout << runDocument(store, runId).dump(2) << '\n';
  } else {
    std::cout << writeTable({loadReport(store, runId, partsNeeded("table"))}, TableFormat::Text,
                            {});
  }
}

}  // namespace

void setAll(Json& specification, const std::vector<std::string>& assignments) {
  for (const auto& assignment : assignments) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error::badInput("'" + assignment + "' is not an assignment", "--set",
                            "expected path=value, e.g. attacks[0].steps=50");
    }
    setByPath(specification, assignment.substr(0, equals), assignment.substr(equals + 1));
  }
}

RunState executeHere(Session& session, std::int64_t job, int& exitCode) {
  ProgressPrinter printer;
  const RunState state = executeJob(
      session.databasePath(), job, session.registries(), session.catalogue(),
      [&](const Json& event) { printer.show(event); }, true);
  exitCode = state == RunState::Done ? 0 : state == RunState::Cancelled ? 130 : printer.exitCode();
  if (state == RunState::Cancelled) std::cerr << "cancelled; 'queue retry " << job << "' resumes\n";
  return state;
}

Json runDocument(const RunStore& store, std::int64_t id) {
  const RunRecord run = store.run(id);
  Json json;
  json["run"] = run.id;
  json["uuid"] = run.uuid;
  json["name"] = run.name;
  json["state"] = toString(run.state);
  json["created"] = run.created;
  json["finished"] = run.finished;
  json["specification"] = run.specification;
  json["environment"] = run.environment;
  json["timings"] = run.timings;
  if (run.summary.is_object()) {
    for (const auto& [key, value] : run.summary.items()) json[key] = value;
    if (const auto line = healthLineOf(run.summary); !line.empty()) json["health"] = line;
  }
  if (!run.error.empty()) json["error"] = run.error;
  json["datasets"] = Json::array();
  for (const auto& set : store.datasets(id)) {
    json["datasets"].push_back({{"role", set.role},
                                {"name", set.name},
                                {"count", set.count},
                                {"fingerprint", set.fingerprint}});
  }
  json["results"] = Json::array();
  for (const auto& row : store.results(id)) json["results"].push_back(row.toJson());
  return json;
}

void addRunCommands(CLI::App& program, Session& session) {
  auto* command = program.add_subcommand("run", "Execute a specification and print its table");
  auto options = std::make_shared<RunOptions>();
  command->add_option("specification", options->file, "SPEC.json");
  command->add_option("--preset", options->preset, "A specification that ships with the program");
  command->add_option("--set", options->sets, "path=value, e.g. attacks[0].eps=4/255");
  command->add_option("--device", options->device, "auto, cpu or cuda[:N]");
  command->add_option("--threads", options->threads, "0: all cores")->check(CLI::Range(0, 1024));
  command->add_option("--name", options->name, "Name of the run");
  command->add_flag("--json", options->json, "Print one JSON document");
  addDatabaseOption(*command, session);
  addDataOption(*command, session);
  command->callback([&session, options] { run(session, *options); });
}

}  // namespace bulwark::cli
