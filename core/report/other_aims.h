#pragma once

#include <set>
#include <string>

#include "core/base/json.h"

namespace bulwark {

/// The labels of a specification's attacks that need not be worse than no attack, since nothing
/// drives them against the score (`aimsElsewhere`).
std::set<std::string> otherAims(const Json& specification);

}  // namespace bulwark
