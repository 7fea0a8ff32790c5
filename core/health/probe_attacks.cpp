#include "core/health/probe_attacks.h"

#include <algorithm>
#include <numeric>

#include "core/attacks/resources.h"
#include "core/detectors/detector_objective.h"
#include "core/detectors/score_set.h"
#include "core/health/landscape.h"
#include "core/metrics/roc.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

std::vector<double> toVector(const torch::Tensor& values) {
  const auto flat = values.to(torch::kCPU, torch::kFloat64).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

}  // namespace

ProbeAttacks::ProbeAttacks(const ProbeSetting& setting, Seed seed, Task& task)
    : setting_(setting), seed_(seed), task_(task) {
  cleanIn_ = score(setting.in);
  cleanOut_ = score(setting.out);
  const auto one = toDevice(setting.in.narrow(0, 0, 1), setting.device);
  connected_ = guideGradient(setting.detector, one).has_value();
}

std::vector<double> ProbeAttacks::score(const torch::Tensor& images, Detector* detector) {
  task_.begin("score " + setting_.label, images.size(0), "images");
  const auto scores = scoreImages(detector ? *detector : setting_.detector, images, setting_.device,
                                  setting_.batchSize, task_);
  task_.end();
  return toVector(scores);
}

std::unique_ptr<Attack> ProbeAttacks::variant(const Json& changes) const {
  Json options = setting_.reference.options;
  for (const auto& [key, value] : changes.items()) {
    if (options.contains(key)) options[key] = value;
  }
  return setting_.registries.attacks.make(setting_.reference.type, options, "health");
}

AttackResult ProbeAttacks::attackOne(const Attack& attack, Detector& detector,
                                     const torch::Tensor& images, bool out, const std::string& name,
                                     const std::vector<std::int64_t>& times) {
  const int direction = out ? -1 : 1;
  if (&detector == &setting_.detector && !connected_ && attack.backwardsPerImage() > 0) {
    AttackResult nothing;
    nothing.images = images;
    nothing.values = torch::tensor(out ? cleanOut_ : cleanIn_, torch::kFloat64) * direction;
    nothing.snapshotValues = nothing.values.unsqueeze(1).repeat(
        {1, static_cast<std::int64_t>(std::max<std::size_t>(1, times.size()))});
    return nothing;
  }
  auto pooled = cleanIn_;
  pooled.insert(pooled.end(), cleanOut_.begin(), cleanOut_.end());
  std::sort(pooled.begin(), pooled.end());
  AttackResources resources;
  resources.classifier = setting_.classifier;
  if (!out) resources.labels = setting_.inLabels;
  AttackContext context{.device = setting_.device,
                        .batchSize = setting_.batchSize,
                        .seed = seed_.child(name).child(out ? "out" : "in"),
                        .task = task_};
  for (const double share : {0.05, 0.5, 0.95}) {
    const double position = share * static_cast<double>(pooled.size() - 1);
    context.thresholds.push_back(direction * pooled[static_cast<std::size_t>(position + 0.5)]);
  }
  context.resources = &resources;
  if (!times.empty()) {
    context.snapshotSteps = times;
    context.snapshotSamples.resize(static_cast<std::size_t>(images.size(0)));
    std::iota(context.snapshotSamples.begin(), context.snapshotSamples.end(), 0);
  }
  task_.begin("health: " + name + " on " + setting_.label + (out ? " (out)" : " (in)"),
              images.size(0), "images");
  DetectorObjective objective(detector, direction);
  auto result = attack.perturb(objective, images, context);
  task_.end();
  return result;
}

BothAttacked ProbeAttacks::run(const Attack& attack, const std::string& name, Detector* detector,
                               const std::vector<std::int64_t>& times) {
  Detector& attacked = detector ? *detector : setting_.detector;
  const auto in = attackOne(attack, attacked, setting_.in, false, name, times);
  const auto out = attackOne(attack, attacked, setting_.out, true, name, times);
  BothAttacked both;
  both.inImages = in.images;
  both.outImages = out.images;
  if (detector) {
    both.in = score(in.images);
    both.out = score(out.images);
  } else {
    both.in = toVector(in.values);
    both.out = toVector(-out.values);
  }
  both.auroc = auroc(both.in, both.out);
  if (!times.empty()) {
    both.inPath = in.snapshotValues;
    both.outPath = -out.snapshotValues;
  }
  return both;
}

}  // namespace bulwark
