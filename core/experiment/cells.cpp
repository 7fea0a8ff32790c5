#include "core/experiment/cells.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "core/detectors/class_parts.h"
#include "core/detectors/declarations.h"
#include "core/detectors/detector_objective.h"
#include "core/detectors/own_threshold.h"
#include "core/detectors/score_set.h"
#include "core/experiment/file_progress.h"
#include "core/experiment/finished_parts.h"
#include "core/experiment/thresholds.h"
#include "core/metrics/detection.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<double> toVector(const torch::Tensor& values) {
  const auto flat = values.to(torch::kCPU, torch::kFloat64).contiguous();
  const auto* data = flat.data_ptr<double>();
  return {data, data + flat.numel()};
}

torch::Tensor toTensor(const std::vector<double>& values) {
  return torch::tensor(values, torch::kFloat64);
}

std::vector<float> pixels(const torch::Tensor& image) {
  const auto flat = image.to(torch::kCPU, torch::kFloat32).contiguous();
  const auto* data = flat.data_ptr<float>();
  return {data, data + flat.numel()};
}

/// `count` positions spread evenly over a set of `size`.
std::vector<std::int64_t> spread(std::int64_t count, std::int64_t size) {
  std::vector<std::int64_t> positions;
  count = std::min(count, size);
  for (std::int64_t i = 0; i < count; ++i) positions.push_back(i * size / count);
  return positions;
}

/// Steps worth looking at: 0, 1, 2, 5, 10, 20, 50, ... up to the last.
std::vector<std::int64_t> stepsToKeep(std::int64_t last) {
  std::vector<std::int64_t> steps = {0};
  for (std::int64_t decade = 1; decade <= last; decade *= 10) {
    for (const std::int64_t factor : {1, 2, 5}) {
      if (decade * factor < last) steps.push_back(decade * factor);
    }
  }
  if (last > 0) steps.push_back(last);
  return steps;
}

/// Steps per image: gradients, or the queries of a black box.
std::int64_t stepsOf(const Attack& attack) {
  const std::int64_t gradients = attack.backwardsPerImage();
  return gradients > 0 ? gradients : attack.forwardsPerImage() - 1;
}

double largest(const std::vector<double>& values) {
  return *std::max_element(values.begin(), values.end());
}

double smallest(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

/// How far the attacked images leave the ball or the box, at most; 0 when they do not.
double excess(const torch::Tensor& clean, const torch::Tensor& attacked,
              const ThreatModel& threat) {
  const auto delta = (attacked - clean).flatten(1).to(torch::kFloat64);
  const auto size = threat.norm == Norm::Linf ? std::get<0>(delta.abs().max(1)) : delta.norm(2, 1);
  const bool bounded = threat.norm != Norm::None;
  const double ball = bounded ? size.max().item<double>() - threat.epsilon : 0.0;
  const double box = std::max(-attacked.min().item<double>(), attacked.max().item<double>() - 1.0);
  const double worst = std::max({ball, box, 0.0});
  return std::isnan(attacked.sum().item<double>()) ? std::numeric_limits<double>::infinity()
                                                   : worst;
}

}  // namespace

CellEvaluator::CellEvaluator(const Specification& specification, const ExperimentData& data,
                             const torch::Device& device, Seed seed, Journal& journal, Task& task)
    : specification_(specification),
      data_(data),
      device_(device),
      seed_(seed),
      journal_(journal),
      task_(task) {}

std::vector<double> CellEvaluator::score(const FittedDetector& detector, const ImageSet& set) {
  const std::int64_t batch = specification_.evaluation.batchSize;
  return withMemoryAdvice(device_, std::min(batch, set.size()), "evaluation.batch_size", [&] {
    return toVector(scoreSet(*detector.detector, set, device_, batch, task_));
  });
}

void CellEvaluator::noteClasses(
    const FittedDetector& detector, const ScoreSet& scores, const std::string& name,
    const std::function<torch::Tensor(std::int64_t, std::int64_t)>& read) {
  if (!ClassTable::concerns(*detector.detector)) return;
  const auto total = static_cast<std::int64_t>(scores.scores.size());
  const std::int64_t batch = specification_.evaluation.batchSize;
  classes_.add(scores, FinishedParts(journal_.folder() / "parts").take(name, [&] {
    task_.begin("classes of " + detector.label + ": " + scores.dataset, total, "images");
    auto found = withMemoryAdvice(device_, std::min(batch, total), "evaluation.batch_size", [&] {
      return ClassTable::measure(*detector.detector, total, read, device_, batch, task_);
    });
    task_.end();
    return found;
  }));
}

void CellEvaluator::scoreClean(const FittedDetector& detector) {
  if (detector.detector->traits().randomised) randomised_.insert(detector.label);
  const auto scoreOne = [&](const NamedSet& set, bool out) {
    const std::string classes = "classes-clean-" + std::to_string(cleanCells_++);
    const auto read = [&](std::int64_t begin, std::int64_t end) {
      return set.set->range(begin, end);
    };
    if (auto stored = journal_.finishedScores(detector.label, "", set.name, out)) {
      noteClasses(detector, *stored, classes, read);
      scores_.add(std::move(*stored));
      return;
    }
    const auto start = Clock::now();
    reseed(*detector.detector, seed_.child("draws").child("clean").child(set.name));
    task_.begin("score " + detector.label + ": " + set.name, set.set->size(), "images");
    ScoreSet scores;
    scores.detector = detector.label;
    scores.dataset = set.name;
    scores.out = out;
    scores.scores = score(detector, *set.set);
    scores.forwards = set.set->size();
    scores.seconds = secondsSince(start);
    task_.end();
    noteClasses(detector, scores, classes, read);
    journal_.scores(scores, {});
    scores_.add(std::move(scores));
  };
  scoreOne(data_.in, false);
  for (const auto& out : data_.outs) scoreOne(out, true);
}

/// What an attack that needs a decision has to exceed, in the adversary's direction.
std::vector<double> CellEvaluator::thresholds(const std::string& detector, double direction) const {
  const auto& in = scores_.at(detector, "", data_.in.name, false).scores;
  if (specification_.evaluation.mode == "cross") return {direction * thresholdKeeping95(in)};
  std::vector<std::vector<double>> clean = {in};
  for (const auto& out : data_.outs) {
    clean.push_back(scores_.at(detector, "", out.name, true).scores);
  }
  return rankThresholds(clean, direction);
}

void CellEvaluator::attack(const FittedDetector& detector, const NamedAttack& attack, bool attackIn,
                           bool attackOut) {
  // S1: an in image above every clean out score has its final rank in `in` and `in_out`, since
  // attacks only lower out scores; mirrored for the out images.
  double highestOut = -std::numeric_limits<double>::infinity();
  for (const auto& out : data_.outs) {
    highestOut =
        std::max(highestOut, largest(scores_.at(detector.label, "", out.name, true).scores));
  }
  const double lowestIn = smallest(scores_.at(detector.label, "", data_.in.name, false).scores);
  const double never = std::numeric_limits<double>::infinity();
  // A random score gives no rank that could be final.
  bool saturate =
      specification_.evaluation.rankSaturation && !detector.detector->traits().randomised;
  // Neither does one whose figures depend on the other images' final values.
  if (const auto* classed = dynamic_cast<const ScoresByClass*>(detector.detector.get())) {
    saturate = saturate && classed->transductiveWeights().empty();
  }
  // The rates at the clean threshold must be final too.
  const double fixed =
      thresholdKeeping95(scores_.at(detector.label, "", data_.in.name, false).scores);
  double inBound = std::max(highestOut, fixed), outBound = std::max(-lowestIn, -fixed);
  // So must those at the threshold that a detector brings along.
  if (const auto* own = dynamic_cast<const HasThreshold*>(detector.detector.get())) {
    inBound = std::max(inBound, own->threshold());
    outBound = std::max(outBound, -own->threshold());
  }
  if (attackIn) attackSet(detector, attack, data_.in, false, saturate ? inBound : never);
  if (!attackOut) return;
  for (const auto& out : data_.outs) {
    attackSet(detector, attack, out, true, saturate ? outBound : never);
  }
}

void CellEvaluator::attackSet(const FittedDetector& detector, const NamedAttack& attack,
                              const NamedSet& set, bool out, double saturation) {
  const std::string cell = std::to_string(attackedCells_++);
  const FinishedParts parts(journal_.folder() / "parts");
  FileProgress progress(journal_.folder() / "progress" / cell,
                        FileProgress::Seconds(journal_.secondsWorthKeeping()));
  if (auto stored = journal_.finishedScores(detector.label, attack.label, set.name, out)) {
    progress.discard();
    if (const auto kept = parts.find("classes-" + cell)) classes_.add(*stored, *kept);
    scores_.add(std::move(*stored));
    if (const auto audit = parts.find("audit-" + cell)) {
      audits_.push_back(CellAudit::fromJson(*audit));
    }
    return;
  }
  const auto start = Clock::now();
  const double direction = out ? -1.0 : 1.0;
  const std::int64_t size = set.set->size();
  task_.begin(attack.label + " on " + detector.label + ": " + set.name + (out ? " (out)" : " (in)"),
              size, "images");
  const auto clean = scores_.at(detector.label, "", set.name, out).scores;
  const torch::Tensor images = set.set->range(0, size);
  AttackContext context{
      .device = device_,
      .batchSize = specification_.evaluation.batchSize,
      // The starts belong to the attack and the set, not to the detector: detectors are compared
      // under the same starts.
      .seed = seed_.child("attack").child(attack.label).child(set.name),
      .task = task_,
      .clean = toTensor(clean) * direction,
      .saturation = saturation,
      .mode = specification_.evaluation.mode == "cross" ? AttackMode::Cross : AttackMode::Maximise,
      .thresholds = thresholds(detector.label, direction),
      .snapshotSamples = spread(specification_.evaluation.imagePairs, size),
      .snapshotSteps = stepsToKeep(stepsOf(*attack.attack)),
  };
  AttackResources resources;
  if (sources_) {
    resources = sources_->resources(out ? torch::Tensor() : set.set->labels(), out ? -1 : 1);
    resources.ownLabels = set.set->labels();
    context.resources = &resources;
  }
  const bool random = detector.detector->traits().randomised;
  // The draws of an execution that was cut short would not come back.
  if (!random) context.progress = &progress;
  reseed(*detector.detector, seed_.child("draws").child(attack.label).child(set.name));
  DetectorObjective objective(*detector.detector, direction);
  const AttackResult result =
      withMemoryAdvice(device_, passSize(size, context.batchSize), "evaluation.batch_size",
                       [&] { return attack.attack->perturb(objective, images, context); });
  task_.end();
  // The audits below are no part of what the attack costs.
  const double seconds = progress.earlierSeconds() + secondsSince(start);

  ScoreSet scores;
  scores.detector = detector.label;
  scores.attack = attack.label;
  scores.dataset = set.name;
  scores.out = out;
  scores.scores = toVector(result.values * direction);
  const auto saturated = result.saturated.to(torch::kUInt8).contiguous();
  scores.saturated.assign(saturated.data_ptr<std::uint8_t>(),
                          saturated.data_ptr<std::uint8_t>() + saturated.numel());
  for (const double value : result.trajectory) scores.trajectory.push_back(value * direction);
  scores.forwards = result.forwards;
  scores.backwards = result.backwards;
  scores.seconds = seconds;

  CellAudit audit{
      .detector = detector.label, .attack = attack.label, .dataset = set.name, .out = out};
  audit.excess = excess(images, result.images, attack.attack->threat());
  if (result.zeroGradient.defined()) {
    audit.zeroGradient = result.zeroGradient.to(torch::kFloat64).mean().item<double>();
  }
  // H6: the stored images must give the stored scores, scored afresh in plain batches.
  const TensorImageSet attacked(set.name, result.images, set.set->labels(), set.set->classNames());
  task_.begin("score again " + detector.label + ": " + set.name, size, "images");
  const auto again = score(detector, attacked);
  task_.end();
  // The best of many draws is luck: what counts of a random score is a fresh one.
  if (random) scores.scores = again;
  noteClasses(detector, scores, "classes-" + cell, [&](std::int64_t begin, std::int64_t end) {
    return result.images.slice(0, begin, end);
  });
  // Differences count relative to the score or to the spread of the set, whichever is larger: a
  // score near zero is no less reproducible than its neighbours.
  const double deviation = torch::tensor(again, torch::kFloat64).std(false).item<double>();
  for (std::size_t i = 0; i < again.size(); ++i) {
    const double scale =
        std::max({std::abs(again[i]), std::abs(scores.scores[i]), deviation, 1e-12});
    audit.rescoring = std::max(audit.rescoring, std::abs(again[i] - scores.scores[i]) / scale);
  }
  const auto few = spread(64, size);
  for (const auto i : few) {
    audit.clean.push_back(clean[static_cast<std::size_t>(i)]);
    audit.attacked.push_back(again[static_cast<std::size_t>(i)]);
  }
  const auto rounded =
      (result.images.index_select(0, torch::tensor(few, torch::kInt64)) * 255.0).round() / 255.0;
  audit.rounded = toVector(scoreImages(*detector.detector, rounded, device_,
                                       specification_.evaluation.batchSize, task_));
  audits_.push_back(
      CellAudit::fromJson(parts.take("audit-" + cell, [&audit] { return audit.toJson(); })));

  std::vector<ImagePair> pairs;
  const auto shape = set.set->shape();
  const auto* labels = set.set->labels().data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < context.snapshotSamples.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    const std::int64_t sample = context.snapshotSamples[i];
    ImagePair pair;
    pair.detector = detector.label;
    pair.attack = attack.label;
    pair.dataset = set.name;
    pair.out = out;
    pair.sample = sample;
    pair.label = labels[sample];
    pair.channels = static_cast<int>(shape.channels);
    pair.height = static_cast<int>(shape.height);
    pair.width = static_cast<int>(shape.width);
    pair.before = pixels(images[sample]);
    pair.after = pixels(result.images[sample]);
    pair.scoreBefore = clean[static_cast<std::size_t>(sample)];
    pair.scoreAfter = scores.scores[static_cast<std::size_t>(sample)];
    pair.steps = pixels(result.snapshots[row]);
    pair.stepNumbers = context.snapshotSteps;
    pair.stepScores = toVector(result.snapshotValues[row] * direction);
    pairs.push_back(std::move(pair));
  }
  journal_.scores(scores, pairs);
  progress.discard();
  scores_.add(std::move(scores));
}

}  // namespace bulwark
