#include "core/report/escape.h"
#include "core/report/table_writers.h"

namespace bulwark {
namespace {

std::string headerRow(const std::vector<Span>& cells, std::size_t keys) {
  std::string text = "<tr><td colspan=\"" + std::to_string(keys) + "\"></td>";
  for (const Span& span : cells) {
    text += "<th scope=\"colgroup\" colspan=\"" + std::to_string(span.count) + "\">" +
            escapeHtml(span.text) + "</th>";
  }
  return text + "</tr>\n";
}

}  // namespace

std::string report::tableHtml(const PaperTable& table, const TableOptions& options) {
  const std::vector<std::string> titles = table.keyTitles();
  std::string text =
      "<table class=\"results\">\n<caption>" + escapeHtml(table.caption) + "</caption>\n<thead>\n";
  if (!table.outInRows) {
    std::vector<std::string> outs;
    for (const TableColumn& column : table.columns) outs.push_back(column.out);
    text += headerRow(spans(outs), titles.size());
  }
  if (table.severalAttacks) {
    std::vector<std::string> attacks;
    for (const TableColumn& column : table.columns) attacks.push_back(column.attack);
    text += headerRow(spans(attacks), titles.size());
  }
  text += "<tr>";
  for (const std::string& title : titles) {
    text += "<th scope=\"col\">" + escapeHtml(title) + "</th>";
  }
  for (const TableColumn& column : table.columns) {
    text += "<th scope=\"col\">" + escapeHtml(settingTitle(column.setting)) + "</th>";
  }
  text += "</tr>\n</thead>\n<tbody>\n";
  for (const TableRow& row : table.rows) {
    text += "<tr>";
    for (const std::string& key : table.keys(row)) {
      text += "<th scope=\"row\">" + escapeHtml(key) + "</th>";
    }
    for (const auto& cell : row.cells) {
      text += "<td>" + escapeHtml(cellText(cell, options)) + "</td>";
    }
    text += "</tr>\n";
  }
  text += "</tbody>\n";
  if (!table.footnotes.empty()) {
    text += "<tfoot>\n";
    for (const std::string& note : table.footnotes) {
      text += "<tr><td colspan=\"";
      text += std::to_string(titles.size() + table.columns.size());
      text += "\">";
      text += escapeHtml(note);
      text += "</td></tr>\n";
    }
    text += "</tfoot>\n";
  }
  return text + "</table>\n";
}

}  // namespace bulwark
