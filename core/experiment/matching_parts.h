#pragma once

#include "core/experiment/specification.h"

namespace bulwark {

/// Refuses parts of a complete specification that do not go together and would fail only after the
/// data are loaded or the network is trained: reconstructions where nothing reconstructs, an open
/// set that no recipe reads, layers that the network lacks, attacks on logits where a score is
/// attacked, sets that no attack can make, sets without the images that their role takes. Throws
/// `Error` (BadInput) with the option's path.
void requireMatchingParts(const Specification& specification, const Registries& registries,
                          const DatasetCatalogue& catalogue);

}  // namespace bulwark
