#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bulwark {

/// A NumPy file, format 1.0, little-endian, C order; `shape` must match the number of values
/// (throws `Error` otherwise). Dtypes: float64, float32 and uint8.
std::string writeNpy(std::span<const double> values, const std::vector<std::size_t>& shape);
std::string writeNpy(std::span<const float> values, const std::vector<std::size_t>& shape);
std::string writeNpy(std::span<const std::uint8_t> values, const std::vector<std::size_t>& shape);

}  // namespace bulwark
