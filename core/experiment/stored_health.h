#pragma once

#include <cstdint>

#include "core/base/task.h"
#include "core/data/catalogue.h"
#include "core/registry/registries.h"
#include "core/store/run_store.h"

namespace bulwark {

/// Makes the health checks that take attacks of their own for a finished run of the database, from
/// its stored weights and detectors, on `images` in and out images (0: as its specification says),
/// and enters them into its summary, detector by detector: what is finished survives a cancel. The
/// cost is logged first. Throws `Error` when the run is not finished, or its data or files are not
/// those it was made with.
void examineStoredRun(const Registries& registries, const DatasetCatalogue& catalogue,
                      RunStore& store, std::int64_t run, std::int64_t images, Task& task);

}  // namespace bulwark
