#pragma once

#include "core/registry/registries.h"

namespace bulwark {

// Each defined in the file that holds the attack.
void addFgsm(Registry<Attack>& registry);
void addPgd(Registry<Attack>& registry);
void addApgd(Registry<Attack>& registry);
void addAutoAttack(Registry<Attack>& registry);
void addA3(Registry<Attack>& registry);
void addCaa(Registry<Attack>& registry);
void addTransfer(Registry<Attack>& registry);
void addJoint(Registry<Attack>& registry);
void addBim(Registry<Attack>& registry);
void addLeastLikely(Registry<Attack>& registry);
void addDeepFool(Registry<Attack>& registry);
void addFab(Registry<Attack>& registry);
void addSemantic(Registry<Attack>& registry);
void addNoiseUniform(Registry<Attack>& registry);
void addNoiseGaussian(Registry<Attack>& registry);
void addSaltPepper(Registry<Attack>& registry);
void addRandomSearch(Registry<Attack>& registry);
void addSquare(Registry<Attack>& registry);
void addSimba(Registry<Attack>& registry);
void addCwL2(Registry<Attack>& registry);
void addJsma(Registry<Attack>& registry);

}  // namespace bulwark
