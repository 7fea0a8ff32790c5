#pragma once

#include <cstdint>
#include <memory>

#include "core/attacks/attack.h"

namespace bulwark {

struct SquarePlan {
  ThreatModel threat;
  std::int64_t queries = 5000;  ///< after the start
  std::int64_t restarts = 1;
  double share = 0.8;  ///< of the image in the first windows
  bool rescale = false;
};

/// Square (Andriushchenko et al., ECCV 2020), alone or as a member of an ensemble.
std::unique_ptr<Attack> makeSquare(const SquarePlan& plan);

}  // namespace bulwark
