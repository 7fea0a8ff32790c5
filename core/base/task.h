#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace bulwark {

/// Lets one thread stop or pause the work of another. Thread-safe.
class Control {
 public:
  void cancel();
  void pause();
  void resume();
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  bool paused() const { return paused_.load(std::memory_order_relaxed); }
  /// Returns at once when running, blocks while paused, throws `Error::cancelled()` when cancelled.
  void checkpoint();

 private:
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> paused_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
};

/// How far one phase of the work has come.
struct ProgressUpdate {
  std::string phase;                  ///< "train", "fit mahalanobis", "pgd on knn: mnist (out)"
  std::int64_t done = 0;              ///< in units; what is under way counts with its share
  std::int64_t total = 0;             ///< 0 when unknown
  std::string unit;                   ///< "images", "batches", "steps"
  double rate = 0.0;                  ///< units per second since the phase began
  std::optional<double> secondsLeft;  ///< unknown until a rate is known
};

enum class LogLevel { Debug, Info, Warning, Error };

/// What every long computation is given: a place to ask whether to go on, and to say how far it is.
///
/// Each loop that can last a second calls `checkpoint()` at least ten times a second.
class Task {
 public:
  using ProgressSink = std::function<void(const ProgressUpdate&)>;
  using LogSink = std::function<void(LogLevel, const std::string&)>;

  /// `control` may be null (never cancelled); empty sinks are allowed.
  explicit Task(Control* control = nullptr, ProgressSink progress = {}, LogSink log = {});

  /// Throws `Error` of kind Cancelled when the user asked to stop; blocks while paused.
  void checkpoint();

  /// Starts a phase of `total` units (0: unknown); resets the rate.
  void begin(std::string phase, std::int64_t total, std::string unit);
  /// Adds `units`, checks for cancellation, and reports at most ten times a second.
  void advance(std::int64_t units = 1);
  /// Says how much of the units begun but not finished is done together, in units (not added up),
  /// checks for cancellation, and reports at most ten times a second: a batch whose images all end
  /// together is not at 0 until then.
  void underway(double units);
  /// Marks units that an earlier, resumed execution has done; they do not count for the rate.
  void skip(std::int64_t units);
  /// Reports the phase as complete.
  void end();

  void log(LogLevel level, const std::string& text);

 private:
  void report(bool force);

  Control* control_;
  ProgressSink progress_;
  LogSink log_;
  ProgressUpdate state_;
  std::int64_t finished_ = 0;  // of the phase, those skipped included
  std::int64_t skipped_ = 0;
  double underway_ = 0.0;
  std::chrono::steady_clock::time_point began_{};
  std::chrono::steady_clock::time_point reported_{};
};

}  // namespace bulwark
