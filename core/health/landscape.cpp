#include "core/health/landscape.h"

#include <algorithm>
#include <cmath>

#include "core/attacks/ball.h"
#include "core/base/text.h"
#include "core/detectors/declarations.h"

namespace bulwark {
namespace {

constexpr std::int64_t kImages = 8;
constexpr std::int64_t kDirections = 4;
constexpr std::int64_t kPoints = 100;

torch::Tensor few(const Target& target) {
  return target.images.narrow(0, 0, std::min(kImages, target.images.size(0)));
}

/// Uniform in [-1, 1], shaped like `images`, on their device.
torch::Tensor noiseLike(const torch::Tensor& images, Seed seed) {
  Random random(seed);
  auto noise = torch::empty(images.sizes(), torch::kFloat32);
  auto* data = noise.data_ptr<float>();
  for (std::int64_t i = 0; i < noise.numel(); ++i) {
    data[i] = static_cast<float>(2.0 * random.uniform() - 1.0);
  }
  return noise.to(images.device());
}

torch::Tensor scoreOf(Detector& detector, const torch::Tensor& images) {
  const torch::NoGradGuard noGrad;
  return detector.score(images).to(torch::kCPU, torch::kFloat64);
}

double spreadOf(const torch::Tensor& scores) {
  return scores.numel() > 1 ? scores.std(false).item<double>() : 0.0;
}

}  // namespace

std::optional<torch::Tensor> guideGradient(Detector& detector, const torch::Tensor& images) {
  const torch::AutoGradMode withGraph(true);
  const torch::Tensor leaf = images.detach().clone().set_requires_grad(true);
  const torch::Tensor guide = detector.guide(leaf);
  if (!guide.requires_grad()) return std::nullopt;
  const auto gradient = torch::autograd::grad({guide.sum()}, {leaf}, {}, {}, false,
                                              /*allow_unused=*/true)[0];
  if (!gradient.defined()) return std::nullopt;
  return gradient;
}

HealthCheck checkDerivatives(const HealthThresholds& thresholds, const Target& target, Seed seed) {
  if (followsSurrogate(target.detector.traits())) {
    return notApplicable("H16", target.label, "attacks follow a surrogate of the score");
  }
  // Equal neighbours (a plain background) sit on the kinks of maximum pooling, where derivatives
  // differ by side: a little noise moves the images off them.
  const auto clean = few(target);
  const auto images =
      (0.01 + 0.98 * clean + 0.01 * noiseLike(clean, seed.child("jitter"))).detach();
  const auto gradient = guideGradient(target.detector, images);
  if (!gradient) return notApplicable("H16", target.label, "there is no gradient, see H15");
  const torch::NoGradGuard noGrad;
  const auto slope = gradient->detach();
  const auto norms = rowNorms(slope).clamp_min(1e-30);
  const auto scores = scoreOf(target.detector, images);
  const double scale = std::max(scores.abs().mean().item<double>(), spreadOf(scores));
  // A step that changes the score by about a thousandth: far above float32 rounding, and short
  // enough to meet few kinks.
  const auto step = (1e-3 * scale / norms).clamp(1e-4, 5e-2);
  std::vector<double> errors;
  for (std::int64_t d = 0; d < kDirections; ++d) {
    const auto noise = noiseLike(images, seed.child(static_cast<std::uint64_t>(d)));
    auto direction = slope / perRow(norms) + noise / perRow(rowNorms(noise));
    direction = direction / perRow(rowNorms(direction).clamp_min(1e-30));
    const auto expected = (slope * direction).flatten(1).sum(1).to(torch::kCPU, torch::kFloat64);
    const auto measure = [&](double factor) {
      const auto offset = direction * perRow(step * factor);
      const auto rise =
          scoreOf(target.detector, images + offset) - scoreOf(target.detector, images - offset);
      return rise / (2.0 * factor * step).to(torch::kCPU, torch::kFloat64);
    };
    const auto whole = measure(1.0), half = measure(0.5);
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      const double a = whole[i].item<double>(), b = half[i].item<double>();
      const double g = expected[i].item<double>();
      const double size = std::max({std::abs(a), std::abs(b), std::abs(g)});
      if (g == 0.0 && norms[i].item<double>() < 1e-20) continue;  // no gradient: H15 speaks of it
      if (size < 1e-12 * std::max(scale, 1e-12)) {
        errors.push_back(0.0);  // flat by both accounts
        continue;
      }
      if (std::abs(a - b) > 1e-2 * size) continue;  // a kink between the points
      errors.push_back(std::abs(b - g) / size);
    }
  }
  if (errors.size() < 4) {
    return notApplicable("H16", target.label, "no smooth stretch was found to measure on");
  }
  std::sort(errors.begin(), errors.end());
  return judged(thresholds, "H16", target.label, errors[errors.size() / 2],
                "largest " + formatFixed(errors.back(), 4) + " over " +
                    std::to_string(errors.size()) + " smooth directions");
}

HealthCheck checkSmoothness(const HealthThresholds& thresholds, const Target& target, Seed seed,
                            Task& task) {
  const auto images = few(target);
  const auto scores = scoreOf(target.detector, images);
  const double spread = std::max(spreadOf(scores), 1e-12);
  double sum = 0.0;
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    task.checkpoint();
    auto points = images.narrow(0, i, 1).expand({kPoints, -1, -1, -1}).contiguous();
    const auto noise = noiseLike(points, seed.child(static_cast<std::uint64_t>(i)));
    points = (points + noise * (8.0 / 255.0)).clamp(0.0, 1.0);
    const double score = scores[i].item<double>();
    const auto change =
        (scoreOf(target.detector, points) - score).abs() / std::max(std::abs(score), spread);
    sum += change.clamp_max(1.0).mean().item<double>();
  }
  return judged(thresholds, "H17", target.label, sum / static_cast<double>(images.size(0)));
}

HealthCheck checkQuantisation(const HealthThresholds& thresholds, const Target& target, Seed seed) {
  if (target.detector.traits().quantised) {
    auto check = judged(thresholds, "H20", target.label, 1.0, "the detector declares it");
    if (!surrogateOf(target.detector).empty()) {
      check.verdict = Verdict::Amber;
      check.detail += "; followed instead: " + surrogateOf(target.detector);
    }
    return check;
  }
  // Away from the borders of the box, so that nothing is clipped.
  const auto images = few(target).clamp(0.05, 0.95);
  const auto sign = noiseLike(images, seed).sign();
  const auto scores = scoreOf(target.detector, images);
  const auto tiny = scoreOf(target.detector, images + 1e-4 * sign);
  const auto visible = scoreOf(target.detector, images + (2.0 / 255.0) * sign);
  const auto deaf = tiny.eq(scores).logical_and(visible.ne(scores));
  return judged(thresholds, "H20", target.label, deaf.to(torch::kFloat64).mean().item<double>());
}

}  // namespace bulwark
