#include "core/base/text.h"
#include "core/report/escape.h"
#include "core/report/table_writers.h"

namespace bulwark {
namespace {

std::string latexCell(const std::optional<TableCell>& cell, const TableOptions& options) {
  if (!cell) return "--";
  std::string text = formatFixed(cell->value, options.decimals);
  if (cell->interval) {
    text += " {\\scriptsize [" + formatFixed(cell->interval->first, options.decimals) + ", " +
            formatFixed(cell->interval->second, options.decimals) + "]}";
  }
  if (cell->published) {
    text += " (published " + formatFixed(cell->published->auroc, options.decimals);
    if (!cell->published->source.empty()) text += ", " + escapeLatex(cell->published->source);
    text += ")";
  }
  return text;
}

/// A header line whose cells span columns, with a rule under each named one.
std::string spanningHeader(const std::vector<Span>& header, std::size_t keys) {
  std::string line;
  for (std::size_t k = 1; k < keys; ++k) line += "& ";
  std::string rules;
  int column = static_cast<int>(keys) + 1;
  for (const Span& span : header) {
    line +=
        "& \\multicolumn{" + std::to_string(span.count) + "}{c}{" + escapeLatex(span.text) + "} ";
    if (!span.text.empty()) {
      rules += "\\cmidrule(lr){" + std::to_string(column) + "-" +
               std::to_string(column + span.count - 1) + "}";
    }
    column += span.count;
  }
  return line + "\\\\\n" + (rules.empty() ? rules : rules + "\n");
}

}  // namespace

std::string report::tableLatex(const PaperTable& table, const TableOptions& options) {
  const std::vector<std::string> titles = table.keyTitles();
  std::string text =
      "% Needs \\usepackage{booktabs}.\n"
      "\\begin{table}[t]\n\\centering\n\\caption{" +
      escapeLatex(table.caption) + "}\n\\label{" + options.label + "}\n\\begin{tabular}{" +
      std::string(titles.size(), 'l') + std::string(table.columns.size(), 'r') + "}\n\\toprule\n";
  if (!table.outInRows) {
    std::vector<std::string> outs;
    for (const TableColumn& column : table.columns) outs.push_back(column.out);
    text += spanningHeader(spans(outs), titles.size());
  }
  if (table.severalAttacks) {
    std::vector<std::string> attacks;
    for (const TableColumn& column : table.columns) attacks.push_back(column.attack);
    text += spanningHeader(spans(attacks), titles.size());
  }
  std::vector<std::string> header;
  for (const std::string& title : titles) header.push_back(escapeLatex(title));
  for (const TableColumn& column : table.columns) {
    header.push_back(escapeLatex(settingTitle(column.setting)));
  }
  text += join(header, " & ") + " \\\\\n\\midrule\n";
  std::string run;
  for (const TableRow& row : table.rows) {
    if (!run.empty() && row.run != run) text += "\\midrule\n";
    run = row.run;
    std::vector<std::string> fields;
    for (const std::string& key : table.keys(row)) fields.push_back(escapeLatex(key));
    for (const auto& cell : row.cells) fields.push_back(latexCell(cell, options));
    text += join(fields, " & ") + " \\\\\n";
  }
  text += "\\bottomrule\n\\end{tabular}\n";
  for (const std::string& note : table.footnotes) {
    text += "\\par\\smallskip{\\footnotesize ";
    text += escapeLatex(note);
    text += "}\n";
  }
  return text + "\\end{table}\n";
}

}  // namespace bulwark
