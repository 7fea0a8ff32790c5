#include <iostream>

#include "app/cli/session.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/text.h"
#include "core/report/load_report.h"
#include "core/report/table.h"

namespace bulwark::cli {
namespace {

struct ExportOptions {
  std::vector<std::int64_t> runs;
  std::string what = "table";
  std::string format;
  std::filesystem::path output;
  std::string metric = "auroc";
  int decimals = 3;
};

/// The format of `--format`, else the suffix of the output.
std::string formatOf(const ExportOptions& options) {
  if (!options.format.empty()) return options.format;
  const std::string suffix = options.output.extension().string();
  if (suffix.size() > 1) return suffix.substr(1);
  throw Error::badInput("the format is missing", "export", "give --format, e.g. csv");
}

}  // namespace

void addExportCommands(CLI::App& program, Session& session) {
  auto* command = program.add_subcommand("export", "Write tables, curves, scores, images, reports");
  auto options = std::make_shared<ExportOptions>();
  std::vector<std::string> kinds;
  for (const auto& kind : exportKinds()) kinds.push_back(kind.name);
  addNumberOption(*command, "runs", options->runs, "run", "Run numbers")->expected(1, 1000);
  command->add_option("--what", options->what, join(kinds, ", "))->check(CLI::IsMember(kinds));
  command->add_option("--format", options->format, "Default: the suffix of the output");
  command->add_option("--output", options->output, "File to write")->required();
  command->add_option("--metric", options->metric, "Of the table; see 'list metrics'");
  command->add_option("--decimals", options->decimals, "Of the table")->check(CLI::Range(1, 10));
  addDatabaseOption(*command, session);
  command->callback([&session, options] {
    const RunStore store = session.openStore(RunStore::Mode::ReadOnly);
    const auto parts = partsNeeded(options->what);
    std::vector<RunReport> reports;
    for (const auto id : options->runs) reports.push_back(loadReport(store, id, parts));
    TableOptions table;
    table.metric = options->metric;
    table.decimals = options->decimals;
    const std::string text = exportRuns(reports, options->what, formatOf(*options), table);
    writeFileAtomically(options->output, text);
    std::cerr << "wrote " << options->output << ", " << text.size() << " bytes\n";
  });
}

}  // namespace bulwark::cli
