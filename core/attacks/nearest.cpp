#include "core/attacks/nearest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "core/attacks/ball.h"
#include "core/attacks/nearest_search.h"
#include "core/attacks/passes.h"
#include "core/attacks/search_log.h"
#include "core/attacks/snapshots.h"
#include "core/attacks/threat.h"
#include "core/attacks/walk_resume.h"
#include "core/base/error.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

std::vector<double> toHost(const torch::Tensor& values) {
  const auto flat = values.to(torch::kCPU, torch::kFloat64).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

}  // namespace

NearestSearch::NearestSearch(const NearestPlan& plan, const SeekerFactory& seeker,
                             Objective& objective, const torch::Tensor& images,
                             const AttackContext& context)
    : plan_(plan),
      makeSeeker_(seeker),
      objective_(objective),
      images_(images),
      context_(context),
      count_(images.size(0)),
      bound_(finishBound(context)),
      thresholds_(context.thresholds),
      rows_(count_, std::max<std::int64_t>(1, context.batchSize)) {
  if (thresholds_.empty() && objective.classes() > 0) thresholds_ = {0.0};
  if (plan.everyPoint && objective.classes() == 0 && context.mode == AttackMode::Maximise) {
    thresholds_ = {kNever};  // nothing to stop at
  }
  if (thresholds_.empty()) {
    throw Error::failed("the attack needs a threshold to cross and was given none", plan.name);
  }
  std::sort(thresholds_.begin(), thresholds_.end());
  thresholds_.erase(std::unique(thresholds_.begin(), thresholds_.end()), thresholds_.end());
  if (context.clean.defined()) clean_ = toHost(context.clean);
  if (context.clean.defined() && static_cast<std::int64_t>(clean_.size()) != count_) {
    throw Error::failed("clean values do not match the images", plan.name);
  }
}

void NearestSearch::startResult() {
  result_.images = images_.clone(torch::MemoryFormat::Contiguous);
  result_.values = torch::zeros({count_}, torch::kFloat64);
  result_.saturated = torch::zeros({count_}, torch::kBool);
  result_.zeroGradient = torch::zeros({count_}, torch::kBool);
  result_.distances = torch::full({count_}, kNever, torch::kFloat64);
  result_.improvements.resize(static_cast<std::size_t>(count_));
  startSnapshots(images_, context_, result_);
}

AttackResult NearestSearch::run() {
  startResult();
  if (!context_.clean.defined())
    clean_ = toHost(judgeImages(objective_, images_, rows_.width(), context_, result_));
  const torch::NoGradGuard noGrad;
  if (count_ > 0) {
    const auto doubles = torch::TensorOptions(context_.device).dtype(torch::kFloat64);
    centres_ = toDevice(images_.slice(0, 0, rows_.width()), context_.device).clone();
    best_ = centres_.clone();
    nearest_ = centres_.clone();
    last_ = centres_.clone();
    candidates_ = centres_.clone();
    bestValues_ = torch::full({rows_.width()}, -kNever, doubles);
    nearestDistances_ = torch::full({rows_.width()}, kNever, doubles);
    nearestValues_ = torch::full({rows_.width()}, -kNever, doubles);
    progress_.resize(static_cast<std::size_t>(rows_.width()));
    seeker_ = makeSeeker_(centres_);
  }
  const bool still = bounded() && plan_.threat.epsilon == 0.0;
  for (std::int64_t i = 0; i < count_; ++i) {
    Row row;
    row.sample = i;
    row.best = clean_[static_cast<std::size_t>(i)];
    if (!std::isfinite(row.best)) {
      throw Error::failed("the value of image " + std::to_string(i) + " is not finite", plan_.name,
                          "the classifier or the detector has diverged");
    }
    skipCrossed(row);
    if (!still && !finished(row)) {
      rows_.enqueue(i);
      continue;
    }
    result_.improvements[static_cast<std::size_t>(i)] = {{0, row.best}};
    result_.values[i] = row.best;
    result_.saturated[i] = row.best > bound_;
    if (row.best > thresholds_.front()) result_.distances[i] = 0.0;
    snapshot(row, 0, std::numeric_limits<std::int64_t>::max(), images_[i]);
    context_.task.advance(1);
  }
  restore();
  if (count_ > 0) seat();
  while (rows_.live() > 0) {
    context_.task.checkpoint();
    account(rows_.working() > 0 ? pass() : skipPass());
    if (context_.progress && !fresh_.empty() && context_.progress->due()) commit();
    seat();
    shrinkBatch();
    report();
  }
  if (count_ > 0) result_.trajectory = meanTrajectory(result_.improvements, latest_);
  // Passes of a sample are not passes of the batch: there is no count of propagations to go with.
  result_.improvements.clear();
  auditPerturbation(images_, result_.images, plan_.threat, plan_.name);
  return std::move(result_);
}

/// Thresholds that the clean image is beyond need no search.
void NearestSearch::skipCrossed(Row& row) const {
  while (thresholdOf(row) < thresholds_.size() &&
         clean_[static_cast<std::size_t>(row.sample)] > thresholds_[thresholdOf(row)]) {
    row.restart += plan_.quests;
  }
}

/// Fills idle rows with waiting samples.
void NearestSearch::seat() {
  std::vector<std::int64_t> filled;
  for (const auto i : rows_.seat()) {
    Row& row = rows_.rows()[static_cast<std::size_t>(i)];
    progress_[static_cast<std::size_t>(i)] = {};
    row.finishedIn = finishedIn_[static_cast<std::size_t>(row.sample)];
    if (row.finishedIn == 0) filled.push_back(i);
  }
  samples_ = rows_.samples();
  if (filled.empty()) return;
  std::vector<double> clean;
  for (const auto i : filled) {
    Row& row = rows_.rows()[static_cast<std::size_t>(i)];
    row.best = clean_[static_cast<std::size_t>(row.sample)];
    clean.push_back(row.best);
    skipCrossed(row);
    if (row.restart > 0) result_.distances[row.sample] = 0.0;
    row.improvements = {{0, row.best}};
    snapshot(row, 0, 0, images_[row.sample]);
  }
  const auto rows = index(filled);
  const auto images = toDevice(
      images_.index_select(0, samples_.index_select(0, torch::tensor(filled, torch::kInt64))),
      context_.device);
  centres_.index_copy_(0, rows, images);
  best_.index_copy_(0, rows, images);
  bestValues_.index_copy_(0, rows, torch::tensor(clean, torch::kFloat64).to(context_.device));
  nearestDistances_.index_fill_(0, rows, kNever);
  nearestValues_.index_fill_(0, rows, -kNever);
  begin(filled);
}

/// Hands the seeker the rows that begin a search.
void NearestSearch::begin(const std::vector<std::int64_t>& rows) {
  const auto which = index(rows);
  const auto found = toHost(nearestDistances_.index_select(0, which));
  std::vector<Quest> quests;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows_.rows()[static_cast<std::size_t>(rows[i])];
    const std::int64_t number = row.restart % plan_.quests;
    Quest quest{rows[i], row.sample, number, thresholds_[thresholdOf(row)], found[i]};
    quest.seed = context_.seed.child(static_cast<std::uint64_t>(row.sample))
                     .child(static_cast<std::uint64_t>(number));
    if (context_.starts.defined() && number < context_.starts.size(1)) {
      quest.start = context_.starts[row.sample][number];
    }
    quests.push_back(std::move(quest));
  }
  seeker_->begin(quests, centres_.index_select(0, which));
}

Sight NearestSearch::evaluate(const torch::Tensor& points, const torch::Tensor& samples,
                              const torch::Tensor& thresholds, bool gradients) {
  result_.forwards +=
      points.size(0) * (gradients ? passesOf(objective_).evaluate : passesOf(objective_).judge);
  const torch::AutoGradMode withGraph(gradients);
  const auto leaf = gradients ? points.detach().requires_grad_() : points;
  Sight sight;
  torch::Tensor functions;
  if (objective_.classes() > 0) {
    const auto logits = objective_.logits(leaf);
    sight.logits = logits.detach();
    sight.labels = objective_.labels(samples, context_.device);
    sight.judged = objective_.judgeLogits(sight.logits, sight.labels);
    functions = seeker_->functions(logits, sight.labels);
    sight.values = functions.detach().to(torch::kFloat64);
  } else if (gradients) {
    const auto values = objective_.evaluate(leaf, samples);
    sight.judged = values.judged;
    functions = values.guide.unsqueeze(1);
  } else {
    sight.judged = objective_.judge(leaf, samples);
  }
  sight.judged = sight.judged.to(torch::kFloat64);
  sight.margin = sight.judged - thresholds;
  if (objective_.classes() == 0) sight.values = sight.margin.unsqueeze(1);
  if (gradients) {
    if (!functions.requires_grad()) {
      throw Error::failed("the score has no gradient with respect to the image", plan_.name,
                          "a detector that is not differentiable must offer a surrogate");
    }
    const auto backward = [this, rows = points.size(0)] {
      context_.task.checkpoint();  // each is a pass of its own
      result_.backwards += rows * passesOf(objective_).gradient;
    };
    sight.gradients =
        std::make_shared<ClassGradients>(functions, leaf, plan_.gradientBytes, backward);
  }
  return sight;
}

NearestSearch::Pass NearestSearch::pass() {
  std::vector<double> thresholds;
  std::vector<std::int64_t> judging;
  bool moves = false;
  for (std::size_t i = 0; i < rows_.rows().size(); ++i) {
    const Row& row = rows_.rows()[i];
    const auto which = std::min(thresholdOf(row), thresholds_.size() - 1);
    thresholds.push_back(std::min(thresholds_[which], std::numeric_limits<double>::max()));
    if (!row.live || row.finishedIn > 0) continue;
    if (progress_[i].judging) judging.push_back(static_cast<std::int64_t>(i));
    moves = moves || (!progress_[i].judging && row.step + 1 < plan_.passes);
  }
  if (pass_ < logged_) {
    moves = (log_[pass_] & kMoved) != 0;  // of the samples finished since, too
  } else {
    log_.push_back(moves ? kMoved : 0);
  }
  auto points = seeker_->points();
  auto searching =
      torch::ones({points.size(0)}, torch::TensorOptions(context_.device).dtype(torch::kBool));
  if (!judging.empty()) {
    searching.index_fill_(0, index(judging), false);
    points = torch::where(perRow(searching), points, candidates_);
  }
  const auto limits = torch::tensor(thresholds, torch::kFloat64).to(context_.device);
  auto sight = evaluate(points, samples_, limits, moves);
  if (moves && compareRows(points)) log_[pass_] |= kCompared;

  const auto& judged = sight.judged;
  sight.crossed = seeker_->crossed(sight) & searching;
  const auto far = distancesBetween(points, centres_, plan_.distance);
  const auto nearer = sight.crossed & (far < nearestDistances_);
  nearestDistances_ = torch::where(nearer, far, nearestDistances_);
  nearestValues_ = torch::where(nearer, judged, nearestValues_);
  nearest_ = torch::where(perRow(nearer), points, nearest_);
  last_ = points.clone();
  if (bounded() || plan_.everyPoint) {
    // The clean image itself has its value already.
    auto better = (judged > bestValues_) & (far > 0);
    if (bounded()) {
      const auto norm = plan_.threat.norm == Norm::L2 ? Distance::L2 : Distance::Linf;
      // A candidate was projected: the rounding of its distance is nobody's business.
      better = better & ((distancesBetween(points, centres_, norm) <= plan_.threat.epsilon) |
                         searching.logical_not());
    }
    bestValues_ = torch::where(better, judged, bestValues_);
    best_ = torch::where(perRow(better), points, best_);
  }
  Pass done;
  const auto finite = torch::isfinite(judged);
  done.best = toHost(torch::where(finite, bestValues_, torch::full_like(bestValues_, NAN)));
  done.nearest = toHost(nearestDistances_);
  done.moved = moves;
  done.over = torch::ones({points.size(0)}, torch::kBool);
  if (moves) {
    done.over = seeker_->move(sight).to(torch::kCPU, torch::kBool).contiguous();
    done.magnitude = toHost(sight.gradients->largest());
  }
  return done;
}

void NearestSearch::setBest(Row& row, Progress& progress, double best) {
  ++progress.time;
  if (best > row.best) row.improvements.push_back({progress.time, best});
  row.best = std::max(row.best, best);
  latest_ = std::max(latest_, progress.time);
}

/// Enters what a pass found, ends searches, and begins the next ones.
void NearestSearch::account(const Pass& pass) {
  ++pass_;
  std::vector<std::int64_t> over, left, next;
  const bool* const ended = pass.over.defined() ? pass.over.data_ptr<bool>() : nullptr;
  for (std::size_t i = 0; i < rows_.rows().size(); ++i) {
    Row& row = rows_.rows()[i];
    if (!row.live) continue;
    Progress& progress = progress_[i];
    if (row.finishedIn > 0) {
      if (++progress.time < row.finishedIn) continue;
      row.live = false;
      if (pass.best.empty()) {  // what has been counted up to here
        std::tie(result_.forwards, result_.backwards) =
            counted_[static_cast<std::size_t>(row.sample)];
      }
      context_.task.skip(1);
      continue;
    }
    const auto at = static_cast<std::int64_t>(i);
    const bool moves = pass.moved && !progress.judging && row.step + 1 < plan_.passes;
    if (std::isnan(pass.best[i]) || (moves && !std::isfinite(pass.magnitude[i]))) {
      throw Error::failed("the value or gradient of image " + std::to_string(row.sample) +
                              " is not finite at step " + std::to_string(progress.time),
                          plan_.name, "the classifier or the detector has diverged");
    }
    if (moves) {
      row.zeroGradient = row.zeroGradient || pass.magnitude[i] == 0.0;
    }
    setBest(row, progress, pass.best[i]);
    if (pictured(row)) {
      snapshot(row, progress.time, progress.time, best_[at]);
    }
    if (std::isfinite(pass.nearest[i])) {
      auto& nearest = result_.distances.data_ptr<double>()[row.sample];
      nearest = std::min(nearest, pass.nearest[i]);
    }
    if (row.best > bound_ && (bounded() || plan_.everyPoint)) {
      left.push_back(at);
    } else if (progress.judging) {
      progress.judging = false;
      row.restart = (row.restart / plan_.quests + 1) * plan_.quests;
      row.step = 0;
      finished(row) ? left.push_back(at) : next.push_back(at);
    } else if (++row.step >= plan_.passes || ended[i]) {
      row.step = 0;
      ++row.restart;
      row.restart % plan_.quests == 0 ? over.push_back(at) : next.push_back(at);
    }
  }
  if (!over.empty()) {
    endThreshold(over);
    for (const auto at : over) {
      const auto i = static_cast<std::size_t>(at);
      if (progress_[i].judging) continue;
      finished(rows_.rows()[i]) ? left.push_back(at) : next.push_back(at);
    }
  }
  leave(left);
  std::vector<std::int64_t> fresh;
  for (const auto at : next) {
    if (rows_.rows()[static_cast<std::size_t>(at)].restart % plan_.quests == 0) fresh.push_back(at);
  }
  if (!fresh.empty()) {
    nearestDistances_.index_fill_(0, index(fresh), kNever);
    nearestValues_.index_fill_(0, index(fresh), -kNever);
  }
  if (!next.empty()) begin(next);
}

/// All searches for a threshold are over: the nearest crossing counts, as it is or in the ball.
void NearestSearch::endThreshold(const std::vector<std::int64_t>& rows) {
  if (plan_.everyPoint) return;  // it has counted already
  const auto which = index(rows);
  const auto none = nearestDistances_.index_select(0, which) == kNever;
  auto points = nearest_.index_select(0, which);
  if (bounded()) {
    points = torch::where(perRow(none), last_.index_select(0, which), points).contiguous();
    Ball(plan_.threat, centres_.index_select(0, which)).project(points);
    candidates_.index_copy_(0, which, points);
    for (const auto at : rows) {
      const auto i = static_cast<std::size_t>(at);
      --rows_.rows()[i].restart;  // still at this threshold
      progress_[i].judging = true;
    }
    return;
  }
  const auto values = nearestValues_.index_select(0, which);
  const auto old = bestValues_.index_select(0, which);
  const auto better = values > old;
  bestValues_.index_copy_(0, which, torch::where(better, values, old));
  best_.index_copy_(0, which, torch::where(perRow(better), points, best_.index_select(0, which)));
  const auto best = toHost(bestValues_);
  for (const auto at : rows) {
    const auto i = static_cast<std::size_t>(at);
    Row& row = rows_.rows()[i];
    if (best[i] > row.best) row.improvements.push_back({progress_[i].time, best[i]});
    row.best = best[i];
    if (pictured(row)) {
      snapshot(row, progress_[i].time, progress_[i].time, best_[at]);
    }
  }
}

/// Lets finished samples go: their last best value stands for all remaining times.
void NearestSearch::leave(const std::vector<std::int64_t>& rows) {
  if (rows.empty()) return;
  std::vector<std::int64_t> samples;
  for (const auto at : rows) {
    Row& row = rows_.rows()[static_cast<std::size_t>(at)];
    row.live = false;
    samples.push_back(row.sample);
  }
  result_.images.index_copy_(0, torch::tensor(samples, torch::kInt64),
                             best_.index_select(0, index(rows)).to(torch::kCPU));
  for (const auto at : rows) {
    Row& row = rows_.rows()[static_cast<std::size_t>(at)];
    row.passes = progress_[static_cast<std::size_t>(at)].time;
    const std::int64_t next = row.passes + 1;
    result_.improvements[static_cast<std::size_t>(row.sample)] = row.improvements;
    result_.values[row.sample] = row.best;
    result_.zeroGradient[row.sample] = row.zeroGradient;
    result_.saturated[row.sample] = row.best > bound_;
    snapshot(row, next, std::numeric_limits<std::int64_t>::max(), result_.images[row.sample]);
    context_.task.advance(1);
    if (context_.progress) fresh_.push_back(finishedSample(row, result_, context_));
  }
}

/// Keeps `image` for the wanted times within [from, to].
void NearestSearch::snapshot(const Row& row, std::int64_t from, std::int64_t to,
                             const torch::Tensor& image) {
  keepSnapshots(
      row.sample, from, to, row.best, [&] { return image; }, context_, result_);
}

AttackResult seekNearest(const NearestPlan& plan, const SeekerFactory& seeker, Objective& objective,
                         const torch::Tensor& images, const AttackContext& context) {
  requireImages(images, plan.name);
  return NearestSearch(plan, seeker, objective, images, context).run();
}

}  // namespace bulwark
