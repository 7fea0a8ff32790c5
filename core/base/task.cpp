#include "core/base/task.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"

namespace bulwark {

void Control::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  changed_.notify_all();
}

void Control::pause() {
  const std::lock_guard lock(mutex_);
  paused_ = true;
}

void Control::resume() {
  const std::lock_guard lock(mutex_);
  paused_ = false;
  changed_.notify_all();
}

void Control::checkpoint() {
  if (paused()) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !paused_ || cancelled_; });
  }
  if (cancelled()) throw Error::cancelled();
}

Task::Task(Control* control, ProgressSink progress, LogSink log)
    : control_(control), progress_(std::move(progress)), log_(std::move(log)) {}

void Task::checkpoint() {
  if (control_) control_->checkpoint();
}

void Task::begin(std::string phase, std::int64_t total, std::string unit) {
  checkpoint();
  state_ = ProgressUpdate{std::move(phase), 0, total, std::move(unit), 0.0, std::nullopt};
  finished_ = skipped_ = 0;
  underway_ = 0.0;
  began_ = std::chrono::steady_clock::now();
  report(true);
}

void Task::advance(std::int64_t units) {
  finished_ += units;
  underway_ = std::max(0.0, underway_ - static_cast<double>(units));  // which were among these
  checkpoint();
  report(false);
}

void Task::underway(double units) {
  underway_ = units;
  checkpoint();
  report(false);
}

void Task::skip(std::int64_t units) {
  finished_ += units;
  skipped_ += units;
}

void Task::end() {
  if (state_.total > 0) finished_ = state_.total;
  underway_ = 0.0;
  report(true);
}

void Task::log(LogLevel level, const std::string& text) {
  if (log_) log_(level, text);
}

void Task::report(bool force) {
  const auto now = std::chrono::steady_clock::now();
  if (!force && now - reported_ < std::chrono::milliseconds(100)) return;
  reported_ = now;
  const double seconds = std::chrono::duration<double>(now - began_).count();
  const double done = static_cast<double>(finished_) + underway_;
  const double fresh = done - static_cast<double>(skipped_);
  state_.done = static_cast<std::int64_t>(std::floor(done));
  state_.rate = seconds > 0 ? fresh / seconds : 0.0;
  state_.secondsLeft.reset();
  // The first items of a phase say little: its first batch is often many times slower or quicker.
  const bool telling = seconds >= 10 || 20 * fresh >= static_cast<double>(state_.total - skipped_);
  if (state_.total > 0 && state_.rate > 0 && telling) {
    state_.secondsLeft = (static_cast<double>(state_.total) - done) / state_.rate;
  }
  if (progress_) progress_(state_);
}

}  // namespace bulwark
