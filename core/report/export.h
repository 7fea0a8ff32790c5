#pragma once

#include <string>
#include <vector>

#include "core/report/table.h"

namespace bulwark {

/// Something `export --what` can write and the formats it has.
struct ExportKind {
  std::string name;                  ///< "table"
  std::string title;                 ///< "Results table"
  std::vector<std::string> formats;  ///< "csv", "json", ...; also the files' suffixes
};

/// table, attacks, roc, pr, curves, weights, scores, images, spec, report, seeds.
const std::vector<ExportKind>& exportKinds();

/// Which parts of a `RunReport` an export reads, so that callers load no pixels in vain.
struct ReportParts {
  bool datasets = false, epochs = false, results = false, curves = false, scores = false,
       pairs = false;
};
ReportParts partsNeeded(const std::string& what);

/// The content of the file. Throws `Error` (BadInput) for a kind or format that does not exist,
/// naming those that do, and when the runs do not hold what is asked for.
std::string exportRuns(const std::vector<RunReport>& runs, const std::string& what,
                       const std::string& format, const TableOptions& options = {});

}  // namespace bulwark
