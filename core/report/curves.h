#pragma once

#include <string>
#include <vector>

#include "core/report/figure.h"
#include "core/report/run_report.h"

namespace bulwark {

enum class CurveFormat { Csv, Json, Svg, Pdf };

/// Curves of one kind ("roc" or "pr") of all runs. Csv and Json hold every point; Svg and Pdf one
/// figure per out set, clean lines solid and attacked ones (setting in_out) dashed. Throws `Error`
/// (BadInput) when there are no such curves.
std::string writeCurves(const std::vector<RunReport>& runs, const std::string& kind,
                        CurveFormat format);

/// One figure per out set: every detector (and run), clean and in_out.
std::vector<Figure> curveFigures(const std::vector<RunReport>& runs, const std::string& kind);

/// One figure per detector and out set: outlines of in and out scores, clean and attacked, as
/// shares per bin on common bins. Saturated scores stand where their attack stopped.
std::vector<Figure> histogramFigures(const RunReport& run, int bins = 40);

/// One figure per unit of the training metrics: losses, and accuracies.
std::vector<Figure> trainingFigures(const RunReport& run);

}  // namespace bulwark
