#include "core/report/claims.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include "core/base/error.h"
#include "core/base/text.h"

namespace bulwark {
namespace {

using BySeed = std::map<std::uint64_t, double>;

void requireKeys(const Json& json, const std::string& path, const std::vector<std::string>& known) {
  if (!json.is_object()) throw Error::badInput("this is not an object", path);
  for (const auto& [key, value] : json.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    throw Error::badInput("'" + key + "' is not known here", path,
                          "expected one of " + join(known, ", "));
  }
}

std::string textAt(const Json& json, const std::string& key, const std::string& path,
                   const std::string& otherwise) {
  if (!json.contains(key)) return otherwise;
  if (json.at(key).is_string()) return json.at(key).get<std::string>();
  throw Error::badInput("this is not text", path + "." + key);
}

struct Named {
  std::string experiment;
  Quantity quantity;
};

Named readQuantity(const Json& json, const std::string& path, const std::string& experiment) {
  requireKeys(json, path, {"experiment", "metric", "detector", "attack", "setting", "out"});
  Named named{textAt(json, "experiment", path, experiment),
              {textAt(json, "metric", path, ""), textAt(json, "detector", path, ""),
               textAt(json, "attack", path, ""), textAt(json, "setting", path, ""),
               textAt(json, "out", path, "")}};
  if (named.experiment.empty()) throw Error::badInput("the experiment is missing", path);
  if (named.quantity.metric.empty()) throw Error::badInput("the metric is missing", path);
  return named;
}

/// Throws when the experiment's name does not tell which runs are meant.
BySeed valuesOf(const Named& named, const std::string& path, const std::vector<SeedGroup>& groups) {
  BySeed values;
  int same = 0;
  for (const SeedGroup& group : groups) {
    if (group.name != named.experiment) continue;
    if (++same > 1) {
      throw Error::badInput("two experiments that differ are named '" + named.experiment + "'",
                            path, "export the runs of one of them");
    }
    for (const RunReport* report : group.runs) {
      Quantity asked = named.quantity;
      asked.detector = detectorLabel(report->run.specification, asked.detector);
      for (const SeedRow& row : overSeeds({group.name, {report}})) {
        if (row.quantity == asked) values[report->run.seed] = row.spread.mean;
      }
    }
  }
  return values;
}

/// The values of "of", less those of "less" where that is given, by seed.
BySeed difference(const Json& json, const std::string& path, const std::string& experiment,
                  const std::vector<SeedGroup>& groups) {
  if (!json.contains("of")) throw Error::badInput("'of' is missing", path);
  const Named of = readQuantity(json.at("of"), path + ".of", experiment);
  BySeed values = valuesOf(of, path, groups);
  if (!json.contains("less")) return values;
  const auto less =
      valuesOf(readQuantity(json.at("less"), path + ".less", of.experiment), path, groups);
  BySeed found;
  for (const auto& [seed, value] : values) {
    const auto other = less.find(seed);
    if (other != less.end()) found[seed] = value - other->second;
  }
  return found;
}

bool isShare(const std::string& metric) {
  return metric == "accuracy" || metric.rfind("own_", 0) == 0 || metric.rfind("tnr95", 0) == 0 ||
         metric == "fit:share_below_1";
}

ClaimCheck checkClaim(const Json& json, const std::string& path,
                      const std::vector<SeedGroup>& groups) {
  requireKeys(json, path, {"claim", "source", "of", "less", "at_most", "at_least"});
  ClaimCheck check;
  check.claim = textAt(json, "claim", path, "");
  if (check.claim.empty()) throw Error::badInput("the claim is missing", path);
  check.source = textAt(json, "source", path, "");
  check.least = json.contains("at_least");
  if (check.least == json.contains("at_most")) {
    throw Error::badInput("a claim has either 'at_most' or 'at_least'", path);
  }
  const BySeed values = difference(json, path, "", groups);
  const std::string key = check.least ? "at_least" : "at_most";
  const Json& bound = json.at(key);
  BySeed bounds;
  if (bound.is_number()) {
    for (const auto& [seed, value] : values) bounds[seed] = bound.get<double>();
  } else {
    requireKeys(bound, path + "." + key, {"of", "less"});
    bounds = difference(bound, path + "." + key, json.at("of").value("experiment", std::string()),
                        groups);
  }
  check.share = isShare(json.at("of").value("metric", std::string()));
  std::vector<double> found, asked;
  for (const auto& [seed, value] : values) {
    const auto other = bounds.find(seed);
    if (other == bounds.end()) continue;
    found.push_back(value);
    asked.push_back(other->second);
    const bool holds = check.least ? value >= other->second : value <= other->second;
    check.held += holds ? 1 : 0;
  }
  check.value = spreadOf(std::move(found));
  check.bound = spreadOf(std::move(asked));
  if (bound.is_number()) {  // there is one whether it is measured or not, and it does not vary
    check.bound = spreadOf({bound.get<double>()});
  }
  return check;
}

}  // namespace

PageText PageText::fromJson(const Json& json) {
  requireKeys(json, "page", {"title", "notes", "claims"});
  PageText text;
  text.title = textAt(json, "title", "page", "");
  if (json.contains("notes")) {
    const Json& notes = json.at("notes");
    if (!notes.is_array()) throw Error::badInput("this is not a list", "page.notes");
    for (std::size_t i = 0; i < notes.size(); ++i) {
      if (!notes[i].is_string()) {
        throw Error::badInput("this is not text", "page.notes[" + std::to_string(i) + "]");
      }
      text.notes.push_back(notes[i].get<std::string>());
    }
  }
  if (json.contains("claims")) text.claims = json.at("claims");
  checkClaims(text.claims, {});  // refuses now what is not of its form
  return text;
}

std::vector<ClaimCheck> checkClaims(const Json& claims, const std::vector<SeedGroup>& groups) {
  if (!claims.is_array()) throw Error::badInput("this is not a list", "page.claims");
  std::vector<ClaimCheck> checks;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    checks.push_back(checkClaim(claims[i], "page.claims[" + std::to_string(i) + "]", groups));
  }
  return checks;
}

std::string verdict(const ClaimCheck& check) {
  const auto seeds = check.value.values.size();
  if (seeds == 0) return "not measured";
  if (check.held == seeds) return "holds";
  if (check.held == 0) return "does not hold";
  return "holds for " + std::to_string(check.held) + " of " + std::to_string(seeds) + " seeds";
}

}  // namespace bulwark
