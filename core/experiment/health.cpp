#include "core/experiment/health.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "core/base/text.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

Verdict judge(double value, double amber, double red) {
  if (!(value <= red)) return Verdict::Red;  // NaN is red
  return value <= amber ? Verdict::Green : Verdict::Amber;
}

/// Relative to the score or to the spread of all, whichever is larger.
double relativeDifference(const torch::Tensor& a, const torch::Tensor& b) {
  const double spread = b.numel() > 1 ? b.std(false).item<double>() : 0.0;
  const auto scale = torch::maximum(a.abs(), b.abs()).clamp_min(std::max(spread, 1e-12));
  return ((a - b).abs() / scale).max().item<double>();
}

}  // namespace

std::string toString(Verdict verdict) {
  switch (verdict) {
    case Verdict::Green:
      return "green";
    case Verdict::Amber:
      return "amber";
    case Verdict::Red:
      return "red";
    case Verdict::NotApplicable:
      return "not applicable";
  }
  return {};
}

Json HealthCheck::toJson() const {
  return {{"id", id},        {"title", title},         {"verdict", toString(verdict)},
          {"value", value},  {"threshold", threshold}, {"rule", rule},
          {"detail", detail}};
}

std::vector<HealthCheck> checkResults(const ScoreTable& scores,
                                      const std::vector<ResultRow>& rows) {
  HealthCheck h1{.id = "H1",
                 .title = "attacked never better than clean",
                 .rule = "per sample, the attacked score is at least as bad as the clean one"};
  bool attacked = false;
  for (const auto& set : scores.sets()) {
    if (set.attack.empty()) continue;
    attacked = true;
    const auto& clean = scores.at(set.detector, "", set.dataset, set.out).scores;
    const double direction = set.out ? -1.0 : 1.0;
    for (std::size_t i = 0; i < clean.size(); ++i) {
      const double gain = direction * (clean[i] - set.scores[i]);
      if (gain > h1.value) {
        h1.value = gain;
        h1.detail = set.attack + " on " + set.detector + ", " + set.dataset + ", image " +
                    std::to_string(i);
      }
    }
  }
  h1.verdict = attacked ? judge(h1.value, 0, 0) : Verdict::NotApplicable;

  HealthCheck h2{.id = "H2",
                 .title = "in_out <= min(in, out) <= clean",
                 .rule = "AUROC of every (detector, attack, out set), exact"};
  std::map<std::tuple<std::string, std::string, std::string>, std::map<std::string, double>> cells;
  for (const auto& row : rows) cells[{row.detector, row.attack, row.out}][row.setting] = row.auroc;
  bool any = false;
  for (const auto& [key, settings] : cells) {
    const auto& [detector, attack, out] = key;
    if (attack.empty()) continue;
    const auto check = [&, cell = detector + ", " + attack + ", " + out](
                           const std::map<std::string, double>& lowIn, const std::string& low,
                           const std::map<std::string, double>& highIn, const std::string& high) {
      if (!lowIn.contains(low) || !highIn.contains(high)) return;
      any = true;
      const double breach = lowIn.at(low) - highIn.at(high);
      if (breach > h2.value) {
        h2.value = breach;
        h2.detail = cell + ": " + low + " above " + high;
      }
    };
    const auto& clean = cells[{detector, "", out}];
    check(settings, "in_out", settings, "in");
    check(settings, "in_out", settings, "out");
    check(settings, "in", clean, "clean");
    check(settings, "out", clean, "clean");
  }
  h2.verdict = any ? judge(h2.value, 0, 0) : Verdict::NotApplicable;
  return {h1, h2};
}

std::vector<HealthCheck> checkAudits(const CellEvaluator& cells) {
  HealthCheck h6{.id = "H6",
                 .title = "stored images reproduce the stored score",
                 .value = cells.worstRescoring(),
                 .threshold = 1e-4,
                 .rule = "relative difference <= 1e-4 when scored afresh"};
  h6.verdict = judge(h6.value, 1e-4, 1e-3);
  HealthCheck h7{.id = "H7",
                 .title = "ball and box",
                 .value = cells.worstExcess(),
                 .threshold = 1e-6,
                 .rule = "norm of the change <= eps + 1e-6, pixels in [0, 1], no NaN"};
  h7.verdict = judge(h7.value, 1e-6, 1e-6);
  for (HealthCheck* check : {&h6, &h7}) {
    if (cells.auditedCells() == 0) check->verdict = Verdict::NotApplicable;
    if (cells.auditedCells() < cells.attackedCells()) {
      check->detail = "measured on " + std::to_string(cells.auditedCells()) + " of " +
                      std::to_string(cells.attackedCells()) +
                      " attacked sets; an earlier execution finished the others";
    }
  }
  return {h6, h7};
}

std::vector<HealthCheck> checkDetector(const FittedDetector& fitted, const ImageSet& in,
                                       const ScoreTable& scores, std::int64_t batchSize,
                                       const torch::Device& device, Task& task) {
  Detector& detector = *fitted.detector;
  const std::string suffix = " " + fitted.label;
  const std::int64_t count = std::min({std::int64_t{64}, in.size(), batchSize});
  const torch::Tensor images = toDevice(in.range(0, count), device);
  task.begin("health of " + fitted.label, 4, "checks");
  std::vector<HealthCheck> checks;
  torch::Tensor first;
  {
    const torch::NoGradGuard noGrad;
    first = detector.score(images).to(torch::kCPU, torch::kFloat64);
    double spread = 0.0;
    for (int i = 0; i < 4; ++i) {
      spread = std::max(
          spread,
          relativeDifference(detector.score(images).to(torch::kCPU, torch::kFloat64), first));
      task.checkpoint();
    }
    HealthCheck h10{.id = "H10" + suffix,
                    .title = "the score is deterministic",
                    .value = spread,
                    .threshold = 1e-4,
                    .rule = "five forwards differ by at most 1e-4"};
    h10.verdict = detector.traits().randomised ? Verdict::Amber : judge(spread, 1e-4, 1e-4);
    checks.push_back(h10);
    task.advance();

    const std::int64_t few = std::min<std::int64_t>(8, count);
    std::vector<torch::Tensor> single;
    for (std::int64_t i = few - 1; i >= 0; --i)
      single.push_back(detector.score(images.narrow(0, i, 1)));
    const auto alone = torch::cat(single).flip(0).to(torch::kCPU, torch::kFloat64);
    HealthCheck h12{.id = "H12" + suffix,
                    .title = "the score does not depend on the batch",
                    .value = relativeDifference(alone, first.narrow(0, 0, few)),
                    .threshold = 1e-4,
                    .rule = "one image alone against a batch, relative 1e-4"};
    h12.verdict = judge(h12.value, 1e-4, 1e-3);
    checks.push_back(h12);
    task.advance();
  }

  HealthCheck h14{.id = "H14" + suffix,
                  .title = "few equal scores",
                  .threshold = 0.1,
                  .rule = "share of repeated clean scores <= 0.1"};
  std::set<double> distinct;
  std::size_t total = 0;
  for (const auto& set : scores.sets()) {
    if (set.detector != fitted.label || !set.attack.empty()) continue;
    distinct.insert(set.scores.begin(), set.scores.end());
    total += set.scores.size();
  }
  h14.value =
      total == 0 ? 0.0 : 1.0 - static_cast<double>(distinct.size()) / static_cast<double>(total);
  h14.verdict = judge(h14.value, 0.1, 1.0);
  if (h14.verdict != Verdict::Green) h14.detail = "see the pessimistic and optimistic AUROC";
  checks.push_back(h14);
  task.advance();

  const torch::Tensor leaf = images.detach().clone().set_requires_grad(true);
  const torch::Tensor guide = detector.guide(leaf);
  HealthCheck h15{.id = "H15" + suffix,
                  .title = "gradients exist",
                  .threshold = 0.05,
                  .rule = "share of images with an exactly zero gradient: 0, red above 0.05"};
  if (!guide.requires_grad()) {
    h15.value = 1.0;
    h15.detail = "the score is not connected to the image";
  } else {
    const auto gradient = torch::autograd::grad({guide.sum()}, {leaf})[0].flatten(1);
    const auto size = gradient.abs().sum(1);
    h15.value = size.eq(0).to(torch::kFloat64).mean().item<double>();
    if (!torch::isfinite(size).all().item<bool>()) {
      h15.value = 1.0;
      h15.detail = "a gradient is not finite";
    }
  }
  h15.verdict = judge(h15.value, 0.0, 0.05);
  checks.push_back(h15);
  task.end();
  return checks;
}

std::string healthLine(const std::vector<HealthCheck>& checks) {
  std::map<Verdict, std::vector<std::string>> found;
  for (const auto& check : checks) found[check.verdict].push_back(check.id);
  std::string line = "health: " + std::to_string(found[Verdict::Green].size()) + " green";
  for (const auto verdict : {Verdict::Amber, Verdict::Red}) {
    if (found[verdict].empty()) continue;
    line += ", " + std::to_string(found[verdict].size()) + " " + toString(verdict) + " (" +
            join(found[verdict], ", ") + ")";
  }
  return line;
}

}  // namespace bulwark
