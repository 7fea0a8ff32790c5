#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/text.h"
#include "core/report/claims.h"
#include "core/report/escape.h"
#include "core/report/facts.h"
#include "core/report/nothing.h"
#include "core/report/over_seeds.h"
#include "core/report/seed_page.h"

namespace bulwark {

using namespace seed_page;

namespace {

/// A, B, ..., Z, A1, ...
std::string keyOf(std::size_t place) {
  std::string key(1, static_cast<char>('A' + place % 26));
  if (place >= 26) key += std::to_string(place / 26);
  return key;
}

/// The values of a quantity by the seed of the run; runs that share a seed count once.
std::map<std::uint64_t, double> bySeed(const SeedGroup& group, const Quantity& quantity) {
  std::map<std::uint64_t, double> values;
  for (const RunReport* report : group.runs) {
    for (const SeedRow& row : overSeeds({group.name, {report}})) {
      if (row.quantity == quantity) values[report->run.seed] = row.spread.mean;
    }
  }
  return values;
}

Spread difference(const std::map<std::uint64_t, double>& a,
                  const std::map<std::uint64_t, double>& b) {
  std::vector<double> values;
  for (const auto& [seed, value] : a) {
    const auto other = b.find(seed);
    if (other != b.end()) values.push_back(value - other->second);
  }
  return spreadOf(std::move(values));
}

/// Whether a mean of several values is further from 0 than twice its standard error.
bool clear(const Spread& spread) {
  if (spread.values.size() < 3) return false;
  const double error = spread.deviation / std::sqrt(static_cast<double>(spread.values.size()));
  return std::abs(spread.mean) > 2.0 * error;
}

std::string groupsSection(const std::vector<Grouped>& groups) {
  std::string text = heading({"", "Experiment", "Runs", "Seeds"}, 2);
  for (const Grouped& one : groups) {
    std::vector<std::string> seeds;
    for (const RunReport* report : one.group.runs)
      seeds.push_back(std::to_string(report->run.seed));
    text +=
        line({one.key, one.group.name, std::to_string(one.group.runs.size()), join(seeds, ", ")});
  }
  return text + "\n";
}

std::string accuracySection(const std::vector<Grouped>& groups) {
  std::string text;
  for (const Grouped& one : groups) {
    for (const SeedRow& row : one.rows) {
      if (row.quantity.metric != "accuracy") continue;
      std::string below = "-";
      if (!row.quantity.attack.empty()) {
        Quantity clean = row.quantity;
        clean.attack.clear();
        below = percent(difference(bySeed(one.group, clean), bySeed(one.group, row.quantity)));
      }
      text += line({one.key, row.quantity.detector, attackTitle(row.quantity.attack),
                    percent(row.spread), percent(row.published), below});
    }
  }
  if (text.empty()) return {};
  return "## Classification accuracy\n\nPer cent of the in test images, none rejected. Where a "
         "detector is named, the class is the one that it gives.\n\n" +
         heading({"", "Classes of", "Attack", "Measured", "Published", "Below clean"}, 3) + text +
         "\n";
}

/// Of runs where nothing is attacked, whose figures of detection stand above: in one table.
std::string cleanDecisions(const std::vector<Grouped>& groups) {
  std::string text;
  for (const Grouped& one : groups) {
    for (const SeedRow& row : one.rows) {
      Quantity quantity = row.quantity;
      if (quantity.metric != "own_accuracy" || !isDetectionAlone(one)) continue;
      std::vector<std::string> cells = {one.key, quantity.detector, quantity.out};
      for (const char* metric : {"own_accuracy", "own_precision_in", "own_recall_in"}) {
        quantity.metric = metric;
        const SeedRow* found = find(one, quantity);
        cells.push_back(found ? percent(found->spread) : std::string("-"));
      }
      text += line(cells);
    }
  }
  if (text.empty()) return {};
  return "### Clean\n\n" +
         heading({"", "Detector", "Against", "Accuracy", "Precision", "Recall"}, 3) + text + "\n";
}

std::string decisionsSection(const std::vector<Grouped>& all) {
  std::string text;
  std::vector<Grouped> groups;
  for (const Grouped& one : all) {
    if (!isDetectionAlone(one)) groups.push_back(one);
  }
  for (const std::string& out : outsOf(groups, "own_accuracy")) {
    text += "### Against " + escapeMarkdown(out) + "\n\n" +
            heading({"", "Detector", "Attack", "Setting", "Accuracy", "published", "Precision",
                     "published", "Recall", "published"},
                    4);
    for (const Grouped& one : groups) {
      for (const SeedRow& row : one.rows) {
        Quantity quantity = row.quantity;
        if (quantity.metric != "own_accuracy" || quantity.out != out) continue;
        std::vector<std::string> cells = {one.key, quantity.detector, attackTitle(quantity.attack),
                                          settingTitle(quantity.setting)};
        for (const char* metric : {"own_accuracy", "own_precision_in", "own_recall_in"}) {
          quantity.metric = metric;
          const SeedRow* found = find(one, quantity);
          cells.push_back(found ? percent(found->spread) : std::string("-"));
          cells.push_back(found ? percent(found->published) : std::string("-"));
        }
        text += line(cells);
      }
    }
    text += "\n";
  }
  text += cleanDecisions(all);
  if (text.empty()) return {};
  return "## Decisions at the detectors' own thresholds\n\nPer cent; in is the positive class. "
         "In, Out, In & Out: the test sets that the attack perturbs.\n\n" +
         text;
}

std::string aurocSection(const std::vector<Grouped>& all, int decimals) {
  std::string text;
  std::vector<Grouped> groups;
  for (const Grouped& one : all) {
    if (!isDetectionAlone(one)) groups.push_back(one);
  }
  for (const std::string& out : outsOf(groups, "auroc")) {
    text += "### Against " + escapeMarkdown(out) + "\n\n" +
            heading({"", "Detector", "Attack", "Clean", "In", "Out", "In & Out"}, 3);
    for (const Grouped& one : groups) {
      std::vector<std::pair<std::string, std::string>> done;
      for (const SeedRow& row : one.rows) {
        const Quantity& quantity = row.quantity;
        if (quantity.metric != "auroc" || quantity.out != out) continue;
        const std::pair key(quantity.detector, quantity.attack);
        if (std::find(done.begin(), done.end(), key) != done.end()) continue;
        done.push_back(key);
        std::vector<std::string> cells = {one.key, quantity.detector, attackTitle(quantity.attack)};
        for (const char* setting : {"clean", "in", "out", "in_out"}) {
          const SeedRow* found =
              find(one, {"auroc", quantity.detector, quantity.attack, setting, out});
          std::string cell = found ? spreadText(found->spread, 1.0, decimals) : std::string("-");
          if (found && found->published) {
            cell += " (published " + formatFixed(*found->published, decimals) + ")";
          }
          cells.push_back(cell);
        }
        text += line(cells);
      }
    }
    text += "\n";
  }
  return text.empty() ? text : "## AUROC\n\n" + text;
}

/// Numbers side by side; lists in a table per list, a column per place.
std::string factsSection(const std::vector<Grouped>& groups) {
  std::string single, lists;
  for (const Grouped& one : groups) {
    std::string previous, cells;
    const auto finish = [&] {
      if (!cells.empty()) lists += "|" + cells + " |\n";
      cells.clear();
    };
    for (const SeedRow& row : one.rows) {
      if (!startsWith(row.quantity.metric, "fit:") || !isPlainFact(row.quantity)) continue;
      const auto bracket = row.quantity.metric.find('[');
      if (bracket == std::string::npos) {
        single += line({one.key, row.quantity.detector, factName(row.quantity),
                        spreadText(row.spread, 1.0, 4)});
        continue;
      }
      Quantity list = row.quantity;
      list.metric.resize(bracket);
      const std::string key = list.detector + "\n" + list.metric;
      if (key != previous) {
        finish();
        cells = " " + one.key + " | " + escapeMarkdown(list.detector) + " | " +
                escapeMarkdown(factName(list)) + " | ";
      } else {
        cells += "; ";
      }
      cells += spreadText(row.spread, 1.0, 3);
      previous = key;
    }
    finish();
  }
  if (single.empty() && lists.empty()) return {};
  std::string text = "## What detectors measured while they were fitted\n\n";
  if (!single.empty()) {
    text += heading({"", "Detector", "Quantity", "Measured"}, 3) + single + "\n";
  }
  if (!lists.empty()) {
    text += heading({"", "Detector", "Quantity", "Values in order"}, 4) + lists + "\n";
  }
  return text;
}

bool compared(const Quantity& quantity) {
  return quantity.metric == "accuracy" || quantity.metric == "fit:share_below_1";
}

std::string differenceSection(const std::vector<Grouped>& groups) {
  std::string text;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (std::size_t j = i + 1; j < groups.size(); ++j) {
      for (const SeedRow& row : groups[j].rows) {
        if (!compared(row.quantity)) continue;
        const auto found = difference(bySeed(groups[j].group, row.quantity),
                                      bySeed(groups[i].group, row.quantity));
        if (found.values.empty()) continue;
        std::string what = row.quantity.metric;
        if (startsWith(what, "fit:")) what = factName(row.quantity);
        if (!row.quantity.detector.empty()) what += ", " + row.quantity.detector;
        text += line({groups[j].key, groups[i].key, what, attackTitle(row.quantity.attack),
                      percent(found), std::to_string(found.values.size()),
                      clear(found) ? "yes" : "no"});
      }
    }
  }
  if (text.empty()) return {};
  return "## Differences, seed by seed\n\nIn points of per cent: the first less the second. Clear: "
         "at least three seeds, and the mean is more than two standard errors from 0.\n\n" +
         heading({"First", "Second", "Quantity", "Attack", "Difference", "Seeds", "Clear"}, 4) +
         text + "\n";
}

std::string runsSection(const std::vector<Grouped>& groups, const std::vector<RunReport>& runs) {
  std::string text = "## Consistency\n\n";
  const Consistency consistency = checkConsistency(runs);
  text += consistency.rows == 0 ? std::string("No attacked results to check.\n\n")
                                : escapeMarkdown(consistency.line()) + "\n\n";
  for (const std::string& said : consistency.violations) text += "- " + escapeMarkdown(said) + "\n";
  if (!consistency.violations.empty()) text += "\n";
  for (const RunReport& report : runs) {
    for (const std::string& said : report::healthLines(report.run)) {
      text += "- " +
              escapeMarkdown(runTitle(report.run) + ", seed " + std::to_string(report.run.seed) +
                             ": " + said) +
              "\n";
    }
  }
  if (!text.ends_with("\n\n")) text += "\n";
  for (const Grouped& one : groups) {
    text += "## " + one.key + ": " + escapeMarkdown(one.group.name) + "\n\n" + heading({"", ""}, 2);
    for (const auto& [name, value] : report::specificationFacts(*one.group.runs.front())) {
      if (name == "Seed") continue;
      text += line({name, value});
    }
    for (const SeedRow& row : one.rows) {
      if (!startsWith(row.quantity.metric, "seconds:")) continue;
      text += line({"Seconds of " + row.quantity.metric.substr(8), spreadText(row.spread, 1.0, 1)});
    }
    text += "\n";
  }
  return text;
}

/// Statements beside the figures that bear them out or do not.
std::string claimsSection(const std::vector<Grouped>& groups, const Json& claims) {
  std::vector<SeedGroup> plain;
  for (const Grouped& one : groups) plain.push_back(one.group);
  std::string text;
  for (const ClaimCheck& check : checkClaims(claims, plain)) {
    const double scale = check.share ? 100.0 : 1.0;
    const int decimals = check.share ? 2 : 3;
    const auto shown = [&](const Spread& spread) {
      return spread.values.empty() ? std::string("-") : spreadText(spread, scale, decimals);
    };
    text += line({check.claim, check.source, shown(check.value),
                  (check.least ? "at least " : "at most ") + shown(check.bound),
                  std::to_string(check.value.values.size()), verdict(check)});
  }
  if (text.empty()) return {};
  return "## Claims beside what was measured\n\nTested seed by seed. Shares, and differences of "
         "shares, in per cent.\n\n" +
         heading({"Claim", "Source", "Measured", "Asked", "Seeds", "Verdict"}, 2) + text + "\n";
}

std::string page(const std::vector<Grouped>& groups, const std::vector<RunReport>& runs,
                 const TableOptions& options) {
  const PageText words = options.page.is_null() ? PageText() : PageText::fromJson(options.page);
  std::string title = options.caption.empty() ? words.title : options.caption;
  if (title.empty()) title = "Results over seeds";
  std::string text = "# " + escapeMarkdown(title) +
                     "\n\nThis page is written by Bulwark from its run database; do not edit it by "
                     "hand. Figures are the mean over the seeds and the deviation of the sample. "
                     "Published figures are those that the specifications name.\n\n";
  for (const std::string& note : words.notes) text += escapeMarkdown(note) + "\n\n";
  text += claimsSection(groups, words.claims) + "## Experiments\n\n" + groupsSection(groups) +
          accuracySection(groups) + differenceSection(groups) + detectionSection(groups) +
          decisionsSection(groups) + aurocSection(groups, options.decimals) +
          layersSection(groups) + factsSection(groups) + runsSection(groups, runs);
  text.pop_back();  // one newline at the end
  return text;
}

Json numberOrNull(double value) {
  return std::isnan(value) ? Json() : Json(value);
}

std::string json(const std::vector<Grouped>& groups) {
  Json list = Json::array();
  for (const Grouped& one : groups) {
    Json seeds = Json::array();
    for (const RunReport* report : one.group.runs) seeds.push_back(report->run.seed);
    for (const SeedRow& row : one.rows) {
      Json entry = {
          {"experiment", one.group.name},  {"seeds", seeds},
          {"metric", row.quantity.metric}, {"detector", row.quantity.detector},
          {"attack", row.quantity.attack}, {"setting", row.quantity.setting},
          {"out", row.quantity.out},       {"n", row.spread.values.size()},
          {"mean", row.spread.mean},       {"deviation", numberOrNull(row.spread.deviation)},
          {"values", row.spread.values}};
      if (row.published) entry["published"] = {{"value", *row.published}, {"source", row.source}};
      list.push_back(std::move(entry));
    }
  }
  return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string csv(const std::vector<Grouped>& groups) {
  std::string text = "experiment,metric,detector,attack,setting,out,n,mean,deviation,published\r\n";
  for (const Grouped& one : groups) {
    for (const SeedRow& row : one.rows) {
      const Quantity& of = row.quantity;
      for (const auto& word :
           {one.group.name, of.metric, of.detector, of.attack, of.setting, of.out}) {
        text += csvField(word) + ",";
      }
      text += std::to_string(row.spread.values.size()) + "," + formatNumber(row.spread.mean) + ",";
      if (!std::isnan(row.spread.deviation)) text += formatNumber(row.spread.deviation);
      text += ",";
      if (row.published) text += formatNumber(*row.published);
      text += "\r\n";
    }
  }
  return text;
}

}  // namespace

std::string writeOverSeeds(const std::vector<RunReport>& runs, const std::string& format,
                           const TableOptions& options) {
  std::vector<Grouped> groups;
  bool any = false;
  for (SeedGroup& group : groupBySeed(runs)) {
    auto rows = overSeeds(group);
    any = any || !rows.empty();
    groups.push_back({keyOf(groups.size()), std::move(group), std::move(rows)});
  }
  if (!any) {
    throw nothingToReport("there are no results to compare over seeds", runs,
                          "choose runs that have finished at least one evaluation");
  }
  if (format == "json") return json(groups);
  return format == "csv" ? csv(groups) : page(groups, runs, options);
}

}  // namespace bulwark
