#include "core/base/text.h"
#include "core/report/facts.h"
#include "core/report/table_writers.h"
#include "core/report/weight_curve.h"

namespace bulwark {

std::string report::tableJson(const std::vector<RunReport>& runs) {
  Json records = Json::array();
  for (const RunReport& report : runs) {
    for (const ResultRow& row : report.results) {
      Json record = {
          {"run", report.run.id}, {"run_name", report.run.name}, {"seed", report.run.seed}};
      const Json values = row.toJson();
      for (const auto& [key, value] : values.items()) record[key] = value;
      if (row.extra.is_object() && !row.extra.empty()) {
        record["extra"] = row.extra;
        record["extra"].erase(WeightCurve::key);  // a table holds figures; see "weights"
      }
      if (const auto figure = publishedValue(report.run, row)) {
        record["published"] = {{"auroc", figure->auroc}, {"source", figure->source}};
      }
      const auto health = report::healthLines(report.run);
      if (!health.empty()) record["health"] = join(health, "; ");
      records.push_back(std::move(record));
    }
  }
  return records.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace bulwark
