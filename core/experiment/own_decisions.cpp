#include "core/experiment/own_decisions.h"

#include <cmath>

#include "core/metrics/threshold.h"

namespace bulwark {

Json ownDecisions(const std::map<std::string, double>& thresholds,
                  const std::vector<ResultRow>& rows, const std::string& in,
                  const ScoreTable& scores) {
  const auto number = [](double value) { return std::isnan(value) ? Json() : Json(value); };
  Json list = Json::array();
  for (const auto& row : rows) {
    const auto own = thresholds.find(row.detector);
    if (own == thresholds.end()) continue;
    const bool inAttacked = row.setting == "in" || row.setting == "in_out";
    const bool outAttacked = row.setting == "out" || row.setting == "in_out";
    const std::string none;
    const auto& inScores = scores.at(row.detector, inAttacked ? row.attack : none, in, false);
    const auto& outScores = scores.at(row.detector, outAttacked ? row.attack : none, row.out, true);
    const auto counts = confusionAt(SortedScores(inScores.scores), SortedScores(outScores.scores),
                                    own->second, TieRule::In);
    list.push_back({{"detector", row.detector},
                    {"attack", row.attack},
                    {"setting", row.setting},
                    {"out", row.out},
                    {"threshold", own->second},
                    {"accuracy", number(counts.accuracy())},
                    {"precision_in", number(counts.precision(Positive::In))},
                    {"recall_in", number(counts.keptIn())}});
  }
  return list;
}

}  // namespace bulwark
