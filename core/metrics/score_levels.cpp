#include "core/metrics/score_levels.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/error.h"

namespace bulwark {
namespace {

void checkSet(std::span<const double> scores, const std::string& name) {
  if (scores.empty()) {
    throw Error::badInput("there are no " + name + " scores: the metric is undefined", "metrics",
                          "evaluate at least one image of each set");
  }
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isfinite(scores[i])) continue;
    throw Error::badInput(name + " score " + std::to_string(i) + " is " +
                              (std::isnan(scores[i]) ? "NaN" : "infinite"),
                          "metrics", "check the detector's output for overflow");
  }
}

}  // namespace

void checkScores(std::span<const double> in, std::span<const double> out) {
  checkSet(in, "in");
  checkSet(out, "out");
}

ScoreLevels scoreLevels(std::span<const double> in, std::span<const double> out) {
  checkScores(in, out);
  std::vector<double> a(in.begin(), in.end());
  std::vector<double> b(out.begin(), out.end());
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  ScoreLevels result;
  result.nIn = static_cast<std::int64_t>(a.size());
  result.nOut = static_cast<std::int64_t>(b.size());
  result.levels.reserve(a.size() + b.size());
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    ScoreLevel level;
    if (j == b.size() || (i < a.size() && a[i] <= b[j])) {
      level.score = a[i];
    } else {
      level.score = b[j];
    }
    for (; i < a.size() && a[i] == level.score; ++i) ++level.in;
    for (; j < b.size() && b[j] == level.score; ++j) ++level.out;
    result.levels.push_back(level);
  }
  return result;
}

}  // namespace bulwark
