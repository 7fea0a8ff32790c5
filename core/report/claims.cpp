#include "core/report/claims.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/report/missing_part.h"

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

/// Values of a claim, and why there are none where there are none.
struct Measured {
  BySeed values;
  std::string missing, place;
};

/// The groups, and what each of their runs has: a page asks for it claim by claim.
struct Runs {
  const std::vector<SeedGroup>& groups;
  std::map<const RunReport*, std::vector<SeedRow>> rows;

  const std::vector<SeedRow>& of(const RunReport* report) {
    const auto [place, fresh] = rows.try_emplace(report);
    if (fresh) place->second = overSeeds({report->run.name, {report}});
    return place->second;
  }
};

/// Throws when the experiment's name does not tell which runs are meant.
Measured valuesOf(const Named& named, const std::string& path, Runs& runs) {
  Measured found;
  int same = 0;
  for (const SeedGroup& group : runs.groups) {
    if (group.name != named.experiment) continue;
    if (++same > 1) {
      throw Error::badInput("two experiments that differ are named '" + named.experiment + "'",
                            path, "export the runs of one of them");
    }
    for (const RunReport* report : group.runs) {
      Quantity asked = named.quantity;
      asked.detector = detectorLabel(report->run.specification, asked.detector);
      for (const SeedRow& row : runs.of(report)) {
        if (row.quantity == asked) found.values[report->run.seed] = row.spread.mean;
      }
    }
  }
  if (found.values.empty()) {
    found.missing = missingPart(named.experiment, named.quantity, runs.groups);
    found.place = path;
  }
  return found;
}

constexpr char kNoSharedSeed[] = "no seed has all that is asked for";

/// The values of "of", less those of "less" where that is given, by seed.
Measured difference(const Json& json, const std::string& path, const std::string& experiment,
                    Runs& runs) {
  if (!json.contains("of")) throw Error::badInput("'of' is missing", path);
  const Named named = readQuantity(json.at("of"), path + ".of", experiment);
  Measured of = valuesOf(named, path + ".of", runs);
  if (!json.contains("less")) return of;
  Measured less = valuesOf(readQuantity(json.at("less"), path + ".less", named.experiment),
                           path + ".less", runs);
  if (!of.missing.empty()) return of;
  if (!less.missing.empty()) return less;
  Measured found;
  for (const auto& [seed, value] : of.values) {
    const auto other = less.values.find(seed);
    if (other != less.values.end()) found.values[seed] = value - other->second;
  }
  if (found.values.empty()) {
    found.missing = kNoSharedSeed;
    found.place = path;
  }
  return found;
}

bool isShare(const std::string& metric) {
  return metric == "accuracy" || metric.rfind("own_", 0) == 0 || metric.rfind("tnr95", 0) == 0 ||
         metric == "fit:share_below_1";
}

ClaimCheck checkClaim(const Json& json, const std::string& path, Runs& runs) {
  requireKeys(json, path, {"claim", "source", "of", "less", "at_most", "at_least"});
  ClaimCheck check;
  check.claim = textAt(json, "claim", path, "");
  if (check.claim.empty()) throw Error::badInput("the claim is missing", path);
  check.source = textAt(json, "source", path, "");
  check.least = json.contains("at_least");
  if (check.least == json.contains("at_most")) {
    throw Error::badInput("a claim has either 'at_most' or 'at_least'", path);
  }
  const Measured measured = difference(json, path, "", runs);
  const BySeed& values = measured.values;
  const std::string key = check.least ? "at_least" : "at_most";
  const Json& bound = json.at(key);
  Measured asked;
  if (bound.is_number()) {
    for (const auto& [seed, value] : values) asked.values[seed] = bound.get<double>();
  } else {
    requireKeys(bound, path + "." + key, {"of", "less"});
    asked =
        difference(bound, path + "." + key, json.at("of").value("experiment", std::string()), runs);
  }
  check.share = isShare(json.at("of").value("metric", std::string()));
  std::vector<double> found, bounds;
  for (const auto& [seed, value] : values) {
    const auto other = asked.values.find(seed);
    if (other == asked.values.end()) continue;
    found.push_back(value);
    bounds.push_back(other->second);
    const bool holds = check.least ? value >= other->second : value <= other->second;
    check.held += holds ? 1 : 0;
  }
  check.value = spreadOf(std::move(found));
  check.bound = spreadOf(std::move(bounds));
  if (check.value.values.empty()) {
    const Measured& why = measured.missing.empty() ? asked : measured;
    check.missing = why.missing.empty() ? kNoSharedSeed : why.missing;
    check.place = why.missing.empty() ? path : why.place;
  }
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
  Runs runs{groups, {}};
  for (std::size_t i = 0; i < claims.size(); ++i) {
    checks.push_back(checkClaim(claims[i], "page.claims[" + std::to_string(i) + "]", runs));
  }
  return checks;
}

std::string verdict(const ClaimCheck& check) {
  const auto seeds = check.value.values.size();
  if (seeds == 0) return "not measured: " + check.missing;
  if (check.held == seeds) return "holds";
  if (check.held == 0) return "does not hold";
  return "holds for " + std::to_string(check.held) + " of " + std::to_string(seeds) + " seeds";
}

std::vector<std::string> unmeasured(const std::vector<ClaimCheck>& checks) {
  std::vector<std::string> lines;
  for (auto check = checks.begin(); check != checks.end(); ++check) {
    const auto same = [&](const ClaimCheck& other) { return other.missing == check->missing; };
    if (check->missing.empty() || std::any_of(checks.begin(), check, same)) continue;
    const auto more = std::count_if(check + 1, checks.end(), same);
    std::string line = check->place;
    if (more > 0) line += " and " + std::to_string(more) + " more";
    lines.push_back(line + ": " + check->missing);
  }
  return lines;
}

}  // namespace bulwark
