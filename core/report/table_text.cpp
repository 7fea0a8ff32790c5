#include <algorithm>

#include "core/report/escape.h"
#include "core/report/table_writers.h"

namespace bulwark {

std::string report::tableText(const PaperTable& table, const TableOptions& options) {
  std::vector<std::vector<std::string>> lines;
  const std::size_t keys = table.keyTitles().size();
  std::vector<std::string> header = table.keyTitles();
  for (const TableColumn& column : table.columns) {
    const std::string title = table.columnTitle(column);
    header.push_back(column.out.empty() ? title : column.out + ": " + title);
  }
  lines.push_back(header);
  for (const TableRow& row : table.rows) {
    std::vector<std::string> line = table.keys(row);
    for (const auto& cell : row.cells) line.push_back(cellText(cell, options));
    lines.push_back(line);
  }
  std::vector<int> widths(header.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t k = 0; k < line.size(); ++k) {
      widths[k] = std::max(widths[k], textWidth(line[k]));
    }
  }
  std::string text = table.metricTitle + "\n";
  for (std::size_t row = 0; row < lines.size(); ++row) {
    std::string line;
    for (std::size_t k = 0; k < lines[row].size(); ++k) {
      const std::string& field = lines[row][k];
      const std::string gap(static_cast<std::size_t>(widths[k] - textWidth(field)), ' ');
      if (k > 0) line += "  ";
      line += k < keys ? field + gap : gap + field;
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    text += line + "\n";
    if (row == 0) {
      int total = 2 * static_cast<int>(widths.size() - 1);
      for (int width : widths) total += width;
      text += std::string(static_cast<std::size_t>(total), '-') + "\n";
    }
  }
  for (const std::string& note : table.footnotes) (text += note) += '\n';
  return text;
}

}  // namespace bulwark
