#pragma once

#include <string>
#include <vector>

#include "core/experiment/specification.h"

namespace bulwark {

/// The layers (taps) of a network as a specification names it, "lenet5" or {"type": "mlp", ...}, in
/// forward order; no network is built. Empty where they cannot be told: no such network, options
/// that are wrong, or a network that does not come with the program.
std::vector<std::string> networkLayers(const Json& network, const Registries& registries);

/// Refuses a detector that names a layer which the network lacks; it would fail after the training.
/// Throws `Error` (BadInput) at the option, with the nearest name.
void requireKnownLayers(const Specification& specification, const Registries& registries);

}  // namespace bulwark
