#pragma once

#include <string>

#include "core/base/json.h"

namespace bulwark {

/// Whether an attack with these options raises a cost of the classifier in place of what judges it
/// (FGSM with a loss of its own): its points may well be better than the clean ones, so no rule
/// that a stronger adversary is never better applies.
inline bool followsCost(const std::string& type, const Json& options) {
  if (type != "fgsm" || !options.is_object()) return false;
  const auto loss = options.find("loss");
  return loss != options.end() && loss->is_string() && *loss != "objective";
}

/// Whether nothing drives the points of an attack against what judges them: it raises a cost of
/// the classifier, or it draws noise and keeps whatever comes (a corruption, not an adversary).
inline bool aimsElsewhere(const std::string& type, const Json& options) {
  if (followsCost(type, options)) return true;
  const bool noise = type == "salt_pepper" || type == "noise_gaussian" || type == "noise_uniform";
  return noise && options.is_object() && options.value("keep", Json("best")) == "last";
}

}  // namespace bulwark
