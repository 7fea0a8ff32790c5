#include "core/report/table_layout.h"
#include "core/report/nothing.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/metrics/detection.h"
#include "core/report/facts.h"

namespace bulwark {
namespace {

constexpr std::size_t widestWideTable = 8;

void addOnce(std::vector<std::string>& list, const std::string& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

int settingOrder(const std::string& setting) {
  static const std::vector<std::string> order = {"clean", "in", "out", "in_out"};
  return static_cast<int>(std::find(order.begin(), order.end(), setting) - order.begin());
}

/// (attack, setting) pairs that occur, clean first, then attack by attack.
std::vector<TableColumn> settingColumns(const std::vector<RunReport>& runs,
                                        const std::vector<std::string>& attacks) {
  std::vector<TableColumn> columns;
  for (const std::string& attack : attacks) {
    std::vector<std::string> settings;
    for (const RunReport& report : runs) {
      for (const ResultRow& row : report.results) {
        if (row.attack == attack) addOnce(settings, row.setting);
      }
    }
    std::stable_sort(settings.begin(), settings.end(), [](const auto& a, const auto& b) {
      return settingOrder(a) < settingOrder(b);
    });
    for (const std::string& setting : settings) columns.push_back({{}, attack, setting});
  }
  return columns;
}

std::optional<TableCell> findCell(const RunReport& report, const std::string& detector,
                                  const std::string& out, const TableColumn& column,
                                  const TableOptions& options) {
  for (const ResultRow& row : report.results) {
    if (row.detector != detector || row.out != out || row.attack != column.attack ||
        row.setting != column.setting) {
      continue;
    }
    const auto value = metricValue(row, options.metric);
    if (!value) return std::nullopt;
    TableCell cell;
    cell.value = *value;
    if (options.metric == "auroc") {
      const bool known = std::isfinite(row.ciLow) && std::isfinite(row.ciHigh) &&
                         (row.ciLow != 0.0 || row.ciHigh != 0.0 || row.auroc == 0.0);
      if (options.intervals && known) cell.interval = {row.ciLow, row.ciHigh};
      if (options.published) cell.published = publishedValue(report.run, row);
    }
    return cell;
  }
  return std::nullopt;
}

std::string titleOf(const std::string& metric) {
  for (const MetricInfo& info : metricInfos()) {
    if (info.name == metric) return info.title;
  }
  return metric;
}

/// The attacks only crossed a threshold, so no attacked row has a rank metric.
bool onlyCrossed(const std::vector<RunReport>& runs) {
  bool attacked = false;
  for (const RunReport& report : runs) {
    for (const ResultRow& row : report.results) {
      if (row.attack.empty()) continue;
      attacked = true;
      if (metricValue(row, "auroc")) return false;
    }
  }
  return attacked;
}

/// Those of the columns' attacks that the run has made on this detector.
std::vector<std::string> attacksShown(const RunReport& report, const std::string& detector,
                                      const std::vector<TableColumn>& columns) {
  std::vector<std::string> attacks;
  for (const TableColumn& column : columns) {
    const bool made =
        std::any_of(report.results.begin(), report.results.end(), [&](const ResultRow& row) {
          return row.detector == detector && row.attack == column.attack;
        });
    if (made) attacks.push_back(column.attack);
  }
  return attacks;
}

std::vector<std::string> footnotesOf(const std::vector<RunReport>& runs, const PaperTable& table) {
  std::vector<std::string> notes;
  for (const RunReport& report : runs) {
    for (const std::string& line : report::healthLines(report.run)) {
      notes.push_back(runs.size() > 1 ? runTitle(report.run) + ": " + line : line);
    }
  }
  if (auto names = report::healthNames(runs); !names.empty()) notes.push_back(std::move(names));
  const bool any = std::any_of(table.rows.begin(), table.rows.end(),
                               [](const TableRow& row) { return row.red; });
  if (any) {
    notes.emplace_back(
        "\u2020 A health check of this detector or of an attack on it is red: do not quote its "
        "figures.");
  }
  return notes;
}

std::string makeCaption(const PaperTable& table, const std::vector<RunReport>& runs,
                        const TableOptions& options) {
  std::string text = table.metricTitle;
  if (runs.size() == 1 && !runs[0].run.name.empty()) text += " of " + runs[0].run.name;
  text += ". Clean: no attack; In, Out, In & Out: the perturbed test sets";
  if (!table.severalAttacks) {
    for (const TableColumn& column : table.columns) {
      if (column.attack.empty()) continue;
      text += " (" + column.attack + ")";
      break;
    }
  }
  text += ".";
  if (options.metric == "auroc" && options.intervals) {
    text += " In brackets: 95 % bootstrap intervals.";
  }
  return text;
}

}  // namespace

bool hasRedCheck(const RunReport& report, const std::string& detector,
                 const std::vector<std::string>& attacks) {
  const Json& summary = report.run.summary;
  if (!summary.is_object()) return false;
  const auto checks = summary.find("health_checks");
  if (checks == summary.end() || !checks->is_array()) return false;
  return std::any_of(checks->begin(), checks->end(), [&](const Json& check) {
    if (!check.is_object() || check.value("verdict", std::string()) != "red") return false;
    const std::string subject = check.value("subject", std::string());
    return subject.empty() || subject == detector || subject.ends_with(" on " + detector) ||
           std::find(attacks.begin(), attacks.end(), subject) != attacks.end();
  });
}

std::vector<std::string> PaperTable::keyTitles() const {
  std::vector<std::string> titles;
  if (severalRuns) titles.push_back("Run");
  titles.push_back("Detector");
  if (outInRows) titles.push_back("Out set");
  return titles;
}

std::vector<std::string> PaperTable::keys(const TableRow& row) const {
  std::vector<std::string> keys;
  if (severalRuns) keys.push_back(row.run);
  keys.push_back(row.red ? row.detector + "\u2020" : row.detector);
  if (outInRows) keys.push_back(row.out);
  return keys;
}

std::string PaperTable::columnTitle(const TableColumn& column) const {
  const std::string setting = settingTitle(column.setting);
  return severalAttacks && !column.attack.empty() ? column.attack + ": " + setting : setting;
}

PaperTable layOut(const std::vector<RunReport>& runs, const TableOptions& asked,
                  bool tallByDefault) {
  TableOptions options = asked;
  if (options.metric == "auroc" && onlyCrossed(runs)) options.metric = "fpr_fixed";
  PaperTable table;
  std::vector<std::string> outs;
  std::vector<std::string> attacks;
  bool clean = false;
  bool known = false;
  for (const RunReport& report : runs) {
    for (const ResultRow& row : report.results) {
      addOnce(outs, row.out);
      if (row.attack.empty()) clean = true;
      if (!row.attack.empty()) addOnce(attacks, row.attack);
      known = known || metricValue(row, options.metric).has_value();
    }
  }
  if (outs.empty()) {
    throw nothingToReport("there are no results to tabulate", runs,
                          "choose runs that have finished at least one evaluation");
  }
  if (!known) {
    std::vector<std::string> names;
    for (const MetricInfo& info : metricInfos()) names.push_back(info.name);
    const bool exists = std::find(names.begin(), names.end(), options.metric) != names.end();
    throw Error::badInput("no result has a metric '" + options.metric + "'", "report",
                          exists ? "these runs did not measure it: not every detector has it, and "
                                   "some need an option of their detector"
                                 : suggestion(options.metric, names));
  }
  table.severalAttacks = attacks.size() > 1;
  table.severalRuns = runs.size() > 1;
  if (clean) attacks.insert(attacks.begin(), std::string());
  table.columns = settingColumns(runs, attacks);
  table.outInRows = options.layout == TableLayout::Tall ||
                    (options.layout == TableLayout::Auto &&
                     (tallByDefault || table.columns.size() * outs.size() > widestWideTable));
  if (!table.outInRows) {
    std::vector<TableColumn> wide;
    for (const std::string& out : outs) {
      for (TableColumn column : table.columns) {
        column.out = out;
        wide.push_back(column);
      }
    }
    table.columns = wide;
  }
  for (const RunReport& report : runs) {
    std::vector<std::string> detectors;
    for (const ResultRow& row : report.results) addOnce(detectors, row.detector);
    for (const std::string& detector : detectors) {
      const auto add = [&](const std::string& rowOut) {
        TableRow row;
        if (table.severalRuns) row.run = runTitle(report.run);
        row.detector = detector;
        row.red = hasRedCheck(report, detector, attacksShown(report, detector, table.columns));
        row.out = rowOut;
        for (const TableColumn& column : table.columns) {
          const std::string& out = table.outInRows ? rowOut : column.out;
          row.cells.push_back(findCell(report, detector, out, column, options));
        }
        // A run need not have every out set of the others.
        const bool any = std::any_of(row.cells.begin(), row.cells.end(),
                                     [](const auto& cell) { return cell.has_value(); });
        if (any) table.rows.push_back(std::move(row));
      };
      if (table.outInRows) {
        for (const std::string& out : outs) add(out);
      } else {
        add({});
      }
    }
  }
  table.footnotes = footnotesOf(runs, table);
  table.metricTitle = titleOf(options.metric);
  table.caption = options.caption.empty() ? makeCaption(table, runs, options) : options.caption;
  return table;
}

std::string cellText(const std::optional<TableCell>& cell, const TableOptions& options) {
  if (!cell) return "-";
  std::string text = formatFixed(cell->value, options.decimals);
  if (cell->interval) {
    text += " [" + formatFixed(cell->interval->first, options.decimals) + ", " +
            formatFixed(cell->interval->second, options.decimals) + "]";
  }
  if (cell->published) {
    text += " (published " + formatFixed(cell->published->auroc, options.decimals);
    if (!cell->published->source.empty()) text += ", " + cell->published->source;
    text += ")";
  }
  return text;
}

std::vector<Span> spans(const std::vector<std::string>& texts) {
  std::vector<Span> result;
  for (const std::string& text : texts) {
    if (result.empty() || result.back().text != text) result.push_back({text, 0});
    ++result.back().count;
  }
  return result;
}

}  // namespace bulwark
