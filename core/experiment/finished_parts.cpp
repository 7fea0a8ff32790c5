#include "core/experiment/finished_parts.h"

#include <cmath>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/files.h"

namespace bulwark {
namespace {

/// JSON has no NaN; a number that is none is written as null.
std::vector<double> numbers(const Json& json) {
  std::vector<double> found;
  for (const auto& value : json) found.push_back(value.is_null() ? NAN : value.get<double>());
  return found;
}

HealthSeries seriesFrom(const Json& json) {
  return {json.at("kind"),         json.at("detector"),     json.at("attack"),
          json.at("set"),          numbers(json.at("x")),   numbers(json.at("y")),
          numbers(json.at("low")), numbers(json.at("high"))};
}

}  // namespace

FinishedParts::FinishedParts(std::filesystem::path folder) : folder_(std::move(folder)) {}

std::optional<Json> FinishedParts::find(const std::string& name) const {
  const auto path = fileOf(name);
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    return Json::parse(readFile(path));
  } catch (const Json::exception& error) {
    throw Error::badInput(std::string("this is no finished part of a run: ") + error.what(),
                          path.string(), "remove the file; the part is then made again");
  }
}

Json FinishedParts::take(const std::string& name, const std::function<Json()>& make) const {
  if (auto kept = find(name)) return std::move(*kept);
  const std::string text = make().dump();
  std::filesystem::create_directories(folder_);
  writeFileAtomically(fileOf(name), text);
  return Json::parse(text);
}

HealthReport FinishedParts::takeReport(const std::string& name,
                                       const std::function<HealthReport()>& make) const {
  const Json json = take(name, [&] {
    Json kept = {{"checks", Json::array()}, {"series", Json::array()}};
    const auto report = make();
    for (const auto& check : report.checks) kept["checks"].push_back(check.toJson());
    for (const auto& series : report.series) kept["series"].push_back(series.toJson());
    return kept;
  });
  HealthReport report;
  try {
    for (const auto& check : json.at("checks")) {
      report.checks.push_back(HealthCheck::fromJson(check));
    }
    for (const auto& series : json.at("series")) report.series.push_back(seriesFrom(series));
  } catch (const Json::exception& error) {
    throw Error::badInput(std::string("this is no health report: ") + error.what(),
                          fileOf(name).string(), "remove the file; the part is then made again");
  }
  return report;
}

}  // namespace bulwark
