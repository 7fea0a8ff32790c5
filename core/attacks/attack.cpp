#include "core/attacks/attack.h"

#include "core/attacks/builtin.h"

namespace bulwark {

void registerAttacks(Registry<Attack>& registry) {
  addFgsm(registry);
  addPgd(registry);
  addApgd(registry);
  addAutoAttack(registry);
  addA3(registry);
  addCaa(registry);
  addTransfer(registry);
  addJoint(registry);
  addBim(registry);
  addLeastLikely(registry);
  addDeepFool(registry);
  addFab(registry);
  addSemantic(registry);
  addNoiseUniform(registry);
  addNoiseGaussian(registry);
  addSaltPepper(registry);
  addRandomSearch(registry);
  addSquare(registry);
  addSimba(registry);
  addCwL2(registry);
  addJsma(registry);
}

}  // namespace bulwark
