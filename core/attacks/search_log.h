#pragma once

#include <cstdint>
#include <vector>

namespace bulwark {

// Bits of what a pass over the batch did.
constexpr std::uint8_t kMoved = 1;     ///< some search went on
constexpr std::uint8_t kCompared = 2;  ///< rows were compared in another order or a smaller batch
constexpr std::uint8_t kAlike = 4;     ///< and found alike

/// One entry per pass, as pairs of an entry and how often it is repeated (1 to 255).
std::vector<std::uint8_t> packLog(const std::vector<std::uint8_t>& log);
std::vector<std::uint8_t> unpackLog(const std::vector<std::uint8_t>& packed);

}  // namespace bulwark
