#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "core/attacks/progress.h"

namespace bulwark {

/// What `seekNearest` must know of a finished sample beyond what a walk keeps.
struct SearchFacts {
  double distance = std::numeric_limits<double>::infinity();  ///< of the nearest crossing
  /// Counted in all when the sample left; where nothing but finished samples was propagated, they
  /// stand for what was not computed again.
  std::int64_t forwards = 0, backwards = 0;
};

/// The facts travel as the first improvements, at times below 0, where no search has any.
void addFacts(FinishedSample& done, const SearchFacts& facts);
/// Takes them out again; without them no improvement is left, which `restoreSamples` refuses.
SearchFacts takeFacts(FinishedSample& done);

// Bits of what a pass over the batch did.
constexpr std::uint8_t kMoved = 1;     ///< some search went on
constexpr std::uint8_t kCompared = 2;  ///< rows were compared in another order or a smaller batch
constexpr std::uint8_t kAlike = 4;     ///< and found alike

/// One entry per pass, as pairs of an entry and how often it is repeated (1 to 255).
std::vector<std::uint8_t> packLog(const std::vector<std::uint8_t>& log);
std::vector<std::uint8_t> unpackLog(const std::vector<std::uint8_t>& packed);

}  // namespace bulwark
