#pragma once

#include <cstdint>

#include "core/experiment/specification.h"

namespace bulwark {

/// Classes that the classifier of a specification will tell apart; 0 where only the data can say.
std::int64_t classCount(const Specification& specification, const DatasetCatalogue& catalogue);

}  // namespace bulwark
