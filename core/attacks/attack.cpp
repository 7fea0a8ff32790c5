#include "core/attacks/attack.h"

#include "core/attacks/builtin.h"

namespace bulwark {

void registerAttacks(Registry<Attack>& registry) {
  addFgsm(registry);
  addPgd(registry);
  addApgd(registry);
  addBim(registry);
  addLeastLikely(registry);
}

}  // namespace bulwark
