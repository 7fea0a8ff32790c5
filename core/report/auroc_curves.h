#pragma once

#include <string>
#include <vector>

#include "core/report/curves.h"
#include "core/report/figure.h"
#include "core/report/run_report.h"

namespace bulwark {

/// Curves of the AUROC against what the adversary spends (`CurveRecord::kind` "auroc-epsilon",
/// "auroc-steps", "auroc-restarts", "auroc-propagations").

bool isAurocCurve(const CurveRecord& curve);

/// One figure per quantity and out set, for the hardest setting that was evaluated.
std::vector<Figure> aurocFigures(const std::vector<RunReport>& runs);

/// Every curve of every setting. Throws `Error` (BadInput) when the runs have none.
std::string writeAurocCurves(const std::vector<RunReport>& runs, CurveFormat format);

}  // namespace bulwark
