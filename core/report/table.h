#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/report/run_report.h"

namespace bulwark {

/// Csv and Json are the long form: one record per (run, detector, attack, setting, out) with every
/// metric. The others are the table of a paper: one metric, settings side by side.
enum class TableFormat { Csv, Json, Markdown, Latex, Html, Text };

enum class TableLayout {
  Auto,  ///< Wide up to eight columns (Text: Tall)
  Wide,  ///< a row per detector; columns out set x attack x setting
  Tall,  ///< a row per detector and out set; columns attack x setting
};

struct TableOptions {
  /// AUROC becomes fpr_fixed where the attacks only crossed a threshold and have no AUROC.
  std::string metric = "auroc";
  int decimals = 3;
  bool intervals = true;  ///< the 95 % interval, for AUROC
  bool published = true;  ///< figures of the literature beside the measured ones
  TableLayout layout = TableLayout::Auto;
  /// Latex, Html, and the title of the page over seeds; empty: one is made.
  std::string caption;
  std::string label = "tab:bulwark";  ///< Latex
  Json page;  ///< words and claims of the page over seeds: `PageText`; null: none
};

/// One table over all runs, UTF-8. Throws `Error` (BadInput) when there are no results, or for a
/// metric that no row has.
std::string writeTable(const std::vector<RunReport>& runs, TableFormat format,
                       const TableOptions& options = {});

/// The column names of the long form, before the further metrics of `extra`.
const std::vector<std::string>& longTableColumns();

}  // namespace bulwark
