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
void addBim(Registry<Attack>& registry);
void addLeastLikely(Registry<Attack>& registry);
void addDeepFool(Registry<Attack>& registry);
void addFab(Registry<Attack>& registry);

}  // namespace bulwark
