#pragma once

#include <cstdint>

#include "core/attacks/attack.h"
#include "core/attacks/passes.h"

namespace bulwark {

/// What an attack is to meet, as far as its cost depends on it.
struct AttackSubject {
  std::int64_t classes = 0;  ///< logits that it may choose among; 0: a scalar score
  std::int64_t entries = 0;  ///< of an image: channels x height x width; 0: not known
  Passes passes = {};
  bool randomised = false;
};

/// Of one image.
struct Propagations {
  std::int64_t forwards = 0, backwards = 0;
};

/// Implemented by attacks that ask for more than most: several gradients per evaluation, or logits.
class Demands {
 public:
  virtual ~Demands() = default;
  /// Upper bound per image.
  virtual Propagations propagations(const AttackSubject& subject) const = 0;
  /// Logits without which the attack is not defined; 0: it needs none.
  virtual std::int64_t leastClasses() const { return 0; }
};

/// Upper bound of the propagations per image, for the cost estimate.
Propagations propagationsOf(const Attack& attack, const AttackSubject& subject);
/// Logits without which the attack is not defined; 0: it needs none.
std::int64_t leastClassesOf(const Attack& attack);
/// The bound of an attack that takes `gradients` backwards at each of its steps.
Propagations propagationsWith(const Attack& attack, const AttackSubject& subject,
                              std::int64_t gradients);

}  // namespace bulwark
