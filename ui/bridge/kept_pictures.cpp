#include "ui/bridge/kept_pictures.h"

#include <algorithm>

#include "core/base/error.h"
#include "ui/bridge/artefact_set.h"

namespace bulwark {

namespace {

constexpr const char* kKeeper = "svdd";  // the type of detector that keeps class maps

/// Options that the specification leaves out are not known here.
qint64 askedOf(const Json& specification) {
  qint64 most = 0;
  const auto detectors = specification.find("detectors");
  if (detectors == specification.end() || !detectors->is_array()) return most;
  for (const Json& detector : *detectors) {
    if (!detector.is_object()) continue;
    const Json asked = detector.value("map_images", Json());
    if (asked.is_number_integer()) most = std::max(most, asked.get<qint64>());
  }
  return most;
}

}  // namespace

bool keepsPictures(const RunStore& store, const RunRecord& run) {
  if (hasDetector(run.specification, {kKeeper})) return true;
  const auto artefacts = store.artefacts(run.id);
  return std::any_of(artefacts.begin(), artefacts.end(), [](const ArtefactRecord& artefact) {
    return artefact.kind == ClassMap::kind;
  });
}

std::optional<KeptPictures> loadKeptPictures(const RunStore& store, std::int64_t run,
                                             const std::string& known) {
  KeptPictures kept;
  const auto record = store.findRun(run);
  if (!record) return kept;
  kept.state = record->state;
  if (record->specification.is_object()) kept.asked = askedOf(record->specification);
  ArtefactRecord most;
  for (const ArtefactRecord& artefact : store.artefacts(run)) {
    if (artefact.kind == ClassMap::kind && artefact.bytes > most.bytes) most = artefact;
  }
  kept.signature = record->uuid + ' ' + toString(kept.state) + ' ' + most.sha256;
  if (kept.signature == known) return std::nullopt;
  if (most.path.empty()) return kept;
  try {
    kept.map =
        std::make_shared<const ClassMap>(ClassMap::load(store.artefactFolder(run) / most.path));
  } catch (const Error& error) {
    kept.problem = QString::fromStdString(error.what());
  }
  return kept;
}

std::map<SampleSide, std::vector<double>> loadCleanScores(const RunStore& store, std::int64_t run,
                                                          const std::string& detector) {
  std::map<SampleSide, std::vector<double>> scores;
  for (const DatasetRecord& dataset : store.datasets(run)) {
    if (dataset.role != "in" && dataset.role != "out") continue;
    const bool out = dataset.role == "out";
    auto set = store.scores(run, detector, {}, dataset.name, out);
    if (set) scores[{QString::fromStdString(dataset.name), out}] = std::move(set->scores);
  }
  return scores;
}

}  // namespace bulwark
