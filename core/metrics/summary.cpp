#include "core/metrics/summary.h"

#include <cmath>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/metrics/roc.h"

namespace bulwark {
namespace {

void needAtLeast(std::span<const double> values, std::size_t count, const char* what) {
  if (values.size() >= count) return;
  throw Error::badInput(
      std::string("a ") + what + " of " + std::to_string(values.size()) + " values", "metrics",
      "expected at least " + std::to_string(count));
}

double squaredDeviations(std::span<const double> values) {
  const double average = mean(values);
  double sum = 0.0;
  for (double value : values) sum += (value - average) * (value - average);
  return sum;
}

class BoundCheck {
 public:
  explicit BoundCheck(double tolerance) : tolerance_(tolerance) {}

  void atMost(const std::string& leftName, std::optional<double> left, const std::string& rightName,
              std::optional<double> right) {
    // Not a number: not defined, as the AUROC of an attack that stops at a threshold.
    if (!left || !right || std::isnan(*left) || std::isnan(*right)) return;
    if (*left <= *right + tolerance_) return;
    violations_.push_back({leftName + " <= " + rightName,
                           leftName + " = " + formatFixed(*left, 4) + " is above " + rightName +
                               " = " + formatFixed(*right, 4),
                           *left - *right});
  }

  std::vector<BoundViolation> take() { return std::move(violations_); }

 private:
  double tolerance_;
  std::vector<BoundViolation> violations_;
};

}  // namespace

double mean(std::span<const double> values) {
  needAtLeast(values, 1, "mean");
  double sum = 0.0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double populationSd(std::span<const double> values) {
  needAtLeast(values, 1, "population standard deviation");
  return std::sqrt(squaredDeviations(values) / static_cast<double>(values.size()));
}

double sampleSd(std::span<const double> values) {
  needAtLeast(values, 2, "sample standard deviation");
  return std::sqrt(squaredDeviations(values) / static_cast<double>(values.size() - 1));
}

double standardError(std::span<const double> values) {
  return sampleSd(values) / std::sqrt(static_cast<double>(values.size()));
}

AurocOverSets aurocOverSets(std::span<const double> in,
                            const std::vector<std::vector<double>>& outs) {
  AurocOverSets result;
  std::vector<double> all;
  for (const auto& out : outs) {
    result.each.push_back(auroc(in, out));
    all.insert(all.end(), out.begin(), out.end());
  }
  result.mean = mean(result.each);
  result.pooled = auroc(in, all);
  return result;
}

std::vector<BoundViolation> checkBounds(const ReportedRow& row, double tolerance) {
  BoundCheck check(tolerance);
  const auto fprBounds = [&](const std::string& name, std::optional<double> fpr) {
    if (!fpr) return;
    check.atMost("0.95 (1 - " + name + ")", 0.95 * (1.0 - *fpr), "auroc", row.auroc);
    check.atMost("auroc", row.auroc, "1 - 0.05 " + name, 1.0 - 0.05 * *fpr);
  };
  fprBounds("fpr95_id", row.fpr95Id);
  fprBounds("fpr95_ood", row.fpr95Ood);
  if (row.detectionAccuracy) {
    const double d = *row.detectionAccuracy;
    check.atMost("2 detection_accuracy - 1", 2.0 * d - 1.0, "auroc", row.auroc);
    check.atMost("auroc", row.auroc, "1 - 2 (1 - detection_accuracy)^2",
                 1.0 - 2.0 * (1.0 - d) * (1.0 - d));
  }
  return check.take();
}

std::vector<BoundViolation> checkBounds(const ReportedSettings& settings, double tolerance) {
  BoundCheck check(tolerance);
  check.atMost("in", settings.in, "clean", settings.clean);
  check.atMost("out", settings.out, "clean", settings.clean);
  check.atMost("in_out", settings.inOut, "in", settings.in);
  check.atMost("in_out", settings.inOut, "out", settings.out);
  check.atMost("in_out", settings.inOut, "clean", settings.clean);
  return check.take();
}

}  // namespace bulwark
