#include "core/attacks/demands.h"

#include <algorithm>

namespace bulwark {

Propagations propagationsWith(const Attack& attack, const AttackSubject& subject,
                              std::int64_t gradients) {
  const auto& passes = subject.passes;
  return {attack.forwardsPerImage() * std::max(passes.evaluate, passes.judge),
          attack.backwardsPerImage() * passes.gradient * gradients};
}

Propagations propagationsOf(const Attack& attack, const AttackSubject& subject) {
  const auto* demands = dynamic_cast<const Demands*>(&attack);
  return demands ? demands->propagations(subject) : propagationsWith(attack, subject, 1);
}

std::int64_t leastClassesOf(const Attack& attack) {
  const auto* demands = dynamic_cast<const Demands*>(&attack);
  return demands ? demands->leastClasses() : 0;
}

}  // namespace bulwark
