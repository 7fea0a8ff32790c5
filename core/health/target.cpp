#include "core/health/target.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/text.h"
#include "core/health/landscape.h"
#include "core/nn/network.h"

namespace bulwark {
namespace {

torch::Tensor plainScore(Detector& detector, const torch::Tensor& images) {
  const torch::NoGradGuard noGrad;
  return detector.score(images).to(torch::kCPU, torch::kFloat64);
}

/// H10: five forwards of the same batch.
HealthCheck deterministic(const HealthThresholds& thresholds, const Target& target,
                          const torch::Tensor& first, Task& task) {
  double worst = 0.0;
  for (int i = 0; i < 4; ++i) {
    worst = std::max(worst, relativeDifference(plainScore(target.detector, target.images), first));
    task.checkpoint();
  }
  auto check = judged(thresholds, "H10", target.label, worst);
  if (target.detector.traits().randomised) {
    check.verdict = Verdict::Amber;
    check.forced = true;
    check.detail = "the detector is random by design";
  }
  return check;
}

/// H11: training mode would make scores depend on the batch and change the network as it scores.
HealthCheck unchanged(const HealthThresholds& thresholds, const Target& target) {
  if (!target.classifier) return notApplicable("H11", target.label, "there is no network");
  std::vector<torch::Tensor> before;
  for (const auto& buffer : target.classifier->buffers()) before.push_back(buffer.clone());
  plainScore(target.detector, target.images);
  const auto after = target.classifier->buffers();
  int training = target.classifier->is_training(), changed = 0;
  for (const auto& module : target.classifier->modules(/*include_self=*/false)) {
    training += module->is_training();
  }
  for (std::size_t i = 0; i < after.size(); ++i) changed += !torch::equal(before[i], after[i]);
  std::string detail;
  if (training > 0) detail = std::to_string(training) + " modules are in training mode";
  if (changed > 0) {
    detail += (detail.empty() ? "" : ", ") + std::to_string(changed) + " buffers changed";
  }
  return judged(thresholds, "H11", target.label, training + changed, detail);
}

/// H12: eight images, last first, each alone.
HealthCheck independent(const HealthThresholds& thresholds, const Target& target,
                        const torch::Tensor& first) {
  const std::int64_t few = std::min<std::int64_t>(8, target.images.size(0));
  std::vector<torch::Tensor> single;
  try {
    for (std::int64_t i = few - 1; i >= 0; --i) {
      single.push_back(plainScore(target.detector, target.images.narrow(0, i, 1)));
    }
  } catch (const c10::Error&) {
    return judged(thresholds, "H12", target.label, std::numeric_limits<double>::infinity(),
                  "one image alone cannot be scored");
  }
  const auto alone = torch::cat(single).flip(0);
  return judged(thresholds, "H12", target.label,
                relativeDifference(alone, first.narrow(0, 0, few)));
}

/// H13: attacks on a saturated probability see no gradient; its logit carries the same ranks.
HealthCheck probability(const HealthThresholds& thresholds, const Target& target) {
  if (target.classifier) {
    const torch::NoGradGuard noGrad;
    const auto outputs = target.classifier->forward(target.images).to(torch::kFloat64);
    const bool inside = outputs.min().item<double>() >= 0.0 && outputs.max().item<double>() <= 1.0;
    if (inside && (outputs.sum(1) - 1.0).abs().max().item<double>() < 1e-4) {
      return judged(thresholds, "H13", target.label, 1.0, "the network ends in a softmax");
    }
  }
  const auto& scores = target.scores;
  if (scores.empty()) return notApplicable("H13", target.label, "there are no clean scores");
  const bool inside = std::all_of(scores.begin(), scores.end(),
                                  [](double score) { return score >= 0.0 && score <= 1.0; });
  const auto atEnd = std::count_if(scores.begin(), scores.end(),
                                   [](double score) { return score < 1e-6 || score > 1.0 - 1e-6; });
  const double share = inside ? static_cast<double>(atEnd) / static_cast<double>(scores.size()) : 0;
  return judged(thresholds, "H13", target.label, share,
                share > 0 ? "attack the score before the sigmoid or softmax" : "");
}

/// H14: ties make AUROC depend on how they are counted.
HealthCheck fewTies(const HealthThresholds& thresholds, const Target& target) {
  const auto& scores = target.scores;
  if (scores.empty()) return notApplicable("H14", target.label, "there are no clean scores");
  const std::set<double> distinct(scores.begin(), scores.end());
  const auto total = static_cast<double>(scores.size());
  const double repeated = 1.0 - static_cast<double>(distinct.size()) / total;
  auto check = judged(thresholds, "H14", target.label, repeated);
  for (const double extreme : {*distinct.begin(), *distinct.rbegin()}) {
    const auto count = std::count(scores.begin(), scores.end(), extreme);
    if (count < 2 || static_cast<double>(count) <= 0.01 * total) continue;
    if (check.verdict == Verdict::Green) check.verdict = Verdict::Amber;
    check.forced = true;
    check.detail =
        std::to_string(count) + " images share the extreme score " + formatNumber(extreme) + "; ";
  }
  if (check.verdict != Verdict::Green) check.detail += "see the pessimistic and optimistic AUROC";
  return check;
}

/// The histogram of log10 of the gradient norms, zeros left out.
HealthSeries histogram(const std::string& label, const torch::Tensor& norms) {
  HealthSeries series{.kind = "gradient_norms", .detector = label, .attack = "", .set = "in"};
  const auto values = norms.index({norms > 0}).log10();
  if (values.numel() == 0) return series;
  constexpr double kWidth = 0.25;
  const auto bins = (values / kWidth).floor().to(torch::kInt64);
  const auto first = bins.min().item<std::int64_t>(), last = bins.max().item<std::int64_t>();
  for (std::int64_t bin = first; bin <= last; ++bin) {
    series.x.push_back((static_cast<double>(bin) + 0.5) * kWidth);
    series.y.push_back(bins.eq(bin).sum().item<double>());
  }
  return series;
}

/// H15: an attack that follows gradients needs some, on the images of every set and all the way.
HealthCheck gradientsExist(const HealthThresholds& thresholds, const Target& target,
                           const std::optional<torch::Tensor>& gradient) {
  if (!gradient) {
    return judged(thresholds, "H15", target.label, 1.0, "the score is not connected to the image");
  }
  double worst = 0.0;
  bool allFinite = true;
  std::string where;
  const auto take = [&](double share, const std::string& set) {
    if (share <= worst) return;
    worst = share;
    where = set;
  };
  const auto inspect = [&](const torch::Tensor& gradients, const std::string& set) {
    const auto size = gradients.flatten(1).abs().sum(1);
    const auto finite = torch::isfinite(size);
    take(size.eq(0).logical_or(finite.logical_not()).to(torch::kFloat64).mean().item<double>(),
         set);
    allFinite = allFinite && finite.all().item<bool>();
  };
  inspect(*gradient, "clean in images");
  for (const auto& [name, images] : target.outs) {
    if (const auto outward = guideGradient(target.detector, images)) inspect(*outward, name);
  }
  for (const auto& [name, share] : target.zeroGradients) take(share, name);
  std::string detail;
  if (worst > 0.0) detail = "most on " + where;
  if (!allFinite) detail += "; a gradient is not finite";
  auto check = judged(thresholds, "H15", target.label, worst, detail);
  if (!allFinite) {
    check.verdict = Verdict::Red;
    check.forced = true;
  }
  return check;
}

}  // namespace

double relativeDifference(const torch::Tensor& a, const torch::Tensor& b) {
  const double spread = b.numel() > 1 ? b.std(false).item<double>() : 0.0;
  const auto scale = torch::maximum(a.abs(), b.abs()).clamp_min(std::max(spread, 1e-12));
  return ((a - b).abs() / scale).max().item<double>();
}

HealthReport checkTarget(const HealthThresholds& thresholds, const Target& target, Seed seed,
                         Task& task) {
  HealthReport report;
  auto& checks = report.checks;
  task.begin("health of " + target.label, 9, "checks");
  const auto add = [&](HealthCheck check) {
    checks.push_back(std::move(check));
    task.advance();
  };
  const auto first = plainScore(target.detector, target.images);
  add(deterministic(thresholds, target, first, task));
  const bool random = checks.back().verdict != Verdict::Green;
  add(unchanged(thresholds, target));
  add(random ? notApplicable("H12", target.label, "the score is random, see H10")
             : independent(thresholds, target, first));
  const bool alone = !random && checks.back().verdict != Verdict::Red;
  add(probability(thresholds, target));
  add(fewTies(thresholds, target));

  const auto gradient = guideGradient(target.detector, target.images);
  add(gradientsExist(thresholds, target, gradient));
  if (gradient) {
    const auto norms = gradient->flatten(1).norm(2, 1).to(torch::kCPU, torch::kFloat64);
    report.series.push_back(histogram(target.label, norms));
  }
  // The landscape is measured on batches of altered images, one score at a time.
  const std::string why =
      random ? "the score is random, see H10" : "the score depends on the batch, see H12";
  if (alone) {
    add(checkDerivatives(thresholds, target, seed.child("derivatives")));
    add(checkSmoothness(thresholds, target, seed.child("smoothness"), task));
  } else {
    add(notApplicable("H16", target.label, why));
    add(notApplicable("H17", target.label, why));
  }
  const bool dynamic = target.detector.traits().optimisesAtInference;
  checks.push_back(judged(thresholds, "H18", target.label, dynamic,
                          dynamic ? "attack it through a second backward pass or a surrogate, and "
                                    "with a black box"
                                  : ""));
  add(alone ? checkQuantisation(thresholds, target, seed.child("quantisation"))
            : notApplicable("H20", target.label, why));
  task.end();
  return report;
}

HealthCheck checkOutputCount(const HealthThresholds& thresholds,
                             const std::vector<AttackFacts>& attacks, std::int64_t classes) {
  if (classes == 0) return notApplicable("H19", "", "there is no classifier");
  int short_ = 0;
  bool any = false;
  std::string detail;
  for (const auto& attack : attacks) {
    const std::string loss = attack.options.value("loss", std::string());
    if (loss != "dlr" && loss != "targeted") continue;
    any = true;
    const std::int64_t needed = loss == "dlr" ? 3 : 4;
    if (classes >= needed) continue;
    ++short_;
    detail = attack.label + " needs " + std::to_string(needed) + " classes, there are " +
             std::to_string(classes);
  }
  return any ? judged(thresholds, "H19", "", short_, detail)
             : notApplicable("H19", "", "no attack's loss depends on the number of classes");
}

}  // namespace bulwark
