#pragma once

#include "core/training/recipe.h"

namespace bulwark {

// One per file of this folder; `registerRecipes` calls them all.
void addStandard(Registry<Recipe>& registry);
void addAdversarial(Registry<Recipe>& registry);
void addOutlierExposure(Registry<Recipe>& registry);
void addAutoencoder(Registry<Recipe>& registry);
void addAttractor(Registry<Recipe>& registry);

}  // namespace bulwark
