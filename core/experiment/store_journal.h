#pragma once

#include <functional>
#include <mutex>

#include "core/experiment/runner.h"
#include "core/store/run_store.h"

namespace bulwark {

/// A journal that writes to the run store and tells an event sink.
class StoreJournal : public Journal {
 public:
  using EventSink = std::function<void(const Json&)>;

  StoreJournal(RunStore& store, std::int64_t run, EventSink events);

  void environment(const Json& environment, const std::string& device) override;
  void datasets(const std::vector<DatasetRecord>& datasets) override;
  void epochMetric(const EpochMetric& metric) override;
  void artefact(const ArtefactRecord& artefact) override;
  void scores(const ScoreSet& scores, const std::vector<ImagePair>& pairs) override;
  void results(const std::vector<ResultRow>& rows, const std::vector<CurveRecord>& curves) override;
  void summary(const Json& summary, const Json& timings) override;

  std::optional<ScoreSet> finishedScores(const std::string& detector, const std::string& attack,
                                         const std::string& dataset, bool out) override;
  std::vector<ArtefactRecord> artefacts() override;
  std::vector<DatasetRecord> earlierDatasets() override;
  Json earlierEnvironment() override;
  std::filesystem::path folder() override;
  std::optional<OtherRun> otherRun(std::int64_t id) override;

 private:
  RunStore& store_;
  std::int64_t run_;
  EventSink events_;
};

}  // namespace bulwark
