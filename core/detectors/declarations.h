#pragma once

#include <string>

#include "core/base/random.h"
#include "core/detectors/detector.h"

namespace bulwark {

/// Implemented by detectors whose score is not differentiable, or quantised: their `guide`, which
/// an attack follows, is something else than the score that judges it. Steps such as rounding are
/// passed with `straightThrough` (core/nn/straight_through.h).
class HasSurrogate {
 public:
  virtual ~HasSurrogate() = default;
  /// What `guide` is and how its gradient relates to the score's, in a sentence.
  virtual std::string surrogate() const = 0;
};

/// Implemented by detectors whose score is random (`DetectorTraits::randomised`): every call of
/// `score` and `guide` draws afresh.
class RandomScore {
 public:
  virtual ~RandomScore() = default;
  /// Starts the generator that the draws come from anew.
  virtual void reseed(Seed seed) = 0;
};

/// Whether an attack follows something else than the score.
inline bool followsSurrogate(const DetectorTraits& traits) {
  return !traits.differentiable || traits.quantised;
}

/// The declared surrogate; empty where there is none.
inline std::string surrogateOf(const Detector& detector) {
  const auto* declared = dynamic_cast<const HasSurrogate*>(&detector);
  return declared ? declared->surrogate() : std::string();
}

/// Nothing where the score is not random.
inline void reseed(Detector& detector, Seed seed) {
  if (auto* random = dynamic_cast<RandomScore*>(&detector)) random->reseed(seed);
}

}  // namespace bulwark
