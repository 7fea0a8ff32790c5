#pragma once

#include <QString>
#include <vector>

#include "core/base/task.h"
#include "ui/models/dataset_model.h"

namespace bulwark {

/// Everything in `folder` that is not a catalogue set and whose format can be told. Does disk
/// access: for the thread pool.
std::vector<DatasetEntry> findOwnSets(const QString& folder, const DatasetCatalogue& catalogue);

/// Reads `path` once, and when that succeeds puts a link to it into `folder`. Returns the name of
/// the new set, made from the path and unique. Throws `Error` and leaves nothing behind when the
/// data cannot be read. For the thread pool.
QString linkOwnSet(const QString& path, const QString& folder, const DatasetCatalogue& catalogue,
                   Task& task);

}  // namespace bulwark
