#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

#include "app/cli/session.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/text.h"
#include "core/experiment/specification.h"
#include "core/metrics/detection.h"
#include "core/report/claims.h"
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
  std::string title;
  std::filesystem::path page;
  int decimals = 3;
};

/// The format of `--format`, else the suffix of the output.
std::string formatOf(const ExportOptions& options) {
  if (!options.format.empty()) return options.format;
  const std::string suffix = options.output.extension().string();
  if (suffix.size() > 1) return suffix.substr(1);
  throw Error::badInput("the format is missing", "export", "give --format, e.g. csv");
}

bool toStandardOutput(const ExportOptions& options) {
  return options.output == "-";
}

/// Refuses an output that cannot hold what is asked for, before anything is loaded.
void checkOutput(const ExportOptions& options, const std::string& format) {
  static const std::set<std::string> binary = {"npz", "png", "pdf"};
  if (toStandardOutput(options)) {
    if (!binary.contains(format)) return;
    throw Error::badInput("'" + format + "' is binary and is not written to standard output",
                          "export --output",
                          "name a file, e.g. --output " + options.what + "." + format);
  }
  std::error_code ignored;
  const auto folder = options.output.parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) {
    throw Error::badInput("the folder '" + folder.string() + "' does not exist", "export --output",
                          "make it (mkdir -p), or name a file elsewhere");
  }
  if (std::filesystem::is_directory(options.output, ignored)) {
    throw Error::badInput("'" + options.output.string() + "' is a folder, not a file",
                          "export --output", "name a file in it");
  }
}

/// Refuses words for a page where none is asked for.
void checkPage(const ExportOptions& options, const std::string& format) {
  if (options.page.empty() || (options.what == "seeds" && format == "md")) return;
  throw Error::badInput("'" + options.what + "' as '" + format + "' has no title, notes and claims",
                        "export --page", "use it with --what seeds --format md, or leave it out");
}

/// Refuses a misspelt metric also where the file has all of them.
void checkMetric(const ExportOptions& options) {
  std::vector<std::string> names;
  for (const MetricInfo& info : metricInfos()) names.push_back(info.name);
  if (std::find(names.begin(), names.end(), options.metric) != names.end()) return;
  const std::string typo = suggestion(options.metric, names);
  throw Error::badInput("there is no metric '" + options.metric + "'", "export --metric",
                        typo.empty() ? "see 'list metrics'" : typo);
}

Json readPage(const std::filesystem::path& path) {
  Json page = Specification::readJson(path.string());
  try {
    PageText::fromJson(page);
  } catch (const Error& error) {
    throw Error::badInput(error.problem(), path.string() + ": " + error.where(), error.hint());
  }
  return page;
}

/// Claims that nothing among the runs answers: told here, since a page is long.
void warnOfClaims(const Json& page, const std::vector<RunReport>& reports) {
  const PageText words = PageText::fromJson(page);
  for (const auto& line : unmeasured(checkClaims(words.claims, groupBySeed(reports)))) {
    std::cerr << "warning: not measured: " << line << "\n";
  }
}

void write(const ExportOptions& options, const std::string& text) {
  if (!toStandardOutput(options)) {
    writeFileAtomically(options.output, text);
    std::cerr << "wrote " << options.output << ", " << text.size() << " bytes\n";
    return;
  }
  std::cout << text << std::flush;
  if (!std::cout) throw Error::failed("standard output could not be written whole", "export");
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
  command->add_option("--output", options->output, "File to write; - for standard output")
      ->required();
  command->add_option("--metric", options->metric, "Of the table; see 'list metrics'");
  command->add_option("--decimals", options->decimals, "Of the table")->check(CLI::Range(1, 10));
  command->add_option("--title", options->title, "Of the table (LaTeX, HTML) or of the seeds page");
  command->add_option("--page", options->page,
                      "Of --what seeds --format md: JSON file with title, notes and claims");
  addDatabaseOption(*command, session);
  command->callback([&session, options] {
    const std::string format = formatOf(*options);
    checkOutput(*options, format);
    checkPage(*options, format);
    checkMetric(*options);
    const RunStore store = session.openStore(RunStore::Mode::ReadOnly);
    const auto parts = partsNeeded(options->what);
    std::vector<RunReport> reports;
    for (const auto id : options->runs) reports.push_back(loadReport(store, id, parts));
    TableOptions table;
    table.metric = options->metric;
    table.decimals = options->decimals;
    table.caption = options->title;
    if (!options->page.empty()) table.page = readPage(options->page);
    const std::string text = exportRuns(reports, options->what, format, table);
    if (!options->page.empty()) warnOfClaims(table.page, reports);
    write(*options, text);
  });
}

}  // namespace bulwark::cli
