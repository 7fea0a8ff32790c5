#pragma once

#include <string>
#include <vector>

#include "core/report/over_seeds.h"

namespace bulwark {

/// Why no run has a quantity: the first of its parts (experiment, metric, detector, out set,
/// attack, setting) that nothing measured matches together with those before it, and the names that
/// it could have been, "no detector 'svd'; did you mean 'svdd'?". `quantity` calls a detector as a
/// claim does (`detectorLabel`). Empty where some run has the quantity.
std::string missingPart(const std::string& experiment, const Quantity& quantity,
                        const std::vector<SeedGroup>& groups);

}  // namespace bulwark
