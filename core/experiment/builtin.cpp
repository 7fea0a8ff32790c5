#include "core/attacks/attack.h"
#include "core/detectors/detector.h"
#include "core/nn/network.h"
#include "core/registry/registries.h"
#include "core/training/recipe.h"

namespace bulwark {

Registries builtinRegistries() {
  Registries registries;
  registerNetworks(registries.networks);
  registerRecipes(registries.recipes);
  registerDetectors(registries.detectors);
  registerAttacks(registries.attacks);
  return registries;
}

}  // namespace bulwark
