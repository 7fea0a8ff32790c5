#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/report/run_report.h"

namespace bulwark {

/// What to throw where runs have nothing of what is asked for, "there are no scores to export":
/// which of them did not finish, and why, "run 3 failed: ...". `hint` is for those that did.
Error nothingToReport(const std::string& problem, const std::vector<RunReport>& runs,
                      const std::string& hint);

}  // namespace bulwark
