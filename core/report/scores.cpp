#include "core/report/scores.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "core/base/text.h"
#include "core/report/escape.h"
#include "core/report/nothing.h"
#include "core/report/npy.h"
#include "core/report/zip.h"

namespace bulwark {
namespace {

void needScores(const std::vector<RunReport>& runs) {
  const bool any =
      std::any_of(runs.begin(), runs.end(), [](const auto& run) { return !run.scores.empty(); });
  if (any) return;
  throw nothingToReport("there are no scores to export", runs,
                        "choose runs that have scored at least one image set");
}

std::string safeName(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    result += letter || std::string("-_+=").find(c) != std::string::npos ? c : '_';
  }
  return result;
}

const char* role(const ScoreSet& set) {
  return set.out ? "out" : "in";
}

}  // namespace

std::string writeScoresNpz(const std::vector<RunReport>& runs) {
  needScores(runs);
  ZipWriter zip;
  Json index = Json::object();
  std::set<std::string> used;
  for (const RunReport& report : runs) {
    for (const ScoreSet& set : report.scores) {
      std::string name = safeName(set.detector) + "." + safeName(attackTitle(set.attack)) + "." +
                         safeName(set.dataset) + "." + role(set);
      if (runs.size() > 1) name = "run" + std::to_string(report.run.id) + "." + name;
      // Two labels can differ in a replaced character only.
      const std::string stem = name;
      for (int k = 2; !used.insert(name).second; ++k) name = stem + "-" + std::to_string(k);
      zip.add(name + ".npy", writeNpy(std::span<const double>(set.scores), {set.scores.size()}));
      if (!set.saturated.empty()) {
        zip.add(name + ".saturated.npy",
                writeNpy(std::span<const std::uint8_t>(set.saturated), {set.saturated.size()}));
      }
      if (!set.trajectory.empty()) {
        zip.add(name + ".trajectory.npy",
                writeNpy(std::span<const double>(set.trajectory), {set.trajectory.size()}));
      }
      index[name] = {{"run", report.run.id},
                     {"detector", set.detector},
                     {"attack", set.attack.empty() ? Json(nullptr) : Json(set.attack)},
                     {"dataset", set.dataset},
                     {"role", role(set)},
                     {"count", set.scores.size()}};
    }
  }
  zip.add("index.json", index.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  return zip.finish();
}

std::string writeScoresCsv(const std::vector<RunReport>& runs) {
  needScores(runs);
  std::string text = "run,run_name,detector,attack,dataset,role,sample,score,saturated\n";
  for (const RunReport& report : runs) {
    for (const ScoreSet& set : report.scores) {
      const std::string head = std::to_string(report.run.id) + "," + csvField(report.run.name) +
                               "," + csvField(set.detector) + "," + csvField(set.attack) + "," +
                               csvField(set.dataset) + "," + role(set) + ",";
      for (std::size_t k = 0; k < set.scores.size(); ++k) {
        const bool saturated = k < set.saturated.size() && set.saturated[k] != 0;
        text += head + std::to_string(k) + "," + formatNumber(set.scores[k]) +
                (saturated ? ",1\n" : ",0\n");
      }
    }
  }
  return text;
}

std::string writeScoresJson(const std::vector<RunReport>& runs) {
  needScores(runs);
  Json records = Json::array();
  for (const RunReport& report : runs) {
    for (const ScoreSet& set : report.scores) {
      records.push_back({{"run", report.run.id},
                         {"run_name", report.run.name},
                         {"detector", set.detector},
                         {"attack", set.attack.empty() ? Json(nullptr) : Json(set.attack)},
                         {"dataset", set.dataset},
                         {"role", role(set)},
                         {"scores", set.scores},
                         {"saturated", set.saturated},
                         {"trajectory", set.trajectory}});
    }
  }
  return records.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace bulwark
