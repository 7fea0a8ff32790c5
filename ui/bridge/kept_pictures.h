#pragma once

#include <QString>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/experiment/class_map_file.h"
#include "core/store/run_store.h"
#include "ui/bridge/selection_hub.h"

namespace bulwark {

/// The clean images that a run has kept, attacked or not: those of its class maps.
struct KeptPictures {
  RunState state = RunState::Queued;
  QString problem;        ///< of a file that cannot be read
  std::string signature;  ///< another one: another file
  /// Of the detector that has kept the most; the others' images are among them. Null: none.
  std::shared_ptr<const ClassMap> map;
  qint64 asked = 0;  ///< the option `map_images`, the largest of the run's detectors
};

/// Whether the run has kept such images, or has a detector that keeps them if it is asked to.
bool keepsPictures(const RunStore& store, const RunRecord& run);

/// Nothing where the signature is still `known`. For the database's thread.
std::optional<KeptPictures> loadKeptPictures(const RunStore& store, std::int64_t run,
                                             const std::string& known);

/// A detector's anomaly scores of the clean images, set by set.
std::map<SampleSide, std::vector<double>> loadCleanScores(const RunStore& store, std::int64_t run,
                                                          const std::string& detector);

}  // namespace bulwark
