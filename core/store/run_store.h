#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/task.h"
#include "core/store/records.h"

namespace bulwark {

/// How a connection behaves; the defaults suit every program, tests shorten the waiting.
struct StoreOptions {
  std::chrono::milliseconds patience{5000};  ///< how long to wait for another program's lock
  std::int64_t mostPages = 0;                ///< refuse to grow beyond this many pages; 0: no limit
};

/// The SQLite database of runs and jobs (design.md section 6).
///
/// One object is one connection and belongs to one thread. Several processes may open the same
/// file: WAL mode, a busy timeout, and short transactions make writers wait for each other.
/// Every method throws `Error`; a database that is newer, locked, read-only, full or not a
/// database at all is named with its remedy, and is left as it was.
class RunStore {
 public:
  enum class Mode { ReadWrite, ReadOnly };

  /// Creates the file (and its folder) if needed; migrates an older schema after a backup copy.
  static RunStore open(const std::filesystem::path& path, Mode mode = Mode::ReadWrite,
                       const StoreOptions& options = {});
  /// `userDataFolder()/runs.db`.
  static std::filesystem::path defaultPath();

  RunStore(RunStore&&) noexcept;
  RunStore& operator=(RunStore&&) noexcept;
  ~RunStore();

  const std::filesystem::path& path() const;
  /// Folder for checkpoints and weights of a run, `<database>.artefacts/<uuid>/`; created.
  std::filesystem::path artefactFolder(std::int64_t run) const;
  static int schemaVersion();
  /// Increases with every change of the database, by this or any other process: cheap to poll.
  std::int64_t dataVersion() const;

  // Runs -----------------------------------------------------------------------------------
  std::int64_t createRun(const std::string& name, const Json& specification, std::uint64_t seed,
                         const std::string& device);
  RunRecord run(std::int64_t id) const;
  std::optional<RunRecord> findRun(std::int64_t id) const;
  /// Newest first, pinned before the others; without specification and environment when `brief`.
  std::vector<RunRecord> runs(bool brief = false) const;
  void deleteRun(std::int64_t id);  ///< with everything it owns, its artefact files too
  void setRunState(std::int64_t id, RunState state, const std::string& error = {});
  void setRunEnvironment(std::int64_t id, const Json& environment, const std::string& device);
  void setRunSummary(std::int64_t id, const Json& summary, const Json& timings);
  void setRunNote(std::int64_t id, const std::string& note);
  void setRunName(std::int64_t id, const std::string& name);
  void setRunPinned(std::int64_t id, bool pinned);
  /// Copies every finished run of another database that is not here yet; returns the new ids.
  std::vector<std::int64_t> importFrom(const std::filesystem::path& other);

  // What a run produced; each call is one transaction ----------------------------------------
  void putDatasets(std::int64_t run, const std::vector<DatasetRecord>& datasets);
  void putEpochMetrics(std::int64_t run, const std::vector<EpochMetric>& metrics);
  /// Replaces the set with the same (detector, attack, dataset, out); pairs go with it.
  void putScores(std::int64_t run, const ScoreSet& scores, const std::vector<ImagePair>& pairs);
  /// Replaces all results and curves of the run.
  void putResults(std::int64_t run, const std::vector<ResultRow>& rows,
                  const std::vector<CurveRecord>& curves);
  void putArtefact(std::int64_t run, const ArtefactRecord& artefact);
  void putLog(std::int64_t run, LogLevel level, const std::string& text);

  std::vector<DatasetRecord> datasets(std::int64_t run) const;
  std::vector<EpochMetric> epochMetrics(std::int64_t run) const;
  std::optional<ScoreSet> scores(std::int64_t run, const std::string& detector,
                                 const std::string& attack, const std::string& dataset,
                                 bool out) const;
  std::vector<ScoreSet> scoreSets(std::int64_t run) const;
  std::vector<ResultRow> results(std::int64_t run) const;
  std::vector<CurveRecord> curves(std::int64_t run) const;
  /// Without pixels when `brief`.
  std::vector<ImagePair> imagePairs(std::int64_t run, bool brief = false) const;
  ImagePair imagePair(std::int64_t id) const;
  std::vector<ArtefactRecord> artefacts(std::int64_t run) const;
  std::vector<LogLine> log(std::int64_t run, std::int64_t afterId = 0) const;

  // Jobs -------------------------------------------------------------------------------------
  /// A run and its job, Queued, in one transaction; returns the job's id.
  std::int64_t enqueue(const std::string& name, const Json& specification, std::uint64_t seed,
                       const std::string& device, int threads);
  JobRecord job(std::int64_t id) const;
  std::vector<JobRecord> jobs() const;  ///< newest first
  std::optional<JobRecord> jobOfRun(std::int64_t run) const;
  /// The oldest queued job, if no other job is running.
  std::optional<JobRecord> nextJob() const;
  /// Takes a Queued, Interrupted, Failed or Cancelled job for this process: Running, with `pid`
  /// and attempt + 1. Throws when another living worker has it.
  void claimJob(std::int64_t id, std::int64_t pid);
  /// Updates progress and the heartbeat; returns what the user asked meanwhile and clears
  /// "pause" and "resume" (a cancel stays).
  std::string reportJob(std::int64_t id, const ProgressUpdate& progress);
  void setJobState(std::int64_t id, RunState state, const std::string& error = {});  ///< run too
  void requestJob(std::int64_t id, const std::string& request);  ///< cancel, pause, resume
  /// Queued again, keeping what the run has already stored. Refused for Running and Done.
  void retryJob(std::int64_t id);
  /// Whose workers `markInterrupted` judges: those of other hosts by their heartbeat alone, which
  /// a clock that is wrong makes look dead.
  enum class Workers { Everywhere, OfThisHost };
  /// Running or Paused runs whose worker is gone become Interrupted, all but `except`; returns how
  /// many. Takes no lock where there is none.
  int markInterrupted(Workers workers = Workers::Everywhere, std::int64_t except = 0);

 private:
  struct Impl;
  explicit RunStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
