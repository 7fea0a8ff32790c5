#include "core/report/table.h"

#include <algorithm>

#include "core/report/html_page.h"
#include "core/report/nothing.h"
#include "core/report/table_writers.h"

namespace bulwark {
namespace {

void needResults(const std::vector<RunReport>& runs) {
  const bool any =
      std::any_of(runs.begin(), runs.end(), [](const auto& run) { return !run.results.empty(); });
  if (any) return;
  throw nothingToReport("there are no results to tabulate", runs,
                        "choose runs that have finished at least one evaluation");
}

}  // namespace

std::string writeTable(const std::vector<RunReport>& runs, TableFormat format,
                       const TableOptions& options) {
  needResults(runs);
  switch (format) {
    case TableFormat::Csv:
      return report::tableCsv(runs);
    case TableFormat::Json:
      return report::tableJson(runs);
    case TableFormat::Markdown:
      return report::tableMarkdown(layOut(runs, options), options);
    case TableFormat::Latex:
      return report::tableLatex(layOut(runs, options), options);
    case TableFormat::Html: {
      const PaperTable table = layOut(runs, options);
      return report::htmlPage(table.metricTitle, report::tableHtml(table, options));
    }
    case TableFormat::Text:
      break;
  }
  return report::tableText(layOut(runs, options, true), options);
}

}  // namespace bulwark
