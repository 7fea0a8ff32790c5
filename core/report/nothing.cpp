#include "core/report/nothing.h"

#include "core/base/text.h"

namespace bulwark {
namespace {

constexpr std::size_t kShown = 3;

/// "run 3 failed: the message", "run 4 is queued".
std::string told(const RunRecord& run) {
  std::string text = "run " + std::to_string(run.id);
  const bool ended = run.state == RunState::Cancelled || run.state == RunState::Interrupted;
  if (run.state != RunState::Failed) text += ended ? " was" : " is";
  text += ' ';
  text += toString(run.state);
  if (run.error.empty()) return text;
  return text + ": " + run.error;
}

}  // namespace

Error nothingToReport(const std::string& problem, const std::vector<RunReport>& runs,
                      const std::string& hint) {
  std::vector<std::string> unfinished;
  for (const RunReport& report : runs) {
    if (report.run.state != RunState::Done) unfinished.push_back(told(report.run));
  }
  if (unfinished.empty()) return Error::badInput(problem, "report", hint);
  const auto more = unfinished.size() > kShown ? unfinished.size() - kShown : 0;
  const bool none = unfinished.size() == runs.size();
  unfinished.resize(unfinished.size() - more);
  if (more > 0) unfinished.push_back(std::to_string(more) + " more did not finish");
  return Error::badInput(problem + "; " + join(unfinished, "; "), "report",
                         none ? "choose runs that are done" : hint);
}

}  // namespace bulwark
