#pragma once

#include <string>
#include <vector>

#include "core/report/table_layout.h"

// One function per format, each in its own file; `writeTable` chooses among them.
namespace bulwark::report {

std::string tableCsv(const std::vector<RunReport>& runs);
std::string tableJson(const std::vector<RunReport>& runs);
std::string tableMarkdown(const PaperTable& table, const TableOptions& options);
std::string tableLatex(const PaperTable& table, const TableOptions& options);
/// A <table> element, to be put into a page.
std::string tableHtml(const PaperTable& table, const TableOptions& options);
std::string tableText(const PaperTable& table, const TableOptions& options);

}  // namespace bulwark::report
