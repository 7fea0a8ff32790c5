#include "core/report/facts.h"

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/health/check.h"

namespace bulwark::report {
namespace {

std::string spaced(std::string key) {
  std::replace(key.begin(), key.end(), '_', ' ');
  return key;
}

std::string plainText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "-";
  if (value.is_number_float()) return formatNumber(value.get<double>());
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string valueText(const std::string& key, const Json& value) {
  if (!value.is_number_float()) return plainText(value);
  const double number = value.get<double>();
  const bool share =
      key.find("accuracy") != std::string::npos || key.find("share") != std::string::npos;
  if (share && number >= 0.0 && number <= 1.0) return formatFixed(100.0 * number, 2) + " %";
  // Six digits are enough to read; the exact value is in the JSON export.
  const double magnitude = std::abs(number);
  if (magnitude >= 1e-3 && magnitude < 1e6) {
    std::string text = formatFixed(number, 4);
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
    return text;
  }
  return formatNumber(number);
}

void collect(const Json& value, const std::string& path, Facts& facts) {
  if (value.is_object()) {
    for (const auto& [key, child] : value.items()) {
      collect(child, path.empty() ? spaced(key) : path + " " + spaced(key), facts);
    }
    return;
  }
  if (value.is_array()) {
    const bool plain = std::none_of(value.begin(), value.end(),
                                    [](const Json& child) { return child.is_structured(); });
    if (plain) {
      std::vector<std::string> parts;
      for (const Json& child : value) parts.push_back(valueText(path, child));
      facts.emplace_back(path, join(parts, ", "));
      return;
    }
    for (std::size_t k = 0; k < value.size(); ++k) {
      collect(value[k], path + " " + std::to_string(k + 1), facts);
    }
    return;
  }
  facts.emplace_back(path, valueText(path, value));
}

const Json& at(const Json& object, const char* key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

std::string componentList(const Json& list) {
  if (!list.is_array()) return {};
  std::vector<std::string> parts;
  for (const Json& component : list) parts.push_back(componentText(component));
  return join(parts, "; ");
}

}  // namespace

Facts flatten(const Json& object) {
  Facts facts;
  if (object.is_object()) collect(object, {}, facts);
  return facts;
}

std::string componentText(const Json& component) {
  if (component.is_string()) return component.get<std::string>();
  if (!component.is_object()) return {};
  const Json& type = at(component, "type");
  std::string name = type.is_string() ? type.get<std::string>() : std::string();
  std::vector<std::string> options;
  for (const auto& [key, value] : component.items()) {
    if (key == "type" || value.is_structured()) continue;
    if (key == "label") {
      if (value.is_string() && value.get<std::string>() != name) {
        name = value.get<std::string>() + ": " + name;
      }
      continue;
    }
    const std::string text =
        key == "eps" && value.is_number() ? formatFraction(value.get<double>()) : plainText(value);
    options.push_back(spaced(key) + " " + text);
  }
  if (options.empty()) return name;
  return name + " (" + join(options, ", ") + ")";
}

Facts specificationFacts(const RunReport& report) {
  Facts facts;
  for (const DatasetRecord& set : report.datasets) {
    facts.emplace_back(set.role == "in"     ? "In set"
                       : set.role == "out"  ? "Out set"
                       : set.role == "open" ? "Open set"
                                            : "Set for " + set.role,
                       set.name + ", " + std::to_string(set.count) + " images, fingerprint " +
                           set.fingerprint.substr(0, 12));
  }
  const Json& specification = report.run.specification;
  const auto add = [&](const std::string& name, const std::string& text) {
    if (!text.empty()) facts.emplace_back(name, text);
  };
  add("Network", componentText(at(at(specification, "classifier"), "network")));
  add("Recipe", componentText(at(at(specification, "classifier"), "recipe")));
  add("Detectors", componentList(at(specification, "detectors")));
  add("Attacks", componentList(at(specification, "attacks")));
  add("Protocol", componentText(at(at(specification, "data"), "protocol")));
  facts.emplace_back("Seed", std::to_string(report.run.seed));
  add("Device", report.run.device);
  return facts;
}

Facts timingFacts(const Json& timings) {
  Facts facts;
  if (!timings.is_object()) return facts;
  for (const auto& [phase, seconds] : timings.items()) {
    if (seconds.is_number()) {
      facts.emplace_back(spaced(phase), formatDuration(seconds.get<double>()));
    } else if (seconds.is_object()) {
      for (const auto& [name, value] : timingFacts(seconds)) {
        facts.emplace_back(spaced(phase) + " " + name, value);
      }
    }
  }
  return facts;
}

std::vector<std::string> healthLines(const RunRecord& run) {
  const Json& health = at(run.summary, "health");
  std::vector<std::string> lines;
  if (health.is_string()) lines.push_back(healthLineOf(run.summary));
  if (health.is_array()) {
    for (const Json& line : health) lines.push_back(plainText(line));
  }
  if (health.is_object()) {
    for (const auto& [name, value] : flatten(health)) lines.push_back(name + ": " + value);
  }
  return lines;
}

std::string healthNames(const std::vector<RunReport>& runs) {
  std::vector<const HealthRule*> named;
  for (const RunReport& report : runs) {
    const Json& checks = at(report.run.summary, "health_checks");
    if (!checks.is_array()) continue;
    for (const Json& stored : checks) {
      const auto check = HealthCheck::fromJson(stored);
      if (check.verdict != Verdict::Amber && check.verdict != Verdict::Red) continue;
      for (const HealthRule& rule : healthRules()) {
        const bool known = std::find(named.begin(), named.end(), &rule) != named.end();
        if (rule.id == check.id && !known) named.push_back(&rule);
      }
    }
  }
  std::sort(named.begin(), named.end());  // the order of the list, which they all lie in
  std::vector<std::string> texts;
  for (const HealthRule* rule : named) texts.push_back(rule->id + ": " + rule->title);
  return join(texts, "; ");
}

Facts summaryFacts(const RunRecord& run) {
  Json rest = run.summary;
  if (rest.is_object()) {
    rest.erase("health");
    rest.erase("health_series");
    rest.erase("health_checks");  // the lines above sum them up; `runs health` lists them
  }
  return flatten(rest);
}

}  // namespace bulwark::report
