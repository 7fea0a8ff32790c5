#include "core/report/run_report.h"

#include <cmath>
#include <map>
#include <tuple>

#include "core/base/text.h"
#include "core/health/other_aim.h"
#include "core/metrics/summary.h"
#include "core/report/other_aims.h"

namespace bulwark {
namespace {

std::string textOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::set<std::string> otherAims(const Json& specification) {
  std::set<std::string> labels;
  if (!specification.is_object()) return labels;
  const auto attacks = specification.find("attacks");
  if (attacks == specification.end() || !attacks->is_array()) return labels;
  for (const Json& attack : *attacks) {
    if (!attack.is_object() || !aimsElsewhere(textOf(attack, "type"), attack)) continue;
    labels.insert(textOf(attack, "label"));
  }
  return labels;
}

std::optional<double> metricValue(const ResultRow& row, const std::string& metric) {
  // Without a number where the mode gives the metric no meaning (`cross`: every rank metric).
  const bool ranked = !std::isnan(row.auroc);
  const bool rankMetric = metric != "n_in" && metric != "n_out" && !metric.ends_with("_fixed");
  if (!ranked && rankMetric) return std::nullopt;
  if (metric == "auroc") return row.auroc;
  if (metric == "aupr_out") return row.auprOut;
  if (metric == "aupr_in") return row.auprIn;
  if (metric == "fpr95_id") return row.fpr95Id;
  if (metric == "fpr95_ood") return row.fpr95Ood;
  if (metric == "tnr95") return row.tnr95;
  if (metric == "detection_accuracy") return row.detectionAccuracy;
  if (metric == "n_in") return static_cast<double>(row.nIn);
  if (metric == "n_out") return static_cast<double>(row.nOut);
  if (metric == "ci_low") return row.ciLow;
  if (metric == "ci_high") return row.ciHigh;
  if (row.extra.is_object()) {
    const auto found = row.extra.find(metric);
    if (found != row.extra.end() && found->is_number()) return found->get<double>();
  }
  return std::nullopt;
}

std::string detectorLabel(const Json& specification, const std::string& name) {
  std::vector<std::string> made;
  const auto list =
      specification.is_object() ? specification.find("detectors") : specification.end();
  if (name.empty() || list == specification.end() || !list->is_array()) return name;
  for (const Json& detector : *list) {
    if (!detector.is_object()) continue;
    const std::string label = textOf(detector, "label");
    if (label == name) return name;
    if (label.rfind(name + " (", 0) == 0 && textOf(detector, "type") == name) made.push_back(label);
  }
  return made.size() == 1 ? made.front() : name;
}

std::optional<PublishedValue> publishedValue(const RunRecord& run, const ResultRow& row) {
  if (!run.specification.is_object()) return std::nullopt;
  const auto list = run.specification.find("published");
  if (list == run.specification.end() || !list->is_array()) return std::nullopt;
  for (const Json& entry : *list) {
    if (!entry.is_object() ||
        detectorLabel(run.specification, textOf(entry, "detector")) != row.detector ||
        textOf(entry, "attack") != row.attack || textOf(entry, "setting") != row.setting ||
        textOf(entry, "out") != row.out) {
      continue;
    }
    const auto value = entry.find("auroc");
    if (value == entry.end() || !value->is_number()) continue;
    return PublishedValue{value->get<double>(), textOf(entry, "source")};
  }
  return std::nullopt;
}

std::string settingTitle(const std::string& setting) {
  if (setting == "clean") return "Clean";
  if (setting == "in") return "In";
  if (setting == "out") return "Out";
  if (setting == "in_out") return "In & Out";
  return setting;
}

std::string attackTitle(const std::string& attack) {
  return attack.empty() ? "clean" : attack;
}

std::string runTitle(const RunRecord& run) {
  const std::string number = "run " + std::to_string(run.id);
  return run.name.empty() ? number : run.name + " (" + number + ")";
}

std::string Consistency::line() const {
  return "consistent: " + std::to_string(consistent) + " of " + std::to_string(rows) +
         " rows (clean >= in, clean >= out, in_out <= min(in, out))";
}

Consistency checkConsistency(const std::vector<RunReport>& runs) {
  Consistency result;
  for (const RunReport& report : runs) {
    const auto others = otherAims(report.run.specification);
    std::map<std::pair<std::string, std::string>, double> clean;
    std::vector<std::tuple<std::string, std::string, std::string>> order;
    std::map<std::tuple<std::string, std::string, std::string>, ReportedSettings> attacked;
    for (const ResultRow& row : report.results) {
      if (row.attack.empty()) {
        clean[{row.detector, row.out}] = row.auroc;
        continue;
      }
      if (others.contains(row.attack)) continue;
      if (std::isnan(row.auroc)) continue;  // mode cross: the attack did not look for the worst
      const std::tuple key(row.detector, row.attack, row.out);
      if (!attacked.contains(key)) order.push_back(key);
      ReportedSettings& settings = attacked[key];
      if (row.setting == "in") settings.in = row.auroc;
      if (row.setting == "out") settings.out = row.auroc;
      if (row.setting == "in_out") settings.inOut = row.auroc;
    }
    for (const auto& key : order) {
      const auto& [detector, attack, out] = key;
      ReportedSettings settings = attacked[key];
      const auto found = clean.find({detector, out});
      if (found != clean.end()) settings.clean = found->second;
      ++result.rows;
      const auto violations = checkBounds(settings);
      if (violations.empty()) ++result.consistent;
      for (const auto& violation : violations) {
        result.violations.push_back(runTitle(report.run) + ", " + detector + ", " + attack + ", " +
                                    out + ": " + violation.text);
      }
    }
  }
  return result;
}

}  // namespace bulwark
