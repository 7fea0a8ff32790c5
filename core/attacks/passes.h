#pragma once

#include <cstdint>

#include "core/attacks/objective.h"

namespace bulwark {

/// Propagations of one image that a call of an objective takes.
struct Passes {
  std::int64_t evaluate = 1;  ///< forwards of `evaluate`
  std::int64_t judge = 1;     ///< forwards of `judge`
  std::int64_t gradient = 1;  ///< backwards from a guide to the image
};

/// Implemented by objectives that may take more than one pass, or whose values are random: two
/// calls with the same images may give two values.
class ManyPasses {
 public:
  virtual ~ManyPasses() = default;
  virtual Passes passes() const = 0;
  virtual bool randomised() const = 0;
};

inline Passes passesOf(const Objective& objective) {
  const auto* many = dynamic_cast<const ManyPasses*>(&objective);
  return many ? many->passes() : Passes{};
}

inline bool isRandomised(const Objective& objective) {
  const auto* many = dynamic_cast<const ManyPasses*>(&objective);
  return many && many->randomised();
}

}  // namespace bulwark
