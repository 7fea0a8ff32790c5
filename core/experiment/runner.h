#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/task.h"
#include "core/data/catalogue.h"
#include "core/experiment/specification.h"
#include "core/store/records.h"

namespace bulwark {

/// Where a runner puts what it has found and looks for what an earlier, cut-short execution had
/// already finished. Implemented on the run store; in tests on memory.
class Journal {
 public:
  virtual ~Journal() = default;
  virtual void environment(const Json& environment, const std::string& device) = 0;
  virtual void datasets(const std::vector<DatasetRecord>& datasets) = 0;
  virtual void epochMetric(const EpochMetric& metric) = 0;
  virtual void artefact(const ArtefactRecord& artefact) = 0;
  virtual void scores(const ScoreSet& scores, const std::vector<ImagePair>& pairs) = 0;
  virtual void results(const std::vector<ResultRow>& rows,
                       const std::vector<CurveRecord>& curves) = 0;
  virtual void summary(const Json& summary, const Json& timings) = 0;

  virtual std::optional<ScoreSet> finishedScores(const std::string& detector,
                                                 const std::string& attack,
                                                 const std::string& dataset, bool out) = 0;
  virtual std::vector<ArtefactRecord> artefacts() = 0;
  /// What an earlier execution of this run was given by `datasets`; empty for the first.
  virtual std::vector<DatasetRecord> earlierDatasets() = 0;
  /// What an earlier execution of this run was given by `environment`; null for the first.
  virtual Json earlierEnvironment() { return nullptr; }
  /// Folder for checkpoints and weights of this run.
  virtual std::filesystem::path folder() = 0;

  /// What another run has left behind, for attacks that craft on its models.
  struct OtherRun {
    Json specification;
    std::vector<ArtefactRecord> artefacts;
    std::filesystem::path folder;
  };
  /// None: there is no such run.
  virtual std::optional<OtherRun> otherRun(std::int64_t /*id*/) { return std::nullopt; }
  /// Seconds of work on one attacked set that are worth keeping before the set is complete.
  virtual double secondsWorthKeeping() const { return 5.0; }
};

/// Executes a specification step by step: data, classifier, detectors, attacks, metrics.
///
/// Owns no thread and no window. Each finished (detector, attack, set) goes to the journal at
/// once, the images finished of the one under way to the run's folder every few seconds. So a
/// killed execution loses seconds, and a resumed one gives the same results.
class Runner {
 public:
  Runner(const Registries& registries, const DatasetCatalogue& catalogue);
  /// Throws `Error`; kind Cancelled when stopped through the task.
  void execute(const Specification& specification, Journal& journal, Task& task) const;

 private:
  const Registries& registries_;
  const DatasetCatalogue& catalogue_;
};

/// How quick this machine has been, per second; 0: unknown.
struct CostRates {
  double trainingImages = 0;      ///< images propagated forward and backward
  double attackPropagations = 0;  ///< forwards plus backwards
};

/// Cost of a specification before it starts: propagations and, from the rates of earlier runs
/// (core/experiment/cost_rates.h), seconds. No data is loaded.
struct CostEstimate {
  double trainingImages = 0;      ///< images propagated forward and backward in training
  double attackPropagations = 0;  ///< upper bound of forwards plus backwards
  double seconds = 0;             ///< of training and attacks; 0 when a rate needed is unknown
  std::string text;               ///< "up to 420,000 forward and backward passes, about 2 min"
};
CostEstimate estimateCost(const Specification& specification, const Registries& registries,
                          const DatasetCatalogue& catalogue, const CostRates& rates = {});

/// A device LibTorch can compute on.
struct DeviceInfo {
  std::string name;   ///< "cpu", "cuda:0"
  std::string title;  ///< "CPU, 2 cores", "NVIDIA H200, 139 GiB"
};
std::vector<DeviceInfo> listDevices();
/// Throws `Error` (BadInput) naming the devices there are, unless `name` is one of them.
void requireDevice(const std::string& name);

}  // namespace bulwark
