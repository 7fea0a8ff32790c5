#include "core/report/results_page.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/report/attack_table.h"
#include "core/report/escape.h"
#include "core/report/facts.h"
#include "core/report/table_writers.h"

namespace bulwark {
namespace {

std::string factTable(const std::string& title, const report::Facts& facts) {
  if (facts.empty()) return {};
  std::string text = "### " + title + "\n\n| | |\n| --- | --- |\n";
  for (const auto& [name, value] : facts) {
    text += "| " + escapeMarkdown(name) + " | " + escapeMarkdown(value) + " |\n";
  }
  return text + "\n";
}

/// One table per out set: rows are detectors (and runs), columns the settings.
std::string aurocTables(const std::vector<RunReport>& runs, int decimals) {
  std::vector<std::string> outs;
  for (const RunReport& report : runs) {
    for (const ResultRow& row : report.results) {
      if (std::find(outs.begin(), outs.end(), row.out) == outs.end()) outs.push_back(row.out);
    }
  }
  TableOptions options;
  options.decimals = decimals;
  options.layout = TableLayout::Wide;
  std::string text;
  for (const std::string& out : outs) {
    std::vector<RunReport> selected;
    for (const RunReport& report : runs) {
      RunReport part;
      part.run = report.run;
      std::copy_if(report.results.begin(), report.results.end(), std::back_inserter(part.results),
                   [&](const ResultRow& row) { return row.out == out; });
      selected.push_back(std::move(part));
    }
    PaperTable table = layOut(selected, options);
    for (TableColumn& column : table.columns) column.out.clear();  // said by the heading
    std::erase_if(table.footnotes, [](const std::string& note) {
      return !note.starts_with("\u2020");  // the health lines follow once for all tables
    });
    text += "### Against " + escapeMarkdown(out) + "\n\n" + report::tableMarkdown(table, options) +
            "\n";
  }
  return text;
}

/// Beyond this many attacks a column per attack and setting cannot be read: a row each instead.
constexpr std::size_t kMostAttackColumns = 2;

bool manyAttacks(const RunReport& report) {
  std::vector<std::string> attacks;
  for (const ResultRow& row : report.results) {
    if (row.attack.empty()) continue;
    if (std::find(attacks.begin(), attacks.end(), row.attack) == attacks.end()) {
      attacks.push_back(row.attack);
    }
  }
  return attacks.size() > kMostAttackColumns;
}

std::string orderingSection(const std::vector<RunReport>& runs) {
  std::string text;
  for (const RunReport& report : runs) {
    const auto orderings = checkOrderings(report);
    if (orderings.empty()) continue;
    text += "### " + escapeMarkdown(runTitle(report.run)) +
            "\n\n| Rule (AUROC, In & Out) | Holds | Largest breach | Where |\n"
            "| --- | ---: | ---: | --- |\n";
    for (const Ordering& ordering : orderings) {
      text += "| " + escapeMarkdown(ordering.rule) + " | " + std::to_string(ordering.held) +
              " of " + std::to_string(ordering.compared) + " | " +
              (ordering.worst > 0 ? formatFixed(ordering.worst, 4) : std::string("-")) + " | " +
              escapeMarkdown(ordering.where) + " |\n";
    }
    text += "\n";
  }
  if (text.empty()) return {};
  return "## Orderings\n\nWhat must hold between attacks of different strength, to 0.002.\n\n" +
         text;
}

std::string consistencySection(const std::vector<RunReport>& runs) {
  const Consistency consistency = checkConsistency(runs);
  std::string text = "## Consistency\n\n";
  if (consistency.rows == 0) return text + "No attacked results to check.\n\n";
  text += escapeMarkdown(consistency.line()) + "\n\n";
  for (const std::string& line : consistency.violations) {
    text += "- " + escapeMarkdown(line) + "\n";
  }
  if (!consistency.violations.empty()) text += "\n";
  for (const RunReport& report : runs) {
    for (const std::string& line : report::healthLines(report.run)) {
      text += "- " + escapeMarkdown(runTitle(report.run) + ": " + line) + "\n";
    }
  }
  if (const auto names = report::healthNames(runs); !names.empty()) {
    text += "\n" + escapeMarkdown(names) + "\n";
  }
  return text.ends_with("\n\n") ? text : text + "\n";
}

}  // namespace

std::string resultsPage(const std::vector<RunReport>& runs, const ResultsPageOptions& options) {
  if (runs.empty()) throw Error::badInput("there are no runs to report", "report");
  std::string title = options.title;
  if (title.empty()) {
    title = runs.size() == 1 && !runs[0].run.name.empty() ? runs[0].run.name : "Results";
  }
  std::string text = "# " + escapeMarkdown(title) +
                     "\n\nThis page is written by Bulwark from its "
                     "run database; do not edit it by hand.\n\n";
  const bool any =
      std::any_of(runs.begin(), runs.end(), [](const auto& run) { return !run.results.empty(); });
  std::vector<RunReport> wide, tall;
  for (const RunReport& report : runs) (manyAttacks(report) ? tall : wide).push_back(report);
  if (!tall.empty()) {
    text +=
        "## AUROC of every attack\n\nClean: no attack. In, Out, In & Out: the test sets that the "
        "attack perturbs. Propagations per attacked image; samples whose rank is final leave "
        "early.\n\n" +
        writeAttackTable(tall, "md", options.decimals) + "\n" + orderingSection(tall);
  }
  if (any && !wide.empty()) {
    text +=
        "## AUROC\n\nClean: no attack. In, Out, In & Out: the test sets that the attack "
        "perturbs. In brackets: 95 % bootstrap intervals.\n\n" +
        aurocTables(wide, options.decimals);
  }
  text += consistencySection(runs);
  for (const RunReport& report : runs) {
    text += "## " + escapeMarkdown(runTitle(report.run)) + "\n\n";
    if (!report.run.error.empty()) {
      text += "Failed: " + escapeMarkdown(report.run.error) + "\n\n";
    }
    text += factTable("What was run", report::specificationFacts(report));
    text += factTable("Accuracy and counts", report::summaryFacts(report.run));
    text += factTable("Timings", report::timingFacts(report.run.timings));
    text += factTable("Environment", report::flatten(report.run.environment));
    if (!report.run.note.empty()) text += escapeMarkdown(report.run.note) + "\n\n";
  }
  if (!options.notes.empty()) {
    text += "## Notes\n\n";
    for (const std::string& note : options.notes) text += note + "\n\n";
  }
  text.pop_back();  // one newline at the end
  return text;
}

}  // namespace bulwark
