#pragma once

#include <string>
#include <vector>

#include "core/report/table.h"

namespace bulwark {

/// A self-contained HTML page of the runs: health line, results tables, ROC, precision-recall and
/// training plots and score histograms as SVG, image pairs as PNG inside the page, data sets,
/// timings, environment and the full specification. Refers to no other file. Parts that a run does
/// not have are left out; throws `Error` (BadInput) when there are no runs.
std::string writeHtmlReport(const std::vector<RunReport>& runs, const TableOptions& options = {});

}  // namespace bulwark
