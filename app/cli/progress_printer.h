#pragma once

#include <chrono>
#include <string>

#include "core/base/json.h"

namespace bulwark::cli {

/// Prints the events of a worker on standard error: one line on a terminal, rewritten; a line per
/// phase and every ten seconds elsewhere.
class ProgressPrinter {
 public:
  ProgressPrinter();
  /// `event`: what core/experiment/worker.h lists.
  void show(const Json& event);
  /// Of the failure that was shown; 1 when there was none.
  int exitCode() const { return exitCode_; }

 private:
  void progress(const Json& event);
  void clear();

  const bool terminal_;
  bool open_ = false;
  int exitCode_ = 1;
  std::string phase_;
  std::chrono::steady_clock::time_point shown_{};
};

}  // namespace bulwark::cli
