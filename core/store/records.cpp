#include "core/store/records.h"

#include <array>
#include <utility>

#include "core/base/error.h"

namespace bulwark {
namespace {

constexpr std::array<std::pair<RunState, const char*>, 7> kStates = {{
    {RunState::Queued, "queued"},
    {RunState::Running, "running"},
    {RunState::Paused, "paused"},
    {RunState::Cancelled, "cancelled"},
    {RunState::Failed, "failed"},
    {RunState::Interrupted, "interrupted"},
    {RunState::Done, "done"},
}};

}  // namespace

std::string toString(RunState state) {
  for (const auto& [known, text] : kStates) {
    if (known == state) return text;
  }
  return {};
}

RunState runStateFromString(const std::string& text) {
  for (const auto& [state, known] : kStates) {
    if (text == known) return state;
  }
  throw Error::badInput("'" + text + "' is not the state of a run");
}

bool canChange(RunState from, RunState to) {
  switch (from) {
    case RunState::Queued:
      // Failed: its worker could not even be started.
      return to == RunState::Running || to == RunState::Cancelled || to == RunState::Failed;
    case RunState::Running:
      return to == RunState::Paused || isFinal(to);
    case RunState::Paused:
      return to == RunState::Running || to == RunState::Cancelled || to == RunState::Failed ||
             to == RunState::Interrupted;
    case RunState::Interrupted:
      return to == RunState::Queued || to == RunState::Running || to == RunState::Cancelled;
    case RunState::Cancelled:
    case RunState::Failed:
      return to == RunState::Queued || to == RunState::Running;
    case RunState::Done:
      return false;
  }
  return false;
}

bool isFinal(RunState state) {
  return state == RunState::Cancelled || state == RunState::Failed ||
         state == RunState::Interrupted || state == RunState::Done;
}

Json ResultRow::toJson() const {
  Json json;
  json["detector"] = detector;
  json["attack"] = attack.empty() ? Json(nullptr) : Json(attack);
  json["setting"] = setting;
  json["out"] = out;
  json["auroc"] = auroc;
  json["aupr_out"] = auprOut;
  json["aupr_in"] = auprIn;
  json["fpr95_id"] = fpr95Id;
  json["fpr95_ood"] = fpr95Ood;
  json["tnr95"] = tnr95;
  json["detection_accuracy"] = detectionAccuracy;
  json["n_in"] = nIn;
  json["n_out"] = nOut;
  json["ci_low"] = ciLow;
  json["ci_high"] = ciHigh;
  return json;
}

}  // namespace bulwark
