#include "core/experiment/store_journal.h"

#include <cmath>
#include <utility>

namespace bulwark {

StoreJournal::StoreJournal(RunStore& store, std::int64_t run, EventSink events)
    : store_(store), run_(run), events_(std::move(events)) {}

void StoreJournal::environment(const Json& environment, const std::string& device) {
  store_.setRunEnvironment(run_, environment, device);
}

void StoreJournal::datasets(const std::vector<DatasetRecord>& datasets) {
  store_.putDatasets(run_, datasets);
}

void StoreJournal::epochMetric(const EpochMetric& metric) {
  store_.putEpochMetrics(run_, {metric});
  Json event = {{"event", "metric"},
                {"phase", metric.phase},
                {"epoch", metric.epoch},
                {"name", metric.name},
                {"value", metric.value}};
  events_(event);
}

void StoreJournal::artefact(const ArtefactRecord& artefact) {
  store_.putArtefact(run_, artefact);
}

void StoreJournal::scores(const ScoreSet& scores, const std::vector<ImagePair>& pairs) {
  store_.putScores(run_, scores, pairs);
  events_({{"event", "scores"},
           {"detector", scores.detector},
           {"attack", scores.attack},
           {"dataset", scores.dataset},
           {"out", scores.out}});
}

void StoreJournal::results(const std::vector<ResultRow>& rows,
                           const std::vector<CurveRecord>& curves) {
  store_.putResults(run_, rows, curves);
}

void StoreJournal::summary(const Json& summary, const Json& timings) {
  // A resumed execution adds to what the earlier ones took.
  Json total = store_.run(run_).timings;
  if (!total.is_object()) total = Json::object();
  for (const auto& [phase, seconds] : timings.items()) {
    total[phase] = total.value(phase, 0.0) + seconds.get<double>();
  }
  store_.setRunSummary(run_, summary, total);
}

std::optional<ScoreSet> StoreJournal::finishedScores(const std::string& detector,
                                                     const std::string& attack,
                                                     const std::string& dataset, bool out) {
  return store_.scores(run_, detector, attack, dataset, out);
}

std::vector<ArtefactRecord> StoreJournal::artefacts() {
  return store_.artefacts(run_);
}

std::vector<DatasetRecord> StoreJournal::earlierDatasets() {
  return store_.datasets(run_);
}

Json StoreJournal::earlierEnvironment() {
  return store_.run(run_).environment;
}

std::filesystem::path StoreJournal::folder() {
  return store_.artefactFolder(run_);
}

std::optional<Journal::OtherRun> StoreJournal::otherRun(std::int64_t id) {
  const auto run = store_.findRun(id);
  if (!run) return std::nullopt;
  return OtherRun{run->specification, store_.artefacts(id), store_.artefactFolder(id)};
}

}  // namespace bulwark
