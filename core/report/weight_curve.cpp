#include "core/report/weight_curve.h"
#include "core/report/curve_format.h"

#include <algorithm>
#include <utility>

#include "core/base/text.h"
#include "core/metrics/detection.h"
#include "core/report/escape.h"
#include "core/report/nothing.h"

namespace bulwark {
namespace {

struct Found {
  const RunReport* report;
  const ResultRow* row;
  WeightCurve curve;
};

std::vector<Found> allOf(const std::vector<RunReport>& runs) {
  std::vector<Found> found;
  for (const RunReport& report : runs) {
    for (const ResultRow& row : report.results) {
      if (auto curve = WeightCurve::of(row)) found.push_back({&report, &row, std::move(*curve)});
    }
  }
  return found;
}

std::string metricTitle(const std::string& name) {
  for (const auto& info : metricInfos()) {
    if (info.name == name) return info.title;
  }
  return name;
}

std::string csv(const std::vector<Found>& found) {
  std::string text = "run,run_name,detector,attack,setting,out,weight,own,metric,value\n";
  for (const auto& [report, row, curve] : found) {
    const std::string head = std::to_string(report->run.id) + "," + csvField(report->run.name) +
                             "," + csvField(row->detector) + "," + csvField(row->attack) + "," +
                             csvField(row->setting) + "," + csvField(row->out) + ",";
    for (const auto& series : curve.series) {
      for (std::size_t i = 0; i < curve.weights.size(); ++i) {
        text += head + formatNumber(curve.weights[i]);
        text += curve.weights[i] == curve.own ? ",1," : ",0,";
        text += csvField(series.metric) + "," + formatNumber(series.values[i]) + "\n";
      }
    }
  }
  return text;
}

std::string json(const std::vector<Found>& found) {
  Json records = Json::array();
  for (const auto& [report, row, curve] : found) {
    Json record = {{"run", report->run.id},     {"run_name", report->run.name},
                   {"detector", row->detector}, {"attack", row->attack},
                   {"setting", row->setting},   {"out", row->out}};
    const Json values = curve.toJson();
    for (const auto& [name, value] : values.items()) record[name] = value;
    records.push_back(std::move(record));
  }
  return records.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Json WeightCurve::toJson() const {
  Json json = {{"own", own}, {"weights", weights}};
  for (const auto& one : series) json[one.metric] = one.values;
  return json;
}

std::optional<WeightCurve> WeightCurve::of(const ResultRow& row) {
  if (!row.extra.is_object() || !row.extra.contains(key)) return std::nullopt;
  const Json& json = row.extra.at(key);
  try {
    WeightCurve curve;
    curve.own = json.at("own").get<double>();
    curve.weights = json.at("weights").get<std::vector<double>>();
    for (const auto& [name, values] : json.items()) {
      if (name == "own" || name == "weights") continue;
      curve.series.push_back({name, values.get<std::vector<double>>()});
      if (curve.series.back().values.size() != curve.weights.size()) return std::nullopt;
    }
    return curve;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::vector<Figure> weightFigures(const std::vector<RunReport>& runs) {
  std::vector<Figure> figures;
  for (const auto& [report, row, curve] : allOf(runs)) {
    if (!row->attack.empty()) continue;
    for (const auto& series : curve.series) {
      std::string title = row->detector + ": " + metricTitle(series.metric);
      if (runs.size() > 1) title = runTitle(report->run) + ", " + title;
      auto place = std::find_if(figures.begin(), figures.end(),
                                [&](const Figure& figure) { return figure.title == title; });
      if (place == figures.end()) {
        Figure fresh;
        fresh.title = title;
        fresh.xLabel = "Weight of the logits";
        fresh.yLabel = metricTitle(series.metric);
        fresh.yFromZero = true;
        place = figures.insert(figures.end(), std::move(fresh));
      }
      const int colour = static_cast<int>(place->series.size());
      place->series.push_back({row->out, curve.weights, series.values, colour});
    }
  }
  return figures;
}

std::string writeWeightCurves(const std::vector<RunReport>& runs, CurveFormat format) {
  const auto found = allOf(runs);
  if (found.empty()) {
    throw nothingToReport("there are no curves over the weight of the logits to export", runs,
                          "runs of the detector svdd have them");
  }
  return writeAs(format, {[&] { return csv(found); }, [&] { return json(found); },
                          [&] { return weightFigures(runs); }});
}

}  // namespace bulwark
