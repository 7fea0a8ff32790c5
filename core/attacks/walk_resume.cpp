#include "core/attacks/walk_resume.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/sha256.h"

namespace bulwark {
namespace {

/// Place of a sample among those whose points are kept step by step; -1: it is none of them.
std::int64_t snapshotPlace(std::int64_t sample, const AttackContext& context) {
  const auto& wanted = context.snapshotSamples;
  const auto found = std::find(wanted.begin(), wanted.end(), sample);
  return found == wanted.end() ? -1 : found - wanted.begin();
}

}  // namespace

std::string walkFingerprint(const WalkPlan& plan, const torch::Tensor& images,
                            const torch::Tensor& clean, const AttackContext& context, double bound,
                            std::int64_t width) {
  std::string text = "2|" + plan.name;  // the number changes with what is stored
  const auto add = [&text](const void* bytes, std::size_t size) {
    text += '|';
    text.append(static_cast<const char*>(bytes), size);
  };
  const auto number = [&](double value) { add(&value, sizeof value); };
  const auto whole = [&](std::int64_t value) { add(&value, sizeof value); };
  for (const auto value : {plan.steps, plan.restarts, width}) whole(value);
  for (const auto size : images.sizes()) whole(size);
  whole(static_cast<std::int64_t>(context.seed.value()));
  whole(static_cast<std::int64_t>(plan.threat.norm));
  whole(static_cast<std::int64_t>(context.mode));
  number(plan.threat.epsilon);
  number(bound);
  for (const auto threshold : context.thresholds) number(threshold);
  for (const auto sample : context.snapshotSamples) whole(sample);
  for (const auto step : context.snapshotSteps) whole(step);
  if (clean.defined()) {
    add(clean.data_ptr<double>(), sizeof(double) * static_cast<std::size_t>(clean.numel()));
  }
  return sha256(text);
}

FinishedSample finishedSample(const Row& row, const AttackResult& result,
                              const AttackContext& context) {
  FinishedSample done;
  done.sample = row.sample;
  done.passes = row.passes;
  done.value = result.values[row.sample].item<double>();
  done.saturated = result.saturated[row.sample].item<bool>();
  done.zeroGradient = result.zeroGradient[row.sample].item<bool>();
  if (result.distances.defined()) done.distance = result.distances[row.sample].item<double>();
  done.forwards = result.forwards;
  done.backwards = result.backwards;
  done.improvements = result.improvements[static_cast<std::size_t>(row.sample)];
  done.image = result.images[row.sample];
  if (const auto place = snapshotPlace(row.sample, context); place >= 0) {
    done.snapshots = result.snapshots[place];
    done.snapshotValues = result.snapshotValues[place];
  }
  return done;
}

std::vector<std::int64_t> restoreSamples(const FinishedWalk& before, const AttackContext& context,
                                         const std::string& where, AttackResult& result) {
  const std::int64_t count = result.images.size(0);
  std::vector<std::int64_t> passes(static_cast<std::size_t>(count), 0);
  for (const FinishedSample& done : before.samples) {
    const auto place = snapshotPlace(done.sample, context);
    if (done.sample < 0 || done.sample >= count || done.passes < 1 || done.improvements.empty() ||
        done.image.sizes() != result.images.sizes().slice(1) ||
        (place >= 0 && !done.snapshots.defined())) {
      throw Error::badInput("the stored progress does not fit image " + std::to_string(done.sample),
                            where, "it is damaged; queue the specification as a new run");
    }
    const auto i = static_cast<std::size_t>(done.sample);
    passes[i] = done.passes;
    result.images[done.sample].copy_(done.image);
    result.values[done.sample] = done.value;
    result.saturated[done.sample] = done.saturated;
    result.zeroGradient[done.sample] = done.zeroGradient;
    if (result.distances.defined()) result.distances[done.sample] = done.distance;
    result.improvements[i] = done.improvements;
    if (place >= 0) {
      result.snapshots[place].copy_(done.snapshots);
      result.snapshotValues[place].copy_(done.snapshotValues);
    }
  }
  return passes;
}

}  // namespace bulwark
