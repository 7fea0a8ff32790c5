#pragma once

#include <string>
#include <vector>

#include "core/experiment/specification.h"

namespace bulwark {

/// The parts that the data of a request have: "train", "test", or "all" where they are undivided.
/// Empty where nothing can be told: the set is not installed, or the path cannot be read.
std::vector<std::string> partsOf(const DatasetRequest& request, const DatasetCatalogue& catalogue);

/// Refuses a set without the images that its role takes, which would fail once the data are loaded:
/// an in set needs training and test images, an out set test images, the open set training images,
/// unless its `split` names the part that is there. Throws `Error` (BadInput) at the set's path.
void requireParts(const Specification& specification, const DatasetCatalogue& catalogue);

/// Whether two requests take their images from the same place: one catalogue set, or one place on
/// disk, however it is spelled.
bool sameSource(const DatasetRequest& a, const DatasetRequest& b,
                const DatasetCatalogue& catalogue);

}  // namespace bulwark
