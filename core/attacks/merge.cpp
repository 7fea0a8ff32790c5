#include "core/attacks/merge.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core/attacks/ball.h"

namespace bulwark {

SubsetObjective::SubsetObjective(Objective& base, torch::Tensor positions)
    : base_(base), positions_(std::move(positions)) {}

Objective::Values SubsetObjective::evaluate(const torch::Tensor& images,
                                            const torch::Tensor& samples) {
  return base_.evaluate(images, positions_.index_select(0, samples));
}

torch::Tensor SubsetObjective::judge(const torch::Tensor& images, const torch::Tensor& samples) {
  return base_.judge(images, positions_.index_select(0, samples));
}

torch::Tensor SubsetObjective::labels(const torch::Tensor& samples,
                                      const torch::Device& device) const {
  return base_.labels(positions_.index_select(0, samples), device);
}

torch::Tensor SubsetObjective::judgeLogits(const torch::Tensor& logits,
                                           const torch::Tensor& labels) const {
  return base_.judgeLogits(logits, labels);
}

WorstOf::WorstOf(std::string name, Objective& objective, const torch::Tensor& images,
                 const AttackContext& context)
    : name_(std::move(name)), objective_(objective), images_(images), context_(context) {}

AttackContext WorstOf::contextFor(const std::string& label) const {
  AttackContext context = context_;
  context.seed = context_.seed.child(label);
  context.starts = torch::Tensor();
  if (!result_.values.defined()) return context;
  context.clean = result_.values;
  context.warm = torch::Tensor();  // is behind the value that the members are told as clean
  // Times of a member count from its own start; what lies before is settled.
  const auto offset = static_cast<std::int64_t>(result_.trajectory.size()) - 1;
  context.snapshotSteps.clear();
  for (const auto step : context_.snapshotSteps) {
    if (step > offset) context.snapshotSteps.push_back(step - offset);
  }
  return context;
}

void WorstOf::begin(const std::string& label, std::int64_t images) const {
  context_.task.begin(name_ + ": " + label, images, "images");
}

void WorstOf::add(const std::string& label, const Member& member) {
  begin(label, images_.size(0));
  merge(member(objective_, images_, contextFor(label)));
}

void WorstOf::add(const std::string& label, const torch::Tensor& positions, const Member& member) {
  if (!result_.values.defined()) throw std::logic_error("the first member sees all images");
  begin(label, positions.size(0));
  AttackContext context = contextFor(label);
  context.clean = result_.values.index_select(0, positions);
  context.snapshotSamples.clear();
  context.snapshotSteps.clear();
  SubsetObjective objective(objective_, positions);
  AttackResult found = member(objective, images_.index_select(0, positions), context);
  const double others = (result_.values.sum() - context.clean.sum()).item<double>();
  const auto total = static_cast<double>(images_.size(0));
  for (double& mean : found.trajectory) {
    mean = (others + mean * static_cast<double>(positions.size(0))) / total;
  }
  const auto spread = [&](const torch::Tensor& all, const torch::Tensor& some) {
    return all.index_copy(0, positions, some);
  };
  if (!found.improvements.empty()) {
    std::vector<std::vector<Improvement>> all(static_cast<std::size_t>(images_.size(0)));
    for (std::size_t i = 0; i < found.improvements.size(); ++i) {
      const auto position = positions[static_cast<std::int64_t>(i)].item<std::int64_t>();
      all[static_cast<std::size_t>(position)] = std::move(found.improvements[i]);
    }
    found.improvements = std::move(all);
  }
  found.images = spread(result_.images, found.images);
  found.values = spread(result_.values, found.values);
  found.saturated = spread(result_.saturated, found.saturated);
  found.zeroGradient = spread(result_.zeroGradient, found.zeroGradient);
  merge(found);
}

void WorstOf::count(std::int64_t forwards, std::int64_t backwards) {
  result_.forwards += forwards;
  result_.backwards += backwards;
}

/// Appends what a member has found to the trajectories per sample, its times after those before.
void WorstOf::mergeImprovements(const AttackResult& found) {
  result_.restartEnds.clear();
  if (found.improvements.empty() || result_.improvements.empty()) {
    result_.improvements.clear();
    result_.propagations.clear();
    return;
  }
  const auto offset = static_cast<std::int64_t>(result_.trajectory.size()) - 1;
  for (std::size_t i = 0; i < result_.improvements.size(); ++i) {
    auto& mine = result_.improvements[i];
    for (const auto& [time, value] : found.improvements[i]) {
      if (value > mine.back().value)
        mine.push_back({offset + std::max<std::int64_t>(1, time), value});
    }
  }
  const auto before = result_.propagations.back();
  for (std::size_t t = 1; t < found.propagations.size(); ++t) {
    result_.propagations.push_back(before + found.propagations[t]);
  }
}

void WorstOf::merge(const AttackResult& found) {
  if (!result_.values.defined()) {
    const std::int64_t forwards = result_.forwards, backwards = result_.backwards;
    result_ = found;
    result_.distances = torch::Tensor();
    count(forwards, backwards);
    return;
  }
  const auto better = found.values > result_.values;
  const auto images = torch::where(perRow(better), found.images, result_.images);
  const auto values = torch::where(better, found.values, result_.values);

  const auto times = static_cast<std::int64_t>(context_.snapshotSteps.size());
  const auto offset = static_cast<std::int64_t>(result_.trajectory.size()) - 1;
  for (std::size_t s = 0; s < context_.snapshotSamples.size(); ++s) {
    const auto row = static_cast<std::int64_t>(s);
    const auto sample = context_.snapshotSamples[s];
    std::int64_t own = 0;  // position among the times the member was asked for
    for (std::int64_t t = 0; t < times; ++t) {
      if (context_.snapshotSteps[static_cast<std::size_t>(t)] <= offset) continue;
      const bool given = found.snapshots.defined() && found.snapshots.dim() == 5 &&
                         own < found.snapshots.size(1) && row < found.snapshots.size(0);
      const auto value = given ? found.snapshotValues[row][own] : found.values[sample];
      const bool newer = (value > result_.values[sample]).item<bool>();
      const auto& image = !newer  ? result_.images[sample]
                          : given ? found.snapshots[row][own]
                                  : found.images[sample];
      result_.snapshots[row][t].copy_(image);
      result_.snapshotValues[row][t].copy_(newer ? value : result_.values[sample]);
      ++own;
    }
  }
  mergeImprovements(found);
  for (std::size_t t = 1; t < found.trajectory.size(); ++t) {
    result_.trajectory.push_back(std::max(found.trajectory[t], result_.trajectory.back()));
  }
  if (found.trajectory.size() > 1) {
    // A member that began from the clean values again ends with what it has added to the rest.
    const auto mean = values.mean().item<double>();
    result_.trajectory.back() = std::max(result_.trajectory.back(), mean);
  }
  result_.images = images;
  result_.values = values;
  result_.saturated = result_.saturated.logical_or(found.saturated);
  result_.zeroGradient = result_.zeroGradient.logical_or(found.zeroGradient);
  count(found.forwards, found.backwards);
}

torch::Tensor WorstOf::standing() const {
  return (result_.values <= finishBound(context_)).nonzero().squeeze(1);
}

}  // namespace bulwark
