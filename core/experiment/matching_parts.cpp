#include "core/experiment/matching_parts.h"

#include <algorithm>
#include <string>

#include "core/attacks/demands.h"
#include "core/base/error.h"
#include "core/experiment/class_count.h"
#include "core/experiment/crafted_sets.h"
#include "core/experiment/network_layers.h"
#include "core/experiment/set_parts.h"
#include "core/health/other_aim.h"
#include "core/training/recipe.h"

namespace bulwark {
namespace {

bool has(const ComponentInfo& info, const char* trait) {
  return std::find(info.traits.begin(), info.traits.end(), trait) != info.traits.end();
}

/// What reads or trains reconstructions goes with a network that makes them, and the other way
/// round; otherwise it would fail after the data are loaded or the network is trained.
void requireMatchingNetwork(const Specification& spec, const Registries& registries) {
  constexpr const char* kNeeds = "needs an autoencoder";
  const bool reconstructs = !spec.network.type.empty() &&
                            has(registries.networks.info(spec.network.type), "reconstructs");
  const auto refuse = [&](const std::string& what, const std::string& path) {
    throw Error::badInput("this needs a network that reconstructs its images, " + what, path,
                          "choose the network 'autoencoder' with the recipe 'autoencoder' or "
                          "'attractor'");
  };
  const std::string instead = "'" + spec.network.type + "' does not";
  if (!spec.network.type.empty()) {
    const bool needs = has(registries.recipes.info(spec.recipe.type), kNeeds);
    if (needs && !reconstructs) refuse(instead, "classifier.recipe");
    if (!needs && reconstructs) {
      throw Error::badInput("the recipe '" + spec.recipe.type + "' does not train what '" +
                                spec.network.type + "' reconstructs with",
                            "classifier.recipe", "choose 'autoencoder' or 'attractor'");
    }
  }
  if (reconstructs) return;
  for (std::size_t i = 0; i < spec.detectors.size(); ++i) {
    if (!has(registries.detectors.info(spec.detectors[i].type), kNeeds)) continue;
    refuse(instead, "detectors[" + std::to_string(i) + "]");
  }
  for (std::size_t i = 0; i < spec.attacks.size(); ++i) {
    const auto& request = spec.attacks[i];
    if (!followsCost(request.type, request.options)) continue;
    const std::string path = "attacks[" + std::to_string(i) + "].loss";
    if (spec.network.type.empty()) {
      throw Error::badInput("there is no classifier whose cost could be followed", path,
                            "use the loss \"objective\", or name a network under classifier");
    }
    if (request.options.at("loss") != "ce") refuse(instead, path);
  }
}

/// Outliers in training: a recipe reads them or nobody does.
void requireMatchingOpenSet(const Specification& spec, const Registries& registries,
                            const DatasetCatalogue& catalogue) {
  const bool reads = !spec.network.type.empty() &&
                     has(registries.recipes.info(spec.recipe.type), "needs an open set");
  if (reads && !spec.open) {
    throw Error::badInput("the recipe '" + spec.recipe.type + "' trains with outliers", "data.open",
                          "name a set for them, e.g. {\"dataset\": \"glyphs\"}");
  }
  if (spec.open && !reads) {
    throw Error::badInput("nothing trains with the open set", "data.open",
                          "choose the recipe 'outlier_exposure', or leave it out");
  }
  if (!spec.open || spec.open->dataset.empty()) return;
  if (isMadeLater(*spec.open, catalogue)) {
    throw Error::badInput("'" + spec.open->dataset + "' is made against the trained classifier",
                          "data.open", "choose a set that is there before");
  }
}

/// Attacks on logits are of use only where nothing but the classifier is attacked, and must be
/// defined for as many classes as it has.
void requireAttackableLogits(const Specification& spec, const Registries& registries,
                             const DatasetCatalogue& catalogue) {
  const auto& settings = spec.evaluation.settings;
  const bool detectors = std::any_of(settings.begin(), settings.end(),
                                     [](const std::string& name) { return name != "clean"; });
  const std::int64_t classes = classCount(spec, catalogue);
  for (std::size_t i = 0; i < spec.attacks.size(); ++i) {
    const auto& request = spec.attacks[i];
    std::string path = "attacks[" + std::to_string(i) + "]";
    const std::int64_t least =
        leastClassesOf(*registries.attacks.make(request.type, request.options, path));
    if (least == 0) continue;
    if (request.options.contains("loss")) path += ".loss";
    if (detectors || !spec.curves.empty()) {
      throw Error::badInput(
          "this attack compares the logits of a classifier; a detector's score is one number", path,
          "use the loss \"score\"; or attack the classifier alone: settings [\"clean\"], no "
          "curves");
    }
    if (classes > 0 && classes < least) {
      throw Error::badInput("this attack needs at least " + std::to_string(least) +
                                " classes, the in set has " + std::to_string(classes),
                            path, "use the loss \"ce\"");
    }
  }
}

}  // namespace

void requireMatchingParts(const Specification& spec, const Registries& registries,
                          const DatasetCatalogue& catalogue) {
  requireMatchingNetwork(spec, registries);
  requireMatchingOpenSet(spec, registries, catalogue);
  requireKnownLayers(spec, registries);
  requireAttackableLogits(spec, registries, catalogue);
  for (std::size_t i = 0; i < spec.out.size(); ++i) {
    if (!isCrafted(spec.out[i], catalogue)) continue;
    craftingAttack(spec.out[i], registries, "data.out[" + std::to_string(i) + "]");
  }
  requireParts(spec, catalogue);
}

}  // namespace bulwark
