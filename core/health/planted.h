#pragma once

#include "core/health/probes.h"

namespace bulwark {

/// H33: share of in images whose planted point stays better than what `attack` finds.
///
/// As Zimmermann et al. 2022 do with a binarised last layer, the readout behind the network's
/// features is exchanged for one of which a sure adversarial point is known: for an image x and a
/// random corner p of its ball, s'(y) = <f(y) - f(x), f(p) - f(x)> / ||f(p) - f(x)||^2 is 0 at x
/// and 1 at p. Whatever hides gradients up to the features hides this one, too.
double missedPlants(Network& network, const Attack& attack, const ProbeSetting& setting, Seed seed,
                    Task& task);

}  // namespace bulwark
