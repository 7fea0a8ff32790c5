#pragma once

#include <cstdint>
#include <memory>

#include "core/base/json.h"

namespace bulwark {

/// Implemented by detectors whose paper fixes the score beyond which an image is rejected, or that
/// find it while they are fitted; the others are judged at thresholds the evaluation chooses.
class HasThreshold {
 public:
  virtual ~HasThreshold() = default;
  /// An image is accepted as in-distribution where its anomaly score is at most this.
  virtual double threshold() const = 0;
};

/// Implemented by detectors that measure something about the network while they are fitted.
class HasFitFacts {
 public:
  virtual ~HasFitFacts() = default;
  /// For the run's summary; an empty object where nothing was measured.
  virtual Json fitFacts() const = 0;
};

/// Implemented by detectors that tell the class of an image in a way of their own.
class HasClasses {
 public:
  virtual ~HasClasses() = default;
  /// While what is returned lives, the classifier that the detector was fitted with gives the
  /// detector's classes; null where it does so anyhow.
  virtual std::shared_ptr<void> ownClasses() const = 0;
};

/// Implemented by detectors that take an image through the network more than once for one score.
class HasPasses {
 public:
  virtual ~HasPasses() = default;
  /// Forwards of the network for one score, the largest number where it depends on the image.
  virtual std::int64_t passesPerScore() const = 0;
};

}  // namespace bulwark
