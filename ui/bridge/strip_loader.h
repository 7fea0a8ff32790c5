#pragma once

#include <QString>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/experiment/strip_file.h"
#include "core/store/run_store.h"

namespace bulwark {

/// The iteration strips of a run, one for each detector that keeps them.
struct StripSet {
  bool applies = false;  ///< the run has a detector that keeps strips, if it is asked to
  RunState state = RunState::Queued;
  QString problem;        ///< of a file that cannot be read
  std::string signature;  ///< another one: other strips
  std::vector<std::shared_ptr<const IterationStrips>> strips;
};

/// Reads the files; nothing where the signature is still `known`. For the database's thread.
std::optional<StripSet> loadStrips(const RunStore& store, std::int64_t run,
                                   const std::string& known);

}  // namespace bulwark
