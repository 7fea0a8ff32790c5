#pragma once

#include <QString>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/store/run_store.h"

namespace bulwark {

/// Whether a specification has a detector of one of those types.
bool hasDetector(const Json& specification, const std::vector<std::string>& types);

/// The files of one kind that a run's detectors keep for being looked at.
template <class Content>
struct ArtefactSet {
  bool applies = false;  ///< the run has a detector that keeps them, if it is asked to
  RunState state = RunState::Queued;
  QString problem;        ///< of a file that cannot be read
  std::string signature;  ///< another one: other files
  std::vector<std::shared_ptr<const Content>> items;
};

/// Reads the files of `Content::kind`; nothing where the signature is still `known`. For the
/// database's thread. `types`: of the detectors that keep such files.
template <class Content>
std::optional<ArtefactSet<Content>> loadArtefacts(const RunStore& store, std::int64_t run,
                                                  const std::string& known,
                                                  const std::vector<std::string>& types) {
  ArtefactSet<Content> set;
  const auto record = store.findRun(run);
  if (!record) return set;
  set.state = record->state;
  set.applies = hasDetector(record->specification, types);
  std::vector<std::string> files;
  set.signature = record->uuid + ' ' + toString(set.state);
  for (const ArtefactRecord& artefact : store.artefacts(run)) {
    if (artefact.kind != Content::kind) continue;
    files.push_back(artefact.path);
    set.signature += ' ' + artefact.sha256;
  }
  if (set.signature == known) return std::nullopt;
  for (const std::string& file : files) {
    set.applies = true;
    try {
      set.items.push_back(
          std::make_shared<const Content>(Content::load(store.artefactFolder(run) / file)));
    } catch (const Error& error) {
      set.problem = QString::fromStdString(error.what());
    }
  }
  return set;
}

}  // namespace bulwark
