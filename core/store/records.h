#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace bulwark {

/// Where a run or its job stands. Allowed transitions are in `canChange`.
enum class RunState {
  Queued,
  Running,
  Paused,
  Cancelled,
  Failed,
  Interrupted,  ///< found Running with no living worker; can be resumed
  Done,
};

std::string toString(RunState state);
RunState runStateFromString(const std::string& text);
bool canChange(RunState from, RunState to);
/// Cancelled, Failed, Interrupted or Done.
bool isFinal(RunState state);

/// One executed (or waiting) experiment specification. Times are ISO 8601 UTC, empty if not yet.
struct RunRecord {
  std::int64_t id = 0;
  std::string uuid;  ///< stable across import into another database
  std::string name;
  RunState state = RunState::Queued;
  std::string created, started, finished;
  std::uint64_t seed = 0;
  std::string device;  ///< as executed: "cpu", "cuda:0"
  Json specification;  ///< as executed, every default filled in
  Json environment;    ///< versions, device, threads
  Json timings;        ///< seconds per phase
  Json summary;        ///< classifier accuracy clean and attacked, counts, health line
  std::string error;   ///< one line, for Failed
  std::string note;
  bool pinned = false;
};

/// One value of a curve over epochs, e.g. ("train", 3, "loss", 0.41).
struct EpochMetric {
  std::string phase;
  std::int64_t epoch = 0;
  std::string name;
  double value = 0.0;
};

/// A data set as a run used it.
struct DatasetRecord {
  std::string role;  ///< "train", "validation", "in", "out"
  std::string name;  ///< the label used in results, unique among the outs of a run
  std::int64_t count = 0;
  std::string fingerprint;  ///< sha256 over pixels and labels in order
  Json details;             ///< split, shape, resize rule, origin
};

/// Anomaly scores of one image set under one attack (or none), higher = more anomalous.
struct ScoreSet {
  std::string detector;
  std::string attack;   ///< empty: clean
  std::string dataset;  ///< name of the in or out set
  bool out = false;
  std::vector<double> scores;  ///< [N], best point of the attack per sample
  std::vector<std::uint8_t>
      saturated;                   ///< [N] or empty; 1: stopped early because its rank is final
  std::vector<double> trajectory;  ///< mean best score per step, [steps + 1]; empty if clean
  std::int64_t forwards = 0, backwards = 0;  ///< images propagated
  double seconds = 0.0;
};

/// One row of the results table. Metric names as in design.md section 7.
struct ResultRow {
  std::string detector;
  std::string attack;   ///< empty: clean
  std::string setting;  ///< clean, in, out, in_out
  std::string out;      ///< name of the out set
  double auroc = 0, auprOut = 0, auprIn = 0, fpr95Id = 0, fpr95Ood = 0, tnr95 = 0;
  double detectionAccuracy = 0;
  std::int64_t nIn = 0, nOut = 0;
  double ciLow = 0, ciHigh = 0;  ///< 95 % bootstrap interval of AUROC
  Json extra;                    ///< further metrics by name (pessimistic AUROC, tie share, ...)
  /// The object of design.md section 7; `attack` is null for clean.
  Json toJson() const;
};

/// A curve kept for plots: x and y of equal length.
struct CurveRecord {
  std::string detector, attack, setting, out;
  std::string kind;  ///< "roc" (x: FPR, y: TPR, out positive), "pr" (x: recall, y: precision)
  std::vector<double> x, y;
};

/// One image before and after an attack. Pixels are float32 in [0,1], C x H x W, row-major.
struct ImagePair {
  std::int64_t id = 0;
  std::string detector, attack, dataset;
  bool out = false;
  std::int64_t sample = 0;  ///< index within the evaluated set
  std::int64_t label = -1;
  int channels = 0, height = 0, width = 0;
  std::vector<float> before, after;
  double scoreBefore = 0, scoreAfter = 0;
  std::vector<float> steps;               ///< [S, C, H, W]: best point after selected steps
  std::vector<std::int64_t> stepNumbers;  ///< [S]
  std::vector<double> stepScores;         ///< [S]: score of the iterate at that step
};

/// A file that belongs to a run, path relative to the artefact folder of the database.
struct ArtefactRecord {
  std::string kind;  ///< "checkpoint", "weights", "detector", "scores"
  std::string path;
  std::string sha256;
  std::int64_t bytes = 0;
};

/// A run's place in the queue and what its worker last said.
struct JobRecord {
  std::int64_t id = 0;
  std::int64_t run = 0;
  std::string name;  ///< of the run
  RunState state = RunState::Queued;
  std::string queued, started, finished, heartbeat;
  std::int64_t pid = 0;  ///< of the worker while running
  int attempt = 0;       ///< 1 for the first execution
  int threads = 0;       ///< 0: all cores
  std::string device;    ///< as asked: "auto", "cpu", "cuda:0"
  std::string phase, unit;
  std::int64_t done = 0, total = 0;
  double rate = 0;
  std::optional<double> secondsLeft;
  std::string error;
  std::string request;  ///< "", "cancel", "pause", "resume": what a user asked of the worker
};

struct LogLine {
  std::int64_t id = 0;
  std::string time, level, text;
};

}  // namespace bulwark
