#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/report/run_report.h"

namespace bulwark {

/// What one attack did to one detector on one out set, and what that cost.
struct AttackRow {
  std::string detector, attack, out;
  std::string ball;  ///< "linf 8/255"; "none" where only the box [0,1] bounds the change
  std::optional<double> clean, in, outOnly, inOut;  ///< the metric in the four settings
  double forwards = 0, backwards = 0;               ///< propagations per attacked image
  double seconds = 0;                               ///< both sets, their scoring included
  bool red = false;  ///< a health check of the detector or of this attack is red
};

/// A row per (out set, detector, attack) of a run, in the order of its specification. The in set is
/// attacked once for all out sets; its cost counts in every row. Needs results and scores.
std::vector<AttackRow> attackRows(const RunReport& report, const std::string& metric = "auroc");

/// Formats "md", "csv" and "json", each with the health line of the run and, in Markdown, a dagger
/// at the rows with a red check. Throws `Error` (BadInput) when there is no attacked result.
std::string writeAttackTable(const std::vector<RunReport>& runs, const std::string& format,
                             int decimals);

/// A rule that attack strengths must obey, over all detectors and out sets of a run.
struct Ordering {
  std::string rule;  ///< "pgd (100 steps) <= pgd (10 steps)"
  int compared = 0, held = 0;
  double worst = 0;   ///< largest breach, in AUROC; 0 when it held everywhere
  std::string where;  ///< of the worst breach
};

/// The orderings that the attacks of a run allow to check, on AUROC in_out (peers.md H21, H5, H27
/// to H30; methods/attacks.md, last section): more steps or restarts of one attack are not weaker,
/// whatever their step sizes (as H4), iterative attacks are not weaker than FGSM, an ensemble is
/// not weaker than PGD, noise and random search are not stronger than FGSM, what needs no gradient
/// of the detector (square, simba, transfer) is not stronger than APGD and the longest PGD, and
/// eps = 1 leaves nothing. Only attacks in the same ball. `tolerance` in AUROC.
std::vector<Ordering> checkOrderings(const RunReport& report, double tolerance = 0.002);

}  // namespace bulwark
