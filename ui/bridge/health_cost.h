#pragma once

#include <QString>

#include "core/store/run_store.h"

namespace bulwark {

/// What the costly health checks of a run would take at the speed its own attacks had, as a
/// sentence; empty when the run has not attacked in steps. Made in the database's thread.
QString healthCost(const RunStore& store, const RunRecord& run);

}  // namespace bulwark
