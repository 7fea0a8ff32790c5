#include "core/report/export.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/report/attack_table.h"
#include "core/report/auroc_curves.h"
#include "core/report/curves.h"
#include "core/report/html_report.h"
#include "core/report/image_strip.h"
#include "core/report/over_seeds.h"
#include "core/report/results_page.h"
#include "core/report/scores.h"
#include "core/report/weight_curve.h"

namespace bulwark {
namespace {

const ExportKind& kindNamed(const std::string& name) {
  std::vector<std::string> names;
  for (const ExportKind& kind : exportKinds()) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  throw Error::badInput("there is nothing called '" + name + "' to export", "export --what",
                        "one of " + join(names, ", "));
}

void checkFormat(const ExportKind& kind, const std::string& format) {
  if (std::find(kind.formats.begin(), kind.formats.end(), format) != kind.formats.end()) return;
  std::string hint = "one of " + join(kind.formats, ", ");
  if (format == "png" && (kind.name == "roc" || kind.name == "pr" || kind.name == "curves" ||
                          kind.name == "weights")) {
    hint += "; the window exports plots as PNG";
  }
  throw Error::badInput("'" + kind.name + "' cannot be written as '" + format + "'",
                        "export --format", hint);
}

TableFormat tableFormat(const std::string& format) {
  if (format == "csv") return TableFormat::Csv;
  if (format == "json") return TableFormat::Json;
  if (format == "md") return TableFormat::Markdown;
  if (format == "tex") return TableFormat::Latex;
  return format == "html" ? TableFormat::Html : TableFormat::Text;
}

CurveFormat curveFormat(const std::string& format) {
  if (format == "csv") return CurveFormat::Csv;
  if (format == "json") return CurveFormat::Json;
  return format == "svg" ? CurveFormat::Svg : CurveFormat::Pdf;
}

std::string specifications(const std::vector<RunReport>& runs) {
  Json all = Json::array();
  for (const RunReport& report : runs) all.push_back(report.run.specification);
  const Json& content = all.size() == 1 ? all[0] : all;
  return content.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

const std::vector<ExportKind>& exportKinds() {
  static const std::vector<ExportKind> kinds = {
      {"table", "Results table", {"csv", "json", "md", "tex", "html", "txt"}},
      {"attacks", "Attacks and their cost", {"md", "csv", "json"}},
      {"roc", "ROC curves", {"csv", "json", "svg", "pdf"}},
      {"pr", "Precision-recall curves", {"csv", "json", "svg", "pdf"}},
      {"curves", "AUROC against the adversary's effort", {"csv", "json", "svg", "pdf"}},
      {"weights", "Figures against the weight of the logits", {"csv", "json", "svg", "pdf"}},
      {"scores", "Anomaly scores", {"npz", "csv", "json"}},
      {"images", "Images before and after", {"png", "npz"}},
      {"spec", "Specification", {"json"}},
      {"report", "Full report", {"html", "md"}},
      {"seeds", "Mean over seeds", {"md", "csv", "json"}},
  };
  return kinds;
}

ReportParts partsNeeded(const std::string& what) {
  kindNamed(what);
  const bool full = what == "report";
  ReportParts parts;
  parts.datasets = full || what == "seeds";
  parts.epochs = full;
  parts.curves = full || what == "roc" || what == "pr" || what == "curves";
  parts.results =
      parts.curves || what == "table" || what == "attacks" || what == "seeds" || what == "weights";
  parts.scores = full || what == "scores" || what == "attacks";
  parts.pairs = full || what == "images";
  return parts;
}

std::string exportRuns(const std::vector<RunReport>& runs, const std::string& what,
                       const std::string& format, const TableOptions& options) {
  const ExportKind& kind = kindNamed(what);
  checkFormat(kind, format);
  if (runs.empty()) throw Error::badInput("there are no runs to export", "export");
  if (what == "table") return writeTable(runs, tableFormat(format), options);
  if (what == "attacks") return writeAttackTable(runs, format, options.decimals);
  if (what == "roc" || what == "pr") return writeCurves(runs, what, curveFormat(format));
  if (what == "curves") return writeAurocCurves(runs, curveFormat(format));
  if (what == "weights") return writeWeightCurves(runs, curveFormat(format));
  if (what == "spec") return specifications(runs);
  if (what == "seeds") return writeOverSeeds(runs, format, options);
  if (what == "images") {
    return format == "png" ? encodePng(imageStrip(runs)) : writePairsNpz(runs);
  }
  if (what == "scores") {
    if (format == "npz") return writeScoresNpz(runs);
    return format == "csv" ? writeScoresCsv(runs) : writeScoresJson(runs);
  }
  if (format == "html") return writeHtmlReport(runs, options);
  ResultsPageOptions page;
  page.decimals = options.decimals;
  return resultsPage(runs, page);
}

}  // namespace bulwark
