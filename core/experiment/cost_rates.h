#pragma once

#include "core/experiment/runner.h"
#include "core/store/run_store.h"

namespace bulwark {

/// The rates of the newest finished runs like `specification`: the same network, on a device of
/// the same kind. Zero where there are none.
CostRates earlierRates(const RunStore& store, const Specification& specification,
                       const Registries& registries, const DatasetCatalogue& catalogue);

}  // namespace bulwark
