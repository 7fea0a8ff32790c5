#include "core/metrics/class_normalisation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "core/base/error.h"

namespace bulwark {
namespace {

struct Range {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();

  void include(double value) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
  double star(double value) const { return most > least ? (value - least) / (most - least) : 0.0; }
};

using Ranges = std::map<std::int64_t, Range>;  // by class

void check(const ClassedParts& set, std::size_t parts) {
  bool sound = set.parts.size() == parts;
  for (const auto& values : set.parts) {
    sound = sound && values.size() == set.classes.size() &&
            std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  }
  if (sound) return;
  throw Error::badInput("the parts of the scores are not one finite number per image", "metrics");
}

ClassedParts starred(const ClassedParts& set, const std::vector<Ranges>& ranges) {
  ClassedParts stars{set.classes, {}};
  for (std::size_t part = 0; part < ranges.size(); ++part) {
    std::vector<double> values(set.classes.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = ranges[part].at(set.classes[i]).star(set.parts[part][i]);
    }
    stars.parts.push_back(std::move(values));
  }
  return stars;
}

}  // namespace

PairParts transductiveParts(const ClassedParts& in, const ClassedParts& out) {
  const std::size_t parts = in.parts.size();
  check(in, parts);
  check(out, parts);
  std::vector<Ranges> ranges(parts);
  for (std::size_t part = 0; part < parts; ++part) {
    for (const ClassedParts* set : {&in, &out}) {
      for (std::size_t i = 0; i < set->classes.size(); ++i) {
        ranges[part][set->classes[i]].include(set->parts[part][i]);
      }
    }
  }
  return {starred(in, ranges), starred(out, ranges)};
}

std::vector<double> weightedScores(const ClassedParts& set, const std::vector<double>& weights) {
  check(set, weights.size());
  std::vector<double> scores(set.classes.size(), 0.0);
  for (std::size_t part = 0; part < weights.size(); ++part) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      scores[i] -= weights[part] * set.parts[part][i];
    }
  }
  return scores;
}

PairScores transductiveScores(const ClassedParts& in, const ClassedParts& out,
                              const std::vector<double>& weights) {
  check(in, weights.size());
  const PairParts stars = transductiveParts(in, out);
  return {weightedScores(stars.in, weights), weightedScores(stars.out, weights)};
}

std::vector<ClassScores> byClass(const std::vector<std::int64_t>& inClasses,
                                 const std::vector<double>& in,
                                 const std::vector<std::int64_t>& outClasses,
                                 const std::vector<double>& out) {
  std::vector<ClassScores> sorted;
  const auto at = [&](std::int64_t c) -> ClassScores& {
    const auto place = static_cast<std::size_t>(c);
    if (place >= sorted.size()) sorted.resize(place + 1);
    return sorted[place];
  };
  for (std::size_t i = 0; i < in.size(); ++i) at(inClasses.at(i)).in.push_back(in[i]);
  for (std::size_t i = 0; i < out.size(); ++i) at(outClasses.at(i)).out.push_back(out[i]);
  return sorted;
}

}  // namespace bulwark
