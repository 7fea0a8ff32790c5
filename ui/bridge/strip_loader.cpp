#include "ui/bridge/strip_loader.h"

#include "core/base/error.h"

namespace bulwark {

namespace {

bool keepsStrips(const Json& specification) {
  const Json detectors =
      specification.is_object() ? specification.value("detectors", Json()) : Json();
  if (!detectors.is_array()) return false;
  for (const Json& detector : detectors) {
    const Json type = detector.is_object() ? detector.value("type", Json()) : detector;
    if (type == "attractor") return true;
  }
  return false;
}

}  // namespace

std::optional<StripSet> loadStrips(const RunStore& store, std::int64_t run,
                                   const std::string& known) {
  StripSet set;
  const auto record = store.findRun(run);
  if (!record) return set;
  set.state = record->state;
  set.applies = keepsStrips(record->specification);
  std::vector<std::string> files;
  set.signature = record->uuid + ' ' + toString(set.state);
  for (const ArtefactRecord& artefact : store.artefacts(run)) {
    if (artefact.kind != IterationStrips::kind) continue;
    files.push_back(artefact.path);
    set.signature += ' ' + artefact.sha256;
  }
  if (set.signature == known) return std::nullopt;
  for (const std::string& file : files) {
    set.applies = true;
    try {
      set.strips.push_back(std::make_shared<const IterationStrips>(
          IterationStrips::load(store.artefactFolder(run) / file)));
    } catch (const Error& error) {
      set.problem = QString::fromStdString(error.what());
    }
  }
  return set;
}

}  // namespace bulwark
