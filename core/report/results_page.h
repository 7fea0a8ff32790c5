#pragma once

#include <string>
#include <vector>

#include "core/report/run_report.h"

namespace bulwark {

struct ResultsPageOptions {
  std::string title;               ///< empty: made from the runs' names
  std::vector<std::string> notes;  ///< Markdown paragraphs at the end
  int decimals = 3;
};

/// A page of docs/results: what was run, where, accuracies, AUROC in the four settings with
/// intervals per out set (published figures beside them), timings and the consistency line.
/// Throws `Error` (BadInput) when there are no runs.
std::string resultsPage(const std::vector<RunReport>& runs, const ResultsPageOptions& options = {});

}  // namespace bulwark
