#pragma once

#include <string>
#include <vector>

#include "core/report/export.h"
#include "core/store/run_store.h"

namespace bulwark {

/// What the Report page asks the writers of core/report for.
struct ReportRequest {
  std::vector<std::int64_t> runs;
  std::string what = "table";
  std::string format = "tex";
  std::vector<std::string> settings;  ///< rows of these only; empty: all
  TableOptions options;

  /// The same on the command line; `output` as it would be typed.
  std::string command(const std::string& database, const std::string& output) const;
};

/// Reads what the request needs, no more; runs that are gone are left out.
std::vector<RunReport> loadReports(const RunStore& store, const ReportRequest& request);

/// The content of the file. Throws `Error` when the runs do not hold what is asked for.
std::string writeReport(std::vector<RunReport> reports, const ReportRequest& request);

/// Whether a format is text that can be shown and copied.
bool isTextFormat(const std::string& format);

}  // namespace bulwark
