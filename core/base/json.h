#pragma once

#include <nlohmann/json.hpp>

namespace bulwark {

/// JSON that keeps the order of its keys, so that a specification reads back as it was written.
using Json = nlohmann::ordered_json;

}  // namespace bulwark
