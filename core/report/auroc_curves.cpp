#include "core/report/auroc_curves.h"
#include "core/report/curve_format.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/text.h"
#include "core/report/escape.h"
#include "core/report/nothing.h"

namespace bulwark {
namespace {

constexpr char kPrefix[] = "auroc-";
const std::vector<std::string> kSettings = {"in_out", "out", "in"};  // hardest first

std::string quantityOf(const CurveRecord& curve) {
  return curve.kind.substr(sizeof(kPrefix) - 1);
}

std::string axisTitle(const std::string& quantity) {
  if (quantity == "epsilon") return "Radius of the ball (fraction of the [0, 1] range)";
  if (quantity == "steps") return "Steps";
  if (quantity == "restarts") return "Restarts";
  if (quantity == "propagations") return "Forwards and backwards per image";
  return quantity;
}

using Found = std::vector<std::pair<const RunReport*, const CurveRecord*>>;

Found allOf(const std::vector<RunReport>& runs) {
  Found found;
  for (const RunReport& report : runs) {
    for (const CurveRecord& curve : report.curves) {
      if (isAurocCurve(curve)) found.emplace_back(&report, &curve);
    }
  }
  return found;
}

std::string csv(const Found& found) {
  std::string text = "run,run_name,detector,attack,setting,out,over,x,auroc\n";
  for (const auto& [report, curve] : found) {
    const std::string head = std::to_string(report->run.id) + "," + csvField(report->run.name) +
                             "," + csvField(curve->detector) + "," + csvField(curve->attack) + "," +
                             csvField(curve->setting) + "," + csvField(curve->out) + "," +
                             csvField(quantityOf(*curve)) + ",";
    for (std::size_t k = 0; k < std::min(curve->x.size(), curve->y.size()); ++k) {
      text += head + formatNumber(curve->x[k]) + "," + formatNumber(curve->y[k]) + "\n";
    }
  }
  return text;
}

std::string json(const Found& found) {
  Json records = Json::array();
  for (const auto& [report, curve] : found) {
    records.push_back({{"run", report->run.id},
                       {"run_name", report->run.name},
                       {"detector", curve->detector},
                       {"attack", curve->attack},
                       {"setting", curve->setting},
                       {"out", curve->out},
                       {"over", quantityOf(*curve)},
                       {"x", curve->x},
                       {"auroc", curve->y}});
  }
  return records.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Whether the same curve is there in a harder setting, which is then the one to show.
bool hasHarder(const Found& found, const RunReport* report, const CurveRecord& curve) {
  const auto rank = [](const CurveRecord& one) {
    return std::find(kSettings.begin(), kSettings.end(), one.setting) - kSettings.begin();
  };
  return std::any_of(found.begin(), found.end(), [&](const auto& other) {
    const CurveRecord& one = *other.second;
    return other.first == report && one.kind == curve.kind && one.detector == curve.detector &&
           one.attack == curve.attack && one.out == curve.out && rank(one) < rank(curve);
  });
}

}  // namespace

bool isAurocCurve(const CurveRecord& curve) {
  return curve.kind.starts_with(kPrefix);
}

std::vector<Figure> aurocFigures(const std::vector<RunReport>& runs) {
  const Found found = allOf(runs);
  std::vector<Figure> figures;
  std::vector<std::pair<std::string, std::string>> panels;  // quantity, out set
  std::map<std::pair<const RunReport*, std::string>, int> colours;
  for (const auto& [report, curve] : found) {
    if (hasHarder(found, report, *curve)) continue;
    const std::pair panel(quantityOf(*curve), curve->out);
    const auto known = std::find(panels.begin(), panels.end(), panel);
    const auto place = static_cast<std::size_t>(known - panels.begin());
    if (known == panels.end()) {
      Figure fresh;
      fresh.title = "AUROC against " + curve->out;
      fresh.xLabel = axisTitle(panel.first);
      fresh.yLabel = "AUROC";
      fresh.yFromZero = true;
      panels.push_back(panel);
      figures.push_back(std::move(fresh));
    }
    FigureSeries series;
    series.name = curve->detector + ", " + curve->attack + ", " + settingTitle(curve->setting);
    if (runs.size() > 1) series.name = runTitle(report->run) + ", " + series.name;
    series.x = curve->x;
    series.y = curve->y;
    series.colour = colours
                        .try_emplace(std::pair(report, curve->detector + "\n" + curve->attack),
                                     static_cast<int>(colours.size()))
                        .first->second;
    figures[place].series.push_back(std::move(series));
  }
  return figures;
}

std::string writeAurocCurves(const std::vector<RunReport>& runs, CurveFormat format) {
  const Found found = allOf(runs);
  if (found.empty()) {
    throw nothingToReport("there are no curves of the AUROC to export", runs,
                          "list some under \"curves\" in the specification");
  }
  return writeAs(format, {[&] { return csv(found); }, [&] { return json(found); },
                          [&] { return aurocFigures(runs); }});
}

}  // namespace bulwark
