#include <algorithm>
#include <cmath>

#include "core/attacks/attack.h"
#include "core/base/text.h"
#include "core/experiment/curve_request.h"
#include "core/experiment/runner.h"

namespace bulwark {
namespace {

/// Images of a set before it is loaded: the limit, else what the catalogue says.
double imageCount(const DatasetRequest& request, const DatasetCatalogue& catalogue, bool train) {
  const auto limit = train ? request.trainLimit : request.testLimit;
  if (limit > 0) return static_cast<double>(limit);
  if (request.dataset.empty()) return 1000.0;
  const auto& info = catalogue.info(request.dataset);
  const auto count = train ? info.trainCount : info.testCount;
  return count > 0 ? static_cast<double>(count) : 1000.0;
}

std::string thousands(double value) {
  const std::string digits = formatFixed(value, 0);
  std::string grouped;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return grouped;
}

double passesOf(const Attack& attack) {
  return static_cast<double>(attack.forwardsPerImage() + attack.backwardsPerImage());
}

/// Forwards plus backwards per image that a curve needs, at most.
double passesOf(const CurveRequest& curve, const Specification& spec,
                const Registries& registries) {
  const ComponentRequest& request = attackOf(curve, spec);
  const std::size_t values = std::max<std::size_t>(1, curve.values.size());
  double total = 0.0, most = 0.0;
  bool oneRun = curve.over == "propagations";
  for (std::size_t i = 0; i < values; ++i) {
    const auto attack =
        registries.attacks.make(request.type, optionsAt(curve, request, i), "curves");
    if (curve.over == "steps") oneRun = attack->stepsAreNested();
    most = std::max(most, passesOf(*attack));
    total += passesOf(*attack);
  }
  return oneRun ? most : total;
}

}  // namespace

CostEstimate estimateCost(const Specification& spec, const Registries& registries,
                          const DatasetCatalogue& catalogue, const CostRates& rates) {
  CostEstimate estimate;
  if (!spec.network.type.empty()) {
    double passes = 1.0;
    if (spec.recipe.options.contains("steps")) {
      passes += spec.recipe.options.at("steps").get<double>();
    }
    const double epochs = spec.recipe.options.value("epochs", 1.0);
    estimate.trainingImages =
        imageCount(spec.in, catalogue, true) * (1.0 - spec.validationShare) * epochs * passes;
  }
  const auto& settings = spec.evaluation.settings;
  const auto wanted = [&](const char* name) {
    return std::find(settings.begin(), settings.end(), name) != settings.end();
  };
  double attacked = 0.0;
  if (wanted("in") || wanted("in_out")) attacked += imageCount(spec.in, catalogue, false);
  if (wanted("out") || wanted("in_out")) {
    for (const auto& out : spec.out) {
      if (out.optional && !out.dataset.empty() && !catalogue.status(out.dataset).installed)
        continue;
      attacked += imageCount(out, catalogue, false);
    }
  }
  const auto detectors = static_cast<double>(spec.detectors.size());
  for (const auto& curve : spec.curves) {
    estimate.attackPropagations += attacked * detectors * passesOf(curve, spec, registries);
  }
  for (const auto& request : spec.attacks) {
    const double passes =
        passesOf(*registries.attacks.make(request.type, request.options, "attacks"));
    estimate.attackPropagations += attacked * passes * detectors;
    if (!spec.network.type.empty()) {
      estimate.attackPropagations += imageCount(spec.in, catalogue, false) * passes;
    }
  }
  estimate.text = "training: " + thousands(estimate.trainingImages) +
                  " images forward and backward; attacks: at most " +
                  thousands(estimate.attackPropagations) + " image passes";
  const auto secondsOf = [](double work, double rate) {
    return work == 0.0 ? 0.0 : rate > 0.0 ? work / rate : std::nan("");
  };
  const double seconds = secondsOf(estimate.trainingImages, rates.trainingImages) +
                         secondsOf(estimate.attackPropagations, rates.attackPropagations);
  if (seconds > 0.0) {  // not where a rate is unknown
    estimate.seconds = seconds;
    estimate.text += "; at most about " + formatDuration(seconds) + " at the rate of earlier runs";
  }
  return estimate;
}

}  // namespace bulwark
