#include "core/report/curves.h"
#include "core/report/curve_format.h"
#include "core/report/nothing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/report/escape.h"

namespace bulwark {
namespace {

std::vector<std::pair<const RunReport*, const CurveRecord*>> curvesOf(
    const std::vector<RunReport>& runs, const std::string& kind) {
  std::vector<std::pair<const RunReport*, const CurveRecord*>> found;
  for (const RunReport& report : runs) {
    for (const CurveRecord& curve : report.curves) {
      if (curve.kind == kind) found.emplace_back(&report, &curve);
    }
  }
  if (!found.empty()) return found;
  throw nothingToReport("there are no " + kind + " curves to export", runs,
                        "choose runs that have finished at least one evaluation");
}

std::string curvesCsv(const std::vector<RunReport>& runs, const std::string& kind) {
  const bool roc = kind == "roc";
  std::string text = std::string("run,run_name,detector,attack,setting,out,") +
                     (roc ? "fpr,tpr\n" : "recall,precision\n");
  for (const auto& [report, curve] : curvesOf(runs, kind)) {
    const std::string head = std::to_string(report->run.id) + "," + csvField(report->run.name) +
                             "," + csvField(curve->detector) + "," + csvField(curve->attack) + "," +
                             csvField(curve->setting) + "," + csvField(curve->out) + ",";
    for (std::size_t k = 0; k < std::min(curve->x.size(), curve->y.size()); ++k) {
      text += head + formatNumber(curve->x[k]) + "," + formatNumber(curve->y[k]) + "\n";
    }
  }
  return text;
}

std::string curvesJson(const std::vector<RunReport>& runs, const std::string& kind) {
  const bool roc = kind == "roc";
  Json records = Json::array();
  for (const auto& [report, curve] : curvesOf(runs, kind)) {
    records.push_back({{"run", report->run.id},
                       {"run_name", report->run.name},
                       {"detector", curve->detector},
                       {"attack", curve->attack.empty() ? Json(nullptr) : Json(curve->attack)},
                       {"setting", curve->setting},
                       {"out", curve->out},
                       {roc ? "fpr" : "recall", curve->x},
                       {roc ? "tpr" : "precision", curve->y}});
  }
  return records.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Area beside the name, where the result of the same row is known.
std::string withArea(const std::string& name, const RunReport& report, const CurveRecord& curve) {
  for (const ResultRow& row : report.results) {
    if (row.detector == curve.detector && row.attack == curve.attack &&
        row.setting == curve.setting && row.out == curve.out) {
      return name + " " + formatFixed(curve.kind == "roc" ? row.auroc : row.auprOut, 3);
    }
  }
  return name;
}

/// Outline of a histogram: shares per bin as a staircase from and to zero.
FigureSeries outline(const std::vector<double>& scores, double low, double width, int bins) {
  std::vector<double> counts(static_cast<std::size_t>(bins), 0.0);
  for (double score : scores) {
    const auto bin = static_cast<int>(std::floor((score - low) / width));
    ++counts[static_cast<std::size_t>(std::clamp(bin, 0, bins - 1))];
  }
  FigureSeries series;
  const auto add = [&](double x, double y) {
    series.x.push_back(x);
    series.y.push_back(y);
  };
  add(low, 0.0);
  for (int bin = 0; bin < bins; ++bin) {
    const double share = counts[static_cast<std::size_t>(bin)] / static_cast<double>(scores.size());
    add(low + bin * width, share);
    add(low + (bin + 1) * width, share);
  }
  add(low + bins * width, 0.0);
  return series;
}

std::vector<double> finite(const std::vector<double>& values) {
  std::vector<double> kept;
  std::copy_if(values.begin(), values.end(), std::back_inserter(kept),
               [](double value) { return std::isfinite(value); });
  return kept;
}

}  // namespace

std::vector<Figure> curveFigures(const std::vector<RunReport>& runs, const std::string& kind) {
  std::vector<Figure> figures;
  std::vector<std::string> outs;  // of the figures
  std::map<std::pair<const RunReport*, std::string>, int> colours;
  const bool roc = kind == "roc";
  for (const auto& [report, curve] : curvesOf(runs, kind)) {
    if (curve->setting != "clean" && curve->setting != "in_out") continue;
    const auto known = std::find(outs.begin(), outs.end(), curve->out);
    auto figure = figures.begin() + (known - outs.begin());
    if (figure == figures.end()) {
      Figure fresh;
      fresh.title = (roc ? "ROC against: " : "Precision-recall against: ") + curve->out;
      fresh.xLabel = roc ? "False positive rate" : "Recall of out";
      fresh.yLabel = roc ? "True positive rate (out)" : "Precision of out";
      fresh.unitSquare = true;
      fresh.diagonal = roc;
      outs.push_back(curve->out);
      figures.push_back(fresh);
      figure = figures.end() - 1;
    }
    const auto key = std::pair(report, curve->detector);
    const int colour = colours.try_emplace(key, static_cast<int>(colours.size())).first->second;
    FigureSeries series;
    series.name = curve->detector + ", " + attackTitle(curve->attack);
    if (runs.size() > 1) series.name = runTitle(report->run) + ", " + series.name;
    series.name = withArea(series.name, *report, *curve);
    series.x = curve->x;
    series.y = curve->y;
    series.colour = colour;
    series.dashed = !curve->attack.empty();
    figure->series.push_back(std::move(series));
  }
  if (figures.empty()) {
    throw Error::badInput("the " + kind + " curves have neither clean nor in_out settings",
                          "report", "evaluate one of these settings");
  }
  return figures;
}

std::string writeCurves(const std::vector<RunReport>& runs, const std::string& kind,
                        CurveFormat format) {
  if (kind != "roc" && kind != "pr") {
    throw Error::badInput("'" + kind + "' is no kind of curve", "report", "expected roc or pr");
  }
  return writeAs(format,
                 {[&] { return curvesCsv(runs, kind); }, [&] { return curvesJson(runs, kind); },
                  [&] { return curveFigures(runs, kind); }});
}

std::vector<Figure> histogramFigures(const RunReport& run, int bins) {
  std::vector<std::pair<std::string, std::string>> panels;  // detector, out set
  for (const ScoreSet& set : run.scores) {
    const std::pair panel(set.detector, set.dataset);
    if (set.out && std::find(panels.begin(), panels.end(), panel) == panels.end()) {
      panels.push_back(panel);
    }
  }
  std::vector<Figure> figures;
  for (const auto& [detector, out] : panels) {
    std::vector<std::pair<const ScoreSet*, std::vector<double>>> sets;
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (const ScoreSet& set : run.scores) {
      if (set.detector != detector || (set.out && set.dataset != out)) continue;
      std::vector<double> scores = finite(set.scores);
      if (scores.empty()) continue;
      low = std::min(low, *std::min_element(scores.begin(), scores.end()));
      high = std::max(high, *std::max_element(scores.begin(), scores.end()));
      sets.emplace_back(&set, std::move(scores));
    }
    if (sets.empty()) continue;
    const double width = high > low ? (high - low) / bins : 1.0 / bins;
    Figure figure;
    figure.title = detector + ": scores against " + out;
    figure.xLabel = "Anomaly score";
    figure.yLabel = "Share of images per bin";
    figure.yFromZero = true;
    for (const auto& [set, scores] : sets) {
      FigureSeries series = outline(scores, low, width, bins);
      series.name = set->dataset + (set->out ? " (out), " : " (in), ") + attackTitle(set->attack);
      series.colour = set->out ? 1 : 0;
      series.dashed = !set->attack.empty();
      figure.series.push_back(std::move(series));
    }
    figures.push_back(std::move(figure));
  }
  return figures;
}

std::vector<Figure> trainingFigures(const RunReport& run) {
  Figure losses;
  losses.title = "Training loss";
  losses.xLabel = "Epoch";
  losses.yLabel = "Loss";
  Figure accuracies;
  accuracies.title = "Training accuracy";
  accuracies.xLabel = "Epoch";
  accuracies.yLabel = "Accuracy";
  for (const EpochMetric& metric : run.epochs) {
    const bool loss = metric.name.find("loss") != std::string::npos;
    const bool accuracy = metric.name.find("acc") != std::string::npos;
    if ((!loss && !accuracy) || !std::isfinite(metric.value)) continue;
    Figure& figure = loss ? losses : accuracies;
    const std::string name = metric.phase + ": " + metric.name;
    auto series = std::find_if(figure.series.begin(), figure.series.end(),
                               [&](const FigureSeries& s) { return s.name == name; });
    if (series == figure.series.end()) {
      figure.series.push_back({name, {}, {}, static_cast<int>(figure.series.size()), false});
      series = figure.series.end() - 1;
    }
    series->x.push_back(static_cast<double>(metric.epoch));
    series->y.push_back(metric.value);
  }
  std::vector<Figure> figures;
  for (Figure& figure : {std::ref(losses), std::ref(accuracies)}) {
    if (!figure.series.empty()) figures.push_back(figure);
  }
  return figures;
}

}  // namespace bulwark
