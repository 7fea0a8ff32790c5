#include <algorithm>

#include "core/base/text.h"
#include "core/report/escape.h"
#include "core/report/facts.h"
#include "core/report/table_writers.h"

namespace bulwark {

const std::vector<std::string>& longTableColumns() {
  static const std::vector<std::string> columns = {
      "run",   "run_name", "seed",    "detector", "attack",    "setting", "out",
      "auroc", "aupr_out", "aupr_in", "fpr95_id", "fpr95_ood", "tnr95",   "detection_accuracy",
      "n_in",  "n_out",    "ci_low",  "ci_high"};
  return columns;
}

std::string report::tableCsv(const std::vector<RunReport>& runs) {
  std::vector<std::string> further;
  bool published = false;
  for (const RunReport& report : runs) {
    for (const ResultRow& row : report.results) {
      published = published || publishedValue(report.run, row).has_value();
      if (!row.extra.is_object()) continue;
      for (const auto& [name, value] : row.extra.items()) {
        if (value.is_number() && std::find(further.begin(), further.end(), name) == further.end()) {
          further.push_back(name);
        }
      }
    }
  }
  std::vector<std::string> header = longTableColumns();
  header.insert(header.end(), further.begin(), further.end());
  if (published) header.insert(header.end(), {"published_auroc", "published_source"});
  const bool healthy = std::any_of(runs.begin(), runs.end(), [](const RunReport& report) {
    return !report::healthLines(report.run).empty();
  });
  if (healthy) header.emplace_back("health");
  std::string text;
  const auto write = [&text](std::vector<std::string> fields) {
    for (std::string& field : fields) field = csvField(field);
    text += join(fields, ",");
    text += '\n';
  };
  write(header);
  for (const RunReport& report : runs) {
    for (const ResultRow& row : report.results) {
      std::vector<std::string> fields = {std::to_string(report.run.id),
                                         report.run.name,
                                         std::to_string(report.run.seed),
                                         row.detector,
                                         row.attack,
                                         row.setting,
                                         row.out};
      for (double value : {row.auroc, row.auprOut, row.auprIn, row.fpr95Id, row.fpr95Ood, row.tnr95,
                           row.detectionAccuracy}) {
        fields.push_back(formatNumber(value));
      }
      fields.push_back(std::to_string(row.nIn));
      fields.push_back(std::to_string(row.nOut));
      fields.push_back(formatNumber(row.ciLow));
      fields.push_back(formatNumber(row.ciHigh));
      for (const std::string& name : further) {
        const auto value = metricValue(row, name);
        fields.push_back(value ? formatNumber(*value) : std::string());
      }
      if (published) {
        const auto figure = publishedValue(report.run, row);
        fields.push_back(figure ? formatNumber(figure->auroc) : std::string());
        fields.push_back(figure ? figure->source : std::string());
      }
      if (healthy) fields.push_back(join(report::healthLines(report.run), "; "));
      write(std::move(fields));
    }
  }
  return text;
}

}  // namespace bulwark
