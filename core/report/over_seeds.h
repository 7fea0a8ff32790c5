#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/report/run_report.h"
#include "core/report/table.h"

namespace bulwark {

/// Runs of one specification that differ in nothing but the seed (and the device, the threads and
/// the name that they were given).
struct SeedGroup {
  std::string name;                    ///< of the first run
  std::vector<const RunReport*> runs;  ///< in the order given
};
/// In the order of their first runs. The reports outlive the groups.
std::vector<SeedGroup> groupBySeed(const std::vector<RunReport>& runs);

/// What one quantity is over the runs of a group.
struct Spread {
  std::vector<double> values;  ///< one per run that has it
  double mean = 0.0;
  double deviation = 0.0;  ///< of the sample, n - 1 in the denominator; NaN for one value
};
Spread spreadOf(std::vector<double> values);

/// A number that runs report, by what it belongs to; what does not apply is empty.
struct Quantity {
  /// auroc, tnr95; these two with one threshold per predicted class: tnr95_per_class,
  /// auroc_per_class, both also with the ending _transductive (metrics/detection.h); accuracy (of
  /// the classifier, or of a detector's own classes); own_accuracy, own_precision_in and
  /// own_recall_in (decisions at a detector's own threshold); fit:... (what a detector measured
  /// while it was fitted, by its path); seconds:... (a phase of the run)
  std::string metric;
  std::string detector;
  std::string attack;  ///< empty: clean
  std::string setting;
  std::string out;
  bool operator==(const Quantity&) const = default;
};

struct SeedRow {
  Quantity quantity;
  Spread spread;
  /// What the literature has for it: the entry of the specification's list `published`.
  std::optional<double> published;
  std::string source;
};

/// Every quantity of the group, in the order in which its runs have them.
std::vector<SeedRow> overSeeds(const SeedGroup& group);

/// Groups side by side: "md" is a page of docs/results, "csv" and "json" are one record per group
/// and quantity. Of the options, the page takes the title, the decimals, and words and claims.
/// Throws `Error` (BadInput) when no run has a result, or for claims that cannot be read.
std::string writeOverSeeds(const std::vector<RunReport>& runs, const std::string& format,
                           const TableOptions& options = {});

}  // namespace bulwark
