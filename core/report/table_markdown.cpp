#include "core/base/text.h"
#include "core/report/escape.h"
#include "core/report/table_writers.h"

namespace bulwark {

std::string report::tableMarkdown(const PaperTable& table, const TableOptions& options) {
  // Markdown has one header row, so a wide column carries its out set in the title.
  std::vector<std::string> header;
  std::vector<std::string> rule;
  for (const std::string& title : table.keyTitles()) {
    header.push_back(escapeMarkdown(title));
    rule.emplace_back("---");
  }
  for (const TableColumn& column : table.columns) {
    std::string title = table.columnTitle(column);
    if (!column.out.empty()) title.insert(0, column.out + ": ");
    header.push_back(escapeMarkdown(title));
    rule.emplace_back("---:");
  }
  std::string text;
  const auto write = [&text](const std::vector<std::string>& fields) {
    text += "| ";
    text += join(fields, " | ");
    text += " |\n";
  };
  write(header);
  write(rule);
  for (const TableRow& row : table.rows) {
    std::vector<std::string> fields;
    for (const std::string& key : table.keys(row)) fields.push_back(escapeMarkdown(key));
    for (const auto& cell : row.cells) {
      // The brackets of an interval are not a link; only the source can hold special characters.
      std::optional<TableCell> plain = cell;
      if (plain && plain->published) {
        plain->published->source = escapeMarkdown(plain->published->source);
      }
      fields.push_back(cellText(plain, options));
    }
    write(fields);
  }
  for (const std::string& note : table.footnotes) {
    text += '\n';
    text += escapeMarkdown(note);
    text += '\n';
  }
  return text;
}

}  // namespace bulwark
