#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/params/option.h"

namespace bulwark {

/// Declares that `option`, a text or a list of texts, names layers (taps) of the classifier.
/// `others`: what it may name besides, "logits" or "auto". Told by the option's unit.
Option& namesLayers(Option& option, const std::vector<std::string>& others);

/// What an option that names layers may name besides them; nothing for any other option.
std::optional<std::vector<std::string>> layerWords(const Option& option);

}  // namespace bulwark
