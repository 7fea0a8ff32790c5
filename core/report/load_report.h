#pragma once

#include <cstdint>

#include "core/report/export.h"
#include "core/report/run_report.h"
#include "core/store/run_store.h"

namespace bulwark {

/// A run with the parts that a report needs, read from the store. Throws `Error` (BadInput) when
/// there is no such run.
RunReport loadReport(const RunStore& store, std::int64_t run, const ReportParts& parts);

}  // namespace bulwark
