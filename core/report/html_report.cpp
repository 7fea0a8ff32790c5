#include "core/report/html_report.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/metrics/detection.h"
#include "core/report/auroc_curves.h"
#include "core/report/curves.h"
#include "core/report/escape.h"
#include "core/report/facts.h"
#include "core/report/html_page.h"
#include "core/report/image_strip.h"
#include "core/report/svg_plot.h"
#include "core/report/table_writers.h"

namespace bulwark {
namespace {

std::string factTable(const report::Facts& facts) {
  std::string text = "<table>\n<tbody>\n";
  for (const auto& [name, value] : facts) {
    text += "<tr><th scope=\"row\">" + escapeHtml(name) + "</th><td class=\"text\">" +
            escapeHtml(value) + "</td></tr>\n";
  }
  return text + "</tbody>\n</table>\n";
}

std::string section(const std::string& title, const report::Facts& facts) {
  return facts.empty() ? std::string() : "<h3>" + title + "</h3>\n" + factTable(facts);
}

std::string healthBox(const std::vector<RunReport>& runs) {
  const Consistency consistency = checkConsistency(runs);
  const bool red = std::any_of(runs.begin(), runs.end(), [](const RunReport& report) {
    const auto checks = report.run.summary.find("health_checks");
    if (checks == report.run.summary.end() || !checks->is_array()) return false;
    return std::any_of(checks->begin(), checks->end(), [](const Json& check) {
      return check.is_object() && check.value("verdict", std::string()) == "red";
    });
  });
  const bool bad = red || consistency.consistent < consistency.rows;
  std::string text = std::string("<div class=\"health") + (bad ? " bad" : "") + "\">";
  text += consistency.rows == 0 ? "no attacked results to check" : escapeHtml(consistency.line());
  for (const std::string& line : consistency.violations) text += "<br>" + escapeHtml(line);
  for (const RunReport& report : runs) {
    for (const std::string& line : report::healthLines(report.run)) {
      text += "<br>" + escapeHtml(runs.size() > 1 ? runTitle(report.run) + ": " + line : line);
    }
  }
  if (const auto names = report::healthNames(runs); !names.empty()) {
    text += "<br>" + escapeHtml(names);
  }
  return text + "</div>\n";
}

/// Every metric of every row.
std::string fullTable(const RunReport& report) {
  std::string text =
      "<div class=\"scroll\"><table class=\"metrics\">\n<thead>\n<tr><th "
      "scope=\"col\">Detector</th>"
      "<th scope=\"col\">Attack</th><th scope=\"col\">Setting</th><th scope=\"col\">Out set</th>";
  for (const MetricInfo& info : metricInfos()) {
    if (!info.primary) continue;
    text += "<th scope=\"col\" title=\"" + escapeHtml(info.help) + "\">" + escapeHtml(info.title) +
            "</th>";
  }
  text += "</tr>\n</thead>\n<tbody>\n";
  for (const ResultRow& row : report.results) {
    text += "<tr>";
    for (const std::string& name :
         {row.detector, attackTitle(row.attack), settingTitle(row.setting), row.out}) {
      text += "<th scope=\"row\">" + escapeHtml(name) + "</th>";
    }
    for (const MetricInfo& info : metricInfos()) {
      if (!info.primary) continue;
      const bool count = info.name == "n_in" || info.name == "n_out";
      const auto value = metricValue(row, info.name);
      text += "<td>";
      text += value ? formatFixed(*value, count ? 0 : 4) : std::string("-");
      text += "</td>";
    }
    text += "</tr>\n";
  }
  return text + "</tbody>\n</table></div>\n";
}

std::string figureBlock(const std::vector<Figure>& figures) {
  if (figures.empty()) return {};
  std::string text = "<div class=\"figures\">\n";
  for (const Figure& figure : figures) text += figureSvg(figure);
  return text + "</div>\n";
}

bool hasCurves(const RunReport& report, const std::string& kind) {
  for (const CurveRecord& curve : report.curves) {
    if (curve.kind == kind && (curve.setting == "clean" || curve.setting == "in_out")) return true;
  }
  return false;
}

std::string pairFigure(const ImagePair& pair) {
  const auto image = [](const Raster& raster, const std::string& alt) {
    return "<img alt=\"" + escapeHtml(alt) + "\" src=\"" + pngDataUri(raster) + "\">";
  };
  const Difference difference = differenceOf(pair);
  return "<figure>" +
         image(toRaster(pair.before, pair.channels, pair.height, pair.width), "before") +
         image(toRaster(pair.after, pair.channels, pair.height, pair.width), "after") +
         image(difference.raster, "difference, magnified") + "<figcaption>" +
         escapeHtml(pair.detector + ", " + attackTitle(pair.attack) + ", " + pair.dataset +
                    (pair.out ? " (out)" : " (in)") + " no. " + std::to_string(pair.sample) +
                    ": score " + formatFixed(pair.scoreBefore, 4) + " to " +
                    formatFixed(pair.scoreAfter, 4) + "; difference magnified " +
                    formatFixed(difference.factor, 1) + " times") +
         "</figcaption></figure>\n";
}

std::string runSection(const RunReport& report, const TableOptions& options) {
  std::string text = "<h2>" + escapeHtml(runTitle(report.run)) + "</h2>\n";
  if (!report.run.error.empty()) {
    text += "<p class=\"health bad\">" + escapeHtml(report.run.error) + "</p>\n";
  }
  if (!report.run.note.empty()) text += "<p>" + escapeHtml(report.run.note) + "</p>\n";
  text += section("What was run", report::specificationFacts(report));
  text += section("Summary", report::summaryFacts(report.run));
  if (!report.results.empty()) {
    text += "<h3>Results</h3>\n<div class=\"scroll\">" +
            report::tableHtml(layOut({report}, options), options) + "</div>\n" +
            "<h3>All metrics</h3>\n" + fullTable(report);
  }
  if (hasCurves(report, "roc")) {
    text += "<h3>ROC curves</h3>\n" + figureBlock(curveFigures({report}, "roc"));
  }
  if (hasCurves(report, "pr")) {
    text += "<h3>Precision-recall curves</h3>\n" + figureBlock(curveFigures({report}, "pr"));
  }
  if (const auto figures = aurocFigures({report}); !figures.empty()) {
    text += "<h3>AUROC against the adversary's effort</h3>\n" + figureBlock(figures);
  }
  if (const auto figures = histogramFigures(report); !figures.empty()) {
    text += "<h3>Scores</h3>\n" + figureBlock(figures);
  }
  if (const auto figures = trainingFigures(report); !figures.empty()) {
    text += "<h3>Training</h3>\n" + figureBlock(figures);
  }
  if (!report.pairs.empty()) {
    text += "<h3>Images before and after the attack</h3>\n<div class=\"pairs\">\n";
    for (const ImagePair& pair : report.pairs) text += pairFigure(pair);
    text += "</div>\n";
  }
  text += section("Timings", report::timingFacts(report.run.timings));
  text += section("Environment", report::flatten(report.run.environment));
  text += "<h3>Specification</h3>\n<pre>" +
          escapeHtml(report.run.specification.dump(2, ' ', false, Json::error_handler_t::replace)) +
          "</pre>\n";
  return text;
}

}  // namespace

std::string writeHtmlReport(const std::vector<RunReport>& runs, const TableOptions& options) {
  if (runs.empty()) throw Error::badInput("there are no runs to report", "report");
  const std::string title =
      runs.size() == 1 ? runTitle(runs[0].run) : std::to_string(runs.size()) + " runs";
  std::string body = "<h1>" + escapeHtml(title) + "</h1>\n<p>Report by Bulwark.</p>\n";
  body += healthBox(runs);
  std::size_t withResults = 0;
  for (const RunReport& report : runs) withResults += report.results.empty() ? 0 : 1;
  if (runs.size() > 1 && withResults > 0) {
    body += "<h2>All runs</h2>\n<div class=\"scroll\">" +
            report::tableHtml(layOut(runs, options), options) + "</div>\n";
  }
  for (const RunReport& report : runs) body += runSection(report, options);
  return report::htmlPage(title, body);
}

}  // namespace bulwark
