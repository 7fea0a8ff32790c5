#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bulwark {

// Averages over runs, classes and out sets ----------------------------------------------------

/// All throw `Error` (BadInput) on an empty input; the sample values need two.
double mean(std::span<const double> values);
double populationSd(std::span<const double> values);   ///< divides by n
double sampleSd(std::span<const double> values);       ///< divides by n - 1; Bulwark's "+-"
double standardError(std::span<const double> values);  ///< sampleSd / sqrt(n)

/// One in set against several out sets: the two averages differ when the sets differ in size.
struct AurocOverSets {
  std::vector<double> each;
  double mean = 0.0;    ///< unweighted, as ATD and COBRA tabulate
  double pooled = 0.0;  ///< all out images together
};

AurocOverSets aurocOverSets(std::span<const double> in,
                            const std::vector<std::vector<double>>& outs);

// Bounds that every correct table keeps -------------------------------------------------------

/// Figures of one row, in [0, 1]; what is not known stays empty.
struct ReportedRow {
  std::optional<double> auroc;
  std::optional<double> fpr95Id, fpr95Ood;
  std::optional<double> detectionAccuracy;  ///< with equal priors
};

/// AUROC of one detector, attack and out set in the four settings.
struct ReportedSettings {
  std::optional<double> clean, in, out, inOut;
};

/// A bound that does not hold, e.g. "AUROC 0.91 is above 1 - 0.05 FPR = 0.90".
struct BoundViolation {
  std::string bound;  ///< "auroc <= 1 - 0.05 fpr95_id"
  std::string text;   ///< with the values
  double excess = 0;  ///< by how much, > 0
};

/// 0.95 (1 - FPR) <= AUROC <= 1 - 0.05 FPR for both conventions and, with detection accuracy d,
/// 2d - 1 <= AUROC <= 1 - 2 (1 - d)^2. The upper FPR bound presumes that few scores are tied: a
/// tie across the 95 % point puts an oblique piece into the ROC curve. `tolerance` allows for
/// rounded figures (half a unit of the last printed digit of each).
std::vector<BoundViolation> checkBounds(const ReportedRow& row, double tolerance = 1e-9);
/// in_out <= min(in, out) and in, out <= clean: an attack that keeps the best point per sample,
/// the clean one included, cannot break it.
std::vector<BoundViolation> checkBounds(const ReportedSettings& settings, double tolerance = 0.0);

}  // namespace bulwark
