#include "core/attacks/nearest_search.h"

#include <algorithm>
#include <utility>

#include "core/attacks/passes.h"
#include "core/attacks/search_log.h"
#include "core/attacks/walk_resume.h"
#include "core/base/error.h"

namespace bulwark {

/// Takes over what an earlier execution has finished.
void NearestSearch::restore() {
  finishedIn_.assign(static_cast<std::size_t>(count_), 0);
  counted_.resize(static_cast<std::size_t>(count_));
  if (!context_.progress) return;
  WalkPlan like;  // what the fingerprint of a walk reads
  like.name = plan_.name + (plan_.everyPoint ? " every point" : "");
  like.threat = plan_.threat;
  like.steps = plan_.passes;
  like.restarts = plan_.quests;
  const FinishedWalk before = context_.progress->begin(walkFingerprint(
      like, images_, torch::tensor(clean_, torch::kFloat64), context_, bound_, rows_.width()));
  finishedIn_ = restoreSamples(before, context_, plan_.name, result_);
  for (const FinishedSample& done : before.samples) {
    counted_[static_cast<std::size_t>(done.sample)] = {done.forwards, done.backwards};
    latest_ = std::max(latest_, done.passes);
  }
  log_ = unpackLog(before.settled);
  logged_ = log_.size();
}

void NearestSearch::commit() {
  context_.progress->commit(fresh_, packLog(log_));
  fresh_.clear();
}

/// How far the images of the batch have come in the searches that they may take at most.
void NearestSearch::report() const {
  double done = 0.0;
  for (std::size_t i = 0; i < rows_.rows().size(); ++i) {
    const Row& row = rows_.rows()[i];
    if (!row.live || row.finishedIn > 0) continue;
    const std::int64_t points = progress_[i].judging ? plan_.passes : row.step;
    done += static_cast<double>(row.restart * plan_.passes + points);
  }
  const auto searches = plan_.quests * static_cast<std::int64_t>(thresholds_.size());
  context_.task.underway(done / static_cast<double>(searches * plan_.passes));
}

/// What must not depend on the row: values, and a gradient of them.
std::vector<torch::Tensor> NearestSearch::probe(const torch::Tensor& points,
                                                const torch::Tensor& samples) {
  const torch::AutoGradMode withGraph(true);
  const auto leaf = points.detach().requires_grad_();
  result_.forwards += points.size(0) * passesOf(objective_).evaluate;
  result_.backwards += points.size(0) * passesOf(objective_).gradient;
  torch::Tensor values, judged;
  if (objective_.classes() > 0) {
    judged = objective_.logits(leaf);
    values = std::get<0>(judged.max(1));
  } else {
    const auto found = objective_.evaluate(leaf, samples);
    judged = found.judged;
    values = found.guide;
  }
  return {judged.detach(), torch::autograd::grad({values.sum()}, {leaf})[0]};
}

/// Where rows are idle: whether rows may move, measured on the points at hand (see `walk`) unless
/// an earlier execution has done so. Returns whether there was something to compare.
bool NearestSearch::compareRows(const torch::Tensor& points) {
  const auto order = rows_.proposal(plan_.passes);
  if (!order.defined()) return false;
  const auto rows = order.to(context_.device);
  const auto here = probe(points, samples_);
  const auto there = probe(points.index_select(0, rows), samples_.index_select(0, order));
  const bool alike = torch::equal(there[0], here[0].index_select(0, rows)) &&
                     torch::equal(there[1], here[1].index_select(0, rows));
  // Rows of samples that were finished before hold other points than they did then.
  if (pass_ >= logged_ && alike) log_.back() |= kAlike;
  rows_.settle(order, (log_[pass_] & kAlike) != 0);
  return true;
}

/// A pass in which every sample is known already: nothing is computed.
NearestSearch::Pass NearestSearch::skipPass() {
  if (pass_ >= logged_) {
    throw Error::failed("the stored progress lacks a pass", plan_.name, "start the run anew");
  }
  if (log_[pass_] & kCompared) {
    rows_.settle(rows_.proposal(plan_.passes), (log_[pass_] & kAlike) != 0);
  }
  return {};
}

void NearestSearch::shrinkBatch() {
  const auto before = rows_.rows();
  const auto kept = rows_.shrink();
  if (kept.empty()) return;
  std::vector<Progress> progress;
  for (const auto row : kept) progress.push_back(progress_[static_cast<std::size_t>(row)]);
  progress_ = std::move(progress);
  const auto rows = index(kept);
  seeker_->keep(rows);
  for (torch::Tensor* tensor : {&centres_, &best_, &bestValues_, &nearest_, &nearestDistances_,
                                &nearestValues_, &last_, &candidates_}) {
    *tensor = tensor->index_select(0, rows);
  }
  samples_ = rows_.samples();
}

}  // namespace bulwark
