#pragma once

#include <filesystem>
#include <functional>

#include "core/base/json.h"
#include "core/data/catalogue.h"
#include "core/registry/registries.h"
#include "core/store/records.h"

namespace bulwark {

/// Executes one job of a run database to its end, in this process.
///
/// Claims the job, runs its specification, writes everything to the database and tells `events`,
/// one JSON object per happening: started, progress, metric, scores, log, state, finished, failed,
/// cancelled. A second thread keeps the heartbeat, hands on what users ask through the database
/// (cancel, pause, resume) and turns SIGINT and SIGTERM into a cancel. Returns the job's final
/// state; does not throw for a job that fails. `events` is called from both threads, one at a time.
/// With `endProcess` a cancel that the computation does not notice within 0.3 s (one long step)
/// ends this process with exit code 130, after the job was marked as cancelled.
RunState executeJob(const std::filesystem::path& database, std::int64_t job,
                    const Registries& registries, const DatasetCatalogue& catalogue,
                    const std::function<void(const Json&)>& events, bool endProcess = false);

}  // namespace bulwark
