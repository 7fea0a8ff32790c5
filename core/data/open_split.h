#pragma once

#include <string>

#include "core/data/image_set.h"
#include "core/data/layout.h"
#include "core/data/raw_images.h"

namespace bulwark {

/// Opens one split with the reader of its format and checks what readers cannot know: the counts
/// the catalogue fixes, labels against the number of classes. Throws `Error` (BadInput).
RawImages openSplit(const Layout& layout, const SplitLayout& split, const FolderOptions& options,
                    Task& task);

/// `loadDataset`, but a folder whose images differ in size is brought to `mixedSize` squares where
/// the request names no size (0: that is an error).
std::shared_ptr<ImageSet> loadWithMixedSizes(const DatasetCatalogue& catalogue,
                                             const DatasetRequest& request, const std::string& role,
                                             Seed seed, int mixedSize, Task& task);

}  // namespace bulwark
