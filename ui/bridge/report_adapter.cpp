#include "ui/bridge/report_adapter.h"

#include <algorithm>

namespace bulwark {

namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") ==
      std::string::npos) {
    return text;
  }
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  result += '\'';
  return result;
}

}  // namespace

std::string ReportRequest::command(const std::string& database, const std::string& output) const {
  std::string line = "bulwark-cli export";
  for (const std::int64_t run : runs) line.append(" ").append(std::to_string(run));
  line += " --what " + what + " --format " + format + " --output " + quoted(output);
  if (!database.empty()) line += " --db " + quoted(database);
  return line;
}

std::vector<RunReport> loadReports(const RunStore& store, const ReportRequest& request) {
  const ReportParts parts = partsNeeded(request.what);
  std::vector<RunReport> reports;
  for (const std::int64_t id : request.runs) {
    const auto run = store.findRun(id);
    if (!run) continue;
    RunReport report;
    report.run = *run;
    if (parts.datasets) report.datasets = store.datasets(id);
    if (parts.epochs) report.epochs = store.epochMetrics(id);
    if (parts.results) report.results = store.results(id);
    if (parts.curves) report.curves = store.curves(id);
    if (parts.scores) report.scores = store.scoreSets(id);
    if (parts.pairs) report.pairs = store.imagePairs(id);
    reports.push_back(std::move(report));
  }
  return reports;
}

std::string writeReport(std::vector<RunReport> reports, const ReportRequest& request) {
  if (!request.settings.empty()) {
    const auto unwanted = [&](const std::string& setting) {
      return std::find(request.settings.begin(), request.settings.end(), setting) ==
             request.settings.end();
    };
    for (RunReport& report : reports) {
      std::erase_if(report.results, [&](const ResultRow& row) { return unwanted(row.setting); });
      std::erase_if(report.curves, [&](const CurveRecord& row) { return unwanted(row.setting); });
    }
  }
  return exportRuns(reports, request.what, request.format, request.options);
}

bool isTextFormat(const std::string& format) {
  return format != "npz" && format != "png" && format != "pdf";
}

}  // namespace bulwark
