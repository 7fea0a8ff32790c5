#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bulwark::cli {

/// "0-4", "3" or "0,2,5-7" as seeds in the order written. Throws `Error` (BadInput) for anything
/// else, a seed named twice, and more than 1,000.
std::vector<std::uint64_t> parseSeeds(const std::string& text);

}  // namespace bulwark::cli
