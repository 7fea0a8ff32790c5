#include "core/report/over_seeds.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"

namespace bulwark {
namespace {

const Json& at(const Json& object, const char* key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

std::string textAt(const Json& object, const char* key) {
  const Json& value = at(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

/// What two runs must share to be the same experiment.
std::string kindOf(const RunRecord& run) {
  Json json = run.specification;
  if (json.is_object()) {
    for (const char* key : {"seed", "name", "device", "threads"}) json.erase(key);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

struct Found {
  Quantity quantity;
  double value = 0.0;
};

void addNumber(std::vector<Found>& list, Quantity quantity, const Json& value) {
  if (value.is_number()) list.push_back({std::move(quantity), value.get<double>()});
}

void addAccuracies(std::vector<Found>& list, const std::string& detector, const Json& from) {
  addNumber(list, {"accuracy", detector, "", "", ""}, at(from, "accuracy_clean"));
  const Json& attacked = at(from, "accuracy_attacked");
  if (!attacked.is_object()) return;
  for (const auto& [attack, value] : attacked.items()) {
    addNumber(list, {"accuracy", detector, attack, "", ""}, value);
  }
}

/// Numbers below `value`, by the keys and places that lead to them.
void addLeaves(std::vector<Found>& list, const std::string& detector, const std::string& path,
               const Json& value) {
  if (value.is_object()) {
    for (const auto& [key, child] : value.items()) {
      addLeaves(list, detector, path + (path.back() == ':' ? "" : ".") + key, child);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      addLeaves(list, detector, path + "[" + std::to_string(i) + "]", value[i]);
    }
  } else {
    addNumber(list, {path, detector, "", "", ""}, value);
  }
}

std::vector<Found> quantitiesOf(const RunReport& report) {
  std::vector<Found> list;
  const Json& summary = report.run.summary;
  addAccuracies(list, "", summary);
  if (const Json& own = at(summary, "own_classes"); own.is_object()) {
    for (const auto& [detector, found] : own.items()) addAccuracies(list, detector, found);
  }
  if (const Json& decisions = at(summary, "own_decisions"); decisions.is_array()) {
    for (const Json& entry : decisions) {
      for (const char* metric : {"accuracy", "precision_in", "recall_in"}) {
        addNumber(list,
                  {std::string("own_") + metric, textAt(entry, "detector"), textAt(entry, "attack"),
                   textAt(entry, "setting"), textAt(entry, "out")},
                  at(entry, metric));
      }
    }
  }
  for (const ResultRow& row : report.results) {
    if (std::isnan(row.auroc)) continue;
    list.push_back({{"auroc", row.detector, row.attack, row.setting, row.out}, row.auroc});
    if (!std::isnan(row.tnr95)) {
      list.push_back({{"tnr95", row.detector, row.attack, row.setting, row.out}, row.tnr95});
    }
    for (const char* metric : {"tnr95_per_class", "auroc_per_class", "tnr95_per_class_transductive",
                               "auroc_per_class_transductive"}) {
      addNumber(list, {metric, row.detector, row.attack, row.setting, row.out},
                at(row.extra, metric));
    }
  }
  if (const Json& facts = at(summary, "fit_facts"); facts.is_object()) {
    for (const auto& [detector, found] : facts.items()) addLeaves(list, detector, "fit:", found);
  }
  if (report.run.timings.is_object()) {
    for (const auto& [phase, seconds] : report.run.timings.items()) {
      addNumber(list, {"seconds:" + phase, "", "", "", ""}, seconds);
    }
  }
  return list;
}

void addPublished(const Json& specification, SeedRow& row) {
  const Json& list = at(specification, "published");
  if (!list.is_array()) return;
  for (const Json& entry : list) {
    const bool plain = entry.is_object() && entry.contains("auroc");
    const Quantity named{plain ? "auroc" : textAt(entry, "metric"),
                         detectorLabel(specification, textAt(entry, "detector")),
                         textAt(entry, "attack"), textAt(entry, "setting"), textAt(entry, "out")};
    const Json& value = at(entry, plain ? "auroc" : "value");
    if (!(named == row.quantity) || !value.is_number()) continue;
    row.published = value.get<double>();
    row.source = textAt(entry, "source");
    return;
  }
}

}  // namespace

std::vector<SeedGroup> groupBySeed(const std::vector<RunReport>& runs) {
  std::vector<SeedGroup> groups;
  std::vector<std::string> kinds;
  for (const RunReport& report : runs) {
    const std::string kind = kindOf(report.run);
    const auto known = std::find(kinds.begin(), kinds.end(), kind);
    if (known == kinds.end()) {
      kinds.push_back(kind);
      groups.push_back({report.run.name, {&report}});
    } else {
      groups[static_cast<std::size_t>(known - kinds.begin())].runs.push_back(&report);
    }
  }
  return groups;
}

Spread spreadOf(std::vector<double> values) {
  Spread spread;
  spread.values = std::move(values);
  const auto count = static_cast<double>(spread.values.size());
  for (const double value : spread.values) spread.mean += value / count;
  double squares = 0.0;
  for (const double value : spread.values) squares += std::pow(value - spread.mean, 2);
  spread.deviation = spread.values.size() > 1 ? std::sqrt(squares / (count - 1.0))
                                              : std::numeric_limits<double>::quiet_NaN();
  return spread;
}

std::vector<SeedRow> overSeeds(const SeedGroup& group) {
  std::vector<Quantity> order;
  std::vector<std::vector<double>> values;
  for (const RunReport* report : group.runs) {
    std::size_t next = 0;  // runs of one kind have the same quantities in the same order
    for (Found& found : quantitiesOf(*report)) {
      if (next >= order.size() || !(order[next] == found.quantity)) {
        const auto known = std::find(order.begin(), order.end(), found.quantity);
        next = static_cast<std::size_t>(known - order.begin());
        if (known == order.end()) {
          order.push_back(std::move(found.quantity));
          values.emplace_back();
        }
      }
      values[next++].push_back(found.value);
    }
  }
  std::vector<SeedRow> rows;
  for (std::size_t i = 0; i < order.size(); ++i) {
    SeedRow row{std::move(order[i]), spreadOf(std::move(values[i])), std::nullopt, {}};
    addPublished(group.runs.front()->run.specification, row);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace bulwark
