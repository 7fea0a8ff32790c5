#include "core/health/check.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <stdexcept>

#include "core/base/error.h"
#include "core/base/text.h"

namespace bulwark {
namespace {

Verdict verdictFromString(const std::string& text) {
  for (const auto verdict : {Verdict::Green, Verdict::Amber, Verdict::Red}) {
    if (toString(verdict) == text) return verdict;
  }
  return Verdict::NotApplicable;
}

double limitAt(const Json& json, const std::string& path) {
  if (!json.is_number() || !(json.get<double>() >= 0.0)) {
    throw Error::badInput(json.dump() + " is no limit", path,
                          "a number >= 0, or two of them: [green up to, amber up to]");
  }
  return json.get<double>();
}

/// Whether `value` exceeds `limit` by more than the rounding of differences of AUROCs and scores:
/// 0.5 - 0.498 is 0.0020000000000000018. A limit of 0 is meant to the last bit.
bool exceeds(double value, double limit) {
  constexpr double rounding = 1e-12;
  return value > (limit > 0.0 ? limit + rounding * (1.0 + limit) : limit);
}

/// By the number alone; NaN is red.
Verdict verdictOf(const HealthCheck& check) {
  if (std::isnan(check.value) || exceeds(check.value, check.limit)) return Verdict::Red;
  return exceeds(check.value, check.threshold) ? Verdict::Amber : Verdict::Green;
}

/// As earlier versions judged: to the last bit.
Verdict verdictWithoutRounding(const HealthCheck& check) {
  if (std::isnan(check.value) || check.value > check.limit) return Verdict::Red;
  return check.value > check.threshold ? Verdict::Amber : Verdict::Green;
}

/// JSON knows no NaN and no infinity; a zero has no sign.
Json finite(double value) {
  return std::isfinite(value) ? Json(value == 0.0 ? 0.0 : value) : Json(nullptr);
}

/// The rule of `id`, null if there is none (runs of other versions).
const HealthRule* ruleOf(const std::string& id) {
  const auto& rules = healthRules();
  const auto rule = std::find_if(rules.begin(), rules.end(),
                                 [&](const HealthRule& candidate) { return candidate.id == id; });
  return rule == rules.end() ? nullptr : &*rule;
}

std::string limitText(double limit) {
  return std::isfinite(limit) ? formatNumber(limit) : "never";
}

double numberOr(const Json& json, const char* key, double fallback) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : fallback;
}

}  // namespace

std::string toString(Verdict verdict) {
  switch (verdict) {
    case Verdict::Green:
      return "green";
    case Verdict::Amber:
      return "amber";
    case Verdict::Red:
      return "red";
    case Verdict::NotApplicable:
      return "not applicable";
  }
  return {};
}

const HealthRule& healthRule(const std::string& id) {
  if (const HealthRule* rule = ruleOf(id)) return *rule;
  throw std::logic_error("there is no health check " + id);
}

HealthThresholds::HealthThresholds(const Json& given, const std::string& path) {
  if (given.is_null()) return;
  if (!given.is_object()) {
    throw Error::badInput("this is not an object", path, "expected e.g. {\"H22\": 0.02}");
  }
  for (const auto& [id, value] : given.items()) {
    const std::string at = path + "." + id;
    const HealthRule* rule = ruleOf(id);
    if (!rule) {
      throw Error::badInput("there is no health check '" + id + "'", at,
                            "H1 to " + healthRules().back().id);
    }
    if (value.is_array()) {
      if (value.size() != 2) {
        throw Error::badInput("two limits are needed", at, "[green up to, amber up to]");
      }
      const double amber = limitAt(value[0], at + "[0]"),
                   red = value[1].is_null() ? std::numeric_limits<double>::infinity()
                                            : limitAt(value[1], at + "[1]");
      if (red < amber) {
        throw Error::badInput("the red limit " + formatNumber(red) + " is below the green limit " +
                                  formatNumber(amber),
                              at, "the red one must be at least as large as the green one");
      }
      changed_[id] = {amber, red};
      continue;
    }
    const double amber = limitAt(value, at);
    const bool scales = rule->amber > 0.0 && std::isfinite(rule->red);
    const double red = scales ? rule->red * (amber / rule->amber) : rule->red;
    changed_[id] = {amber, std::max(amber, red)};
  }
}

std::pair<double, double> HealthThresholds::limits(const std::string& id) const {
  const auto found = changed_.find(id);
  if (found != changed_.end()) return found->second;
  const HealthRule& rule = healthRule(id);
  return {rule.amber, rule.red};
}

Json HealthCheck::toJson() const {
  Json json = {{"id", id},
               {"subject", subject},
               {"group", group},
               {"title", title},
               {"verdict", toString(verdict)},
               {"value", finite(value)},
               {"threshold", finite(threshold)},
               {"red_above", finite(limit)},
               {"rule", rule},
               {"source", source},
               {"detail", detail}};
  if (forced) json["forced"] = true;
  if (const std::string changed = changedLimits(); !changed.empty()) {
    const HealthRule* published = ruleOf(id);
    json["published_threshold"] = finite(published->amber);
    json["published_red_above"] = finite(published->red);
    json["limits"] = "not the published ones: " + changed;
  }
  return json;
}

std::string HealthCheck::changedLimits() const {
  const HealthRule* published = ruleOf(id);
  if (!published || verdict == Verdict::NotApplicable) return {};
  std::vector<std::string> changes;
  const auto compare = [&](const char* name, double now, double then) {
    if (now != then) changes.push_back(name + limitText(now) + " instead of " + limitText(then));
  };
  // Where both limits are one number, no value between them is amber.
  const bool one = threshold == limit && published->amber == published->red;
  if (!one) compare("amber ", threshold, published->amber);
  compare("red ", limit, published->red);
  return changes.empty() ? std::string() : id + " " + join(changes, " and ");
}

HealthCheck HealthCheck::fromJson(const Json& json) {
  HealthCheck check;
  check.id = json.value("id", std::string());
  check.subject = json.value("subject", std::string());
  check.group = json.value("group", std::string());
  check.title = json.value("title", std::string());
  check.verdict = verdictFromString(json.value("verdict", std::string()));
  check.value = numberOr(json, "value", std::numeric_limits<double>::quiet_NaN());
  // Limits that are not told are the published ones; a red one that is null never applies.
  const HealthRule* published = ruleOf(check.id);
  const bool untold = published && !json.contains("red_above");
  check.threshold = numberOr(json, "threshold", published ? published->amber : 0.0);
  check.limit = untold ? published->red
                       : numberOr(json, "red_above", std::numeric_limits<double>::infinity());
  check.rule = json.value("rule", std::string());
  check.source = json.value("source", std::string());
  check.detail = json.value("detail", std::string());
  const auto forced = json.find("forced");
  check.forced = forced != json.end() && forced->is_boolean() && forced->get<bool>();
  return check;
}

HealthCheck judged(const HealthThresholds& thresholds, const std::string& id,
                   const std::string& subject, double value, const std::string& detail) {
  HealthCheck check = notApplicable(id, subject, detail);
  check.value = value == 0.0 ? 0.0 : value;  // no -0
  check.threshold = thresholds.amber(id);
  check.limit = thresholds.red(id);
  check.verdict = verdictOf(check);
  return check;
}

HealthCheck notApplicable(const std::string& id, const std::string& subject,
                          const std::string& why) {
  const HealthRule& rule = healthRule(id);
  HealthCheck check;
  check.id = id;
  check.subject = subject;
  check.group = rule.group;
  check.title = rule.title;
  check.rule = rule.rule;
  check.source = rule.source;
  check.value = std::numeric_limits<double>::quiet_NaN();
  check.threshold = rule.amber;
  check.limit = rule.red;
  check.detail = why;
  return check;
}

Json rejudged(Json summary, const Json& given) {
  const HealthThresholds thresholds(given);
  std::vector<HealthCheck> checks;
  for (const auto& json : summary.value("health_checks", Json::array())) {
    auto check = HealthCheck::fromJson(json);
    if (ruleOf(check.id) && check.verdict != Verdict::NotApplicable) {
      // Runs of earlier versions do not say what was forced.
      check.forced = check.forced || (verdictOf(check) != check.verdict &&
                                      verdictWithoutRounding(check) != check.verdict);
      check.threshold = thresholds.amber(check.id);
      check.limit = thresholds.red(check.id);
      check.verdict = check.forced ? std::max(check.verdict, verdictOf(check)) : verdictOf(check);
    }
    checks.push_back(std::move(check));
  }
  summary["health"] = healthLine(checks);
  summary["health_checks"] = Json::array();
  for (const auto& check : checks) summary["health_checks"].push_back(check.toJson());
  summary.erase("health_thresholds");
  if (given.is_object()) summary["health_thresholds"] = given;
  return summary;
}

std::string healthLine(const std::vector<HealthCheck>& checks) {
  std::vector<const HealthCheck*> sorted;
  for (const auto& check : checks) sorted.push_back(&check);
  const auto number = [](const HealthCheck* check) {
    return std::atoi(check->id.c_str() + (check->id.empty() ? 0 : 1));
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const auto* a, const auto* b) { return number(a) < number(b); });
  std::map<Verdict, std::vector<std::string>> found;
  for (const auto* check : sorted) found[check->verdict].push_back(check->name());
  std::string line = "health: ";
  for (const auto verdict : {Verdict::Red, Verdict::Amber}) {
    if (found[verdict].empty()) continue;
    line += std::to_string(found[verdict].size()) + " " + toString(verdict) + " (" +
            join(found[verdict], ", ") + "), ";
  }
  line += std::to_string(found[Verdict::Green].size()) + " green";
  std::vector<std::string> changes;
  for (const auto* check : sorted) {
    std::string change = check->changedLimits();
    if (change.empty() || std::find(changes.begin(), changes.end(), change) != changes.end()) {
      continue;
    }
    changes.push_back(std::move(change));
  }
  if (!changes.empty()) line += "; limits not the published ones: " + join(changes, ", ");
  return line;
}

std::string healthLineOf(const Json& summary) {
  if (!summary.is_object()) return {};
  std::vector<HealthCheck> checks;
  const auto stored = summary.find("health_checks");
  if (stored != summary.end() && stored->is_array()) {
    for (const auto& check : *stored) checks.push_back(HealthCheck::fromJson(check));
  }
  if (!checks.empty()) return healthLine(checks);
  const auto line = summary.find("health");
  return line != summary.end() && line->is_string() ? line->get<std::string>() : std::string();
}

Json HealthSeries::toJson() const {
  return {{"kind", kind}, {"detector", detector}, {"attack", attack}, {"set", set}, {"x", x},
          {"y", y},       {"low", low},           {"high", high}};
}

void HealthReport::add(HealthReport other) {
  std::move(other.checks.begin(), other.checks.end(), std::back_inserter(checks));
  std::move(other.series.begin(), other.series.end(), std::back_inserter(series));
}

}  // namespace bulwark
