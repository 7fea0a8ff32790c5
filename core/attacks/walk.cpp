#include "core/attacks/walk.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <utility>

#include "core/attacks/ball.h"
#include "core/attacks/passes.h"
#include "core/attacks/row_plan.h"
#include "core/attacks/snapshots.h"
#include "core/attacks/threat.h"
#include "core/attacks/walk_resume.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

/// On an accelerator the judged values are read back once in this many steps, so that the host
/// can queue work ahead; a saturated sample then leaves up to this many steps later.
constexpr std::int64_t kStepsPerRead = 4;

/// The judged value beyond which a sample is finished.
double boundOf(const WalkPlan& plan, const AttackContext& context) {
  const double bound = finishBound(context);
  return plan.keeps == Kept::Last ? plan.enough : std::min(bound, plan.enough);
}

class Walk {
 public:
  Walk(const WalkPlan& plan, const WalkerFactory& walker, Objective& objective,
       const torch::Tensor& images, const AttackContext& context);
  AttackResult run();

 private:
  /// What one pass leaves for the host, [W] float64 each.
  struct Pass {
    torch::Tensor judged, guide, magnitude;  // the latter two undefined: no gradient was needed
  };

  void startResult();
  void seat();
  Objective::Values evaluate(const torch::Tensor& points, const torch::Tensor& samples,
                             torch::Tensor* gradient);
  void count(std::int64_t rows, bool gradient);
  void pass();
  bool readDue() const;
  void readBack();
  void restore();
  void skipPass(bool descend);
  void rearrange(std::int64_t toCome, const torch::Tensor& points, const torch::Tensor& judged,
                 const torch::Tensor& gradient);
  void commit();
  void account(std::int64_t index, double judged, bool moves, double guide, double magnitude);
  void snapshot(const Row& row, std::int64_t from, std::int64_t to,
                const std::function<torch::Tensor()>& image);
  void leave(const Row& row);
  void finishRows();
  void shrinkBatch();
  void report() const;
  torch::Tensor selectImages(const std::vector<std::int64_t>& rows) const;
  void beginRestart(const std::vector<std::int64_t>& rows, const torch::Tensor& images);
  void keepBest(const torch::Tensor& judged);
  torch::Tensor bestImages(const std::vector<std::int64_t>& rows) const;
  void requireFinite(double value, const char* what, const Row& row) const;

  const WalkPlan& plan_;
  const WalkerFactory& makeWalker_;
  Objective& objective_;
  const torch::Tensor& images_;
  const AttackContext& context_;
  const std::int64_t count_;
  torch::Tensor clean_;  // [N] float64, or undefined: iterate 0 gives it
  AttackResult result_;
  RowPlan rows_;
  const double bound_;  // judged value beyond which a sample is finished
  std::unique_ptr<Walker> walker_;
  torch::Tensor best_, bestValues_;  // of the rows, on the device
  torch::Tensor samples_;
  std::vector<Pass> unread_;
  std::vector<std::int64_t>
      finishedIn_;                     // passes that an earlier execution needed; 0: not finished
  std::vector<std::uint8_t> settled_;  // what comparisons of rows said, in their order
  std::size_t comparisons_ = 0;        // made or repeated from `settled_` so far
  std::vector<FinishedSample> fresh_;  // not yet committed
};

Walk::Walk(const WalkPlan& plan, const WalkerFactory& walker, Objective& objective,
           const torch::Tensor& images, const AttackContext& context)
    : plan_(plan),
      makeWalker_(walker),
      objective_(objective),
      images_(images),
      context_(context),
      count_(images.size(0)),
      rows_(count_, std::max<std::int64_t>(1, context.batchSize)),
      bound_(boundOf(plan, context)) {
  if (plan.keeps == Kept::Last && plan.restarts != 1) {
    throw Error::failed("the last iterate of several restarts is not defined", plan.name);
  }
  if (context.clean.defined()) {
    clean_ = context.clean.to(torch::kCPU, torch::kFloat64).contiguous();
    if (clean_.dim() != 1 || clean_.size(0) != count_) {
      throw Error::failed("clean values do not match the images", plan.name);
    }
  }
  if (context.starts.defined()) {
    auto shape = images.sizes().vec();
    shape.insert(shape.begin() + 1, plan.restarts);
    if (context.starts.sizes() != torch::IntArrayRef(shape)) {
      throw Error::failed("the starting points do not match the images and restarts", plan.name);
    }
  }
  if (context.warm.defined() && context.warm.sizes() != images.sizes()) {
    throw Error::failed("the warm points do not match the images", plan.name);
  }
}

void Walk::startResult() {
  result_.images = images_.clone(torch::MemoryFormat::Contiguous);
  result_.values = torch::zeros({count_}, torch::kFloat64);
  result_.saturated = torch::zeros({count_}, torch::kBool);
  result_.zeroGradient = torch::zeros({count_}, torch::kBool);
  result_.improvements.resize(static_cast<std::size_t>(count_));
  const bool known = clean_.defined();
  const auto passes = passesOf(objective_);
  for (std::int64_t time = 0; time <= plan_.restarts * plan_.steps; ++time) {
    // Each restart has one forward more than steps, for its start.
    const std::int64_t restart = time == 0 ? 0 : (time - 1) / plan_.steps;
    const auto forwards = plan_.gradients ? passes.evaluate : passes.judge;
    // What leads takes part in the first gradients of every restart.
    const std::int64_t leading = std::min(plan_.leading, plan_.steps);
    const std::int64_t led = restart * leading + std::min(time - restart * plan_.steps, leading);
    result_.propagations.push_back((time + restart + 1) * forwards +
                                   (plan_.gradients ? time * passes.gradient : 0) +
                                   (plan_.gradients ? led * plan_.leadingForwards : 0) +
                                   (known || plan_.startsClean ? 0 : passes.judge));
  }
  for (std::int64_t restart = 1; restart <= plan_.restarts; ++restart) {
    result_.restartEnds.push_back(restart * plan_.steps);
  }
  startSnapshots(images_, context_, result_);
}

AttackResult Walk::run() {
  startResult();
  const bool still = plan_.threat.norm != Norm::None && plan_.threat.epsilon == 0.0;
  if (!clean_.defined() && (!plan_.startsClean || still)) {
    clean_ = judgeImages(objective_, images_, rows_.width(), context_, result_);
  }
  if (count_ > 0) {
    best_ = toDevice(images_.slice(0, 0, rows_.width()), context_.device).clone();
    bestValues_ = torch::full({rows_.width()}, -std::numeric_limits<double>::infinity(),
                              torch::TensorOptions(context_.device).dtype(torch::kFloat64));
    walker_ = makeWalker_(best_);
  }
  for (std::int64_t i = 0; i < count_; ++i) {
    Row row;
    row.sample = i;
    if (clean_.defined()) {
      row.best = row.kept = clean_[i].item<double>();
      requireFinite(row.best, "value", row);
      if (still || row.best > bound_) {
        row.improvements.push_back({0, row.best});
        snapshot(row, 0, 0, [&] { return images_[i]; });
        leave(row);
        continue;
      }
    }
    rows_.enqueue(i);
  }
  restore();
  if (count_ > 0) seat();
  while (rows_.live() > 0) {
    context_.task.checkpoint();
    pass();
    if (!readDue()) continue;
    readBack();
    finishRows();
    if (context_.progress && !fresh_.empty() && context_.progress->due()) commit();
    seat();
    shrinkBatch();
    report();
  }
  if (count_ > 0)
    result_.trajectory = meanTrajectory(result_.improvements, plan_.restarts * plan_.steps);
  if (plan_.keeps == Kept::Last) {  // the best values are not the result
    result_.improvements.clear();
    result_.propagations.clear();
    result_.restartEnds.clear();
  }
  auditPerturbation(images_, result_.images, plan_.threat, plan_.name);
  return std::move(result_);
}

/// How far the images of the batch have come; those known from an earlier execution cost nothing.
void Walk::report() const {
  double moved = 0.0;
  for (const Row& row : rows_.rows()) {
    if (!row.live || row.finishedIn > 0) continue;
    moved += static_cast<double>(row.restart * (plan_.steps + 1) + row.step);
  }
  context_.task.underway(moved / static_cast<double>(plan_.restarts * (plan_.steps + 1)));
}

torch::Tensor Walk::selectImages(const std::vector<std::int64_t>& rows) const {
  const auto index = torch::tensor(rows, torch::kInt64);
  return images_.index_select(0, samples_.index_select(0, index));
}

/// Hands the walker the rows that begin a restart.
void Walk::beginRestart(const std::vector<std::int64_t>& rows, const torch::Tensor& images) {
  std::vector<Seat> seats;
  for (const auto index : rows) {
    const Row& row = rows_.rows()[static_cast<std::size_t>(index)];
    seats.push_back({index, row.sample, row.restart,
                     context_.seed.child(static_cast<std::uint64_t>(row.sample))
                         .child(static_cast<std::uint64_t>(row.restart))});
    if (context_.starts.defined()) {
      seats.back().start = context_.starts[row.sample][row.restart];
    } else if (context_.warm.defined() && row.restart == 0) {
      seats.back().start = context_.warm[row.sample];
    }
  }
  const torch::NoGradGuard noGrad;
  walker_->seat(seats, images);
}

/// Takes over what an earlier execution has finished.
void Walk::restore() {
  finishedIn_.assign(static_cast<std::size_t>(count_), 0);
  if (!context_.progress) return;
  const FinishedWalk before = context_.progress->begin(
      walkFingerprint(plan_, images_, clean_, context_, bound_, rows_.width()));
  settled_ = before.settled;
  finishedIn_ = restoreSamples(before, context_, plan_.name, result_);
}

void Walk::commit() {
  context_.progress->commit(fresh_, settled_);
  fresh_.clear();
}

/// Fills idle rows with waiting samples.
void Walk::seat() {
  std::vector<std::int64_t> filled;
  for (const auto index : rows_.seat()) {
    Row& row = rows_.rows()[static_cast<std::size_t>(index)];
    row.finishedIn = finishedIn_[static_cast<std::size_t>(row.sample)];
    if (row.finishedIn == 0) filled.push_back(index);
  }
  samples_ = rows_.samples();
  if (filled.empty()) return;
  std::vector<double> best;
  for (const auto index : filled) {
    Row& row = rows_.rows()[static_cast<std::size_t>(index)];
    row.best = clean_.defined() ? clean_[row.sample].item<double>()
                                : -std::numeric_limits<double>::infinity();
    row.kept = row.best;
    best.push_back(row.best);
  }
  const torch::NoGradGuard noGrad;
  const auto index = torch::tensor(filled, torch::kInt64).to(context_.device);
  const auto images = toDevice(selectImages(filled), context_.device);
  best_.index_copy_(0, index, images);
  bestValues_.index_copy_(0, index, torch::tensor(best, torch::kFloat64).to(context_.device));
  beginRestart(filled, images);
}

/// Takes the walker's points over where `judged` (float64 [W]) is larger, or, where the last
/// counts, always; not after a point that was enough.
void Walk::keepBest(const torch::Tensor& judged) {
  const torch::NoGradGuard noGrad;
  auto improved =
      plan_.keeps == Kept::Last ? torch::ones_like(judged, torch::kBool) : judged > bestValues_;
  if (std::isfinite(plan_.enough)) improved = improved & (bestValues_ <= plan_.enough);
  torch::where_out(bestValues_, improved, judged, bestValues_);
  torch::where_out(best_, perRow(improved), walker_->points(), best_);
}

torch::Tensor Walk::bestImages(const std::vector<std::int64_t>& rows) const {
  return best_.index_select(0, torch::tensor(rows, torch::kInt64).to(context_.device))
      .to(torch::kCPU);
}

/// Counts one evaluation of so many rows.
void Walk::count(std::int64_t rows, bool gradient) {
  const auto passes = passesOf(objective_);
  result_.forwards += rows * (gradient ? passes.evaluate : passes.judge);
  if (!gradient) return;
  result_.backwards += rows * passes.gradient;
  // Told from the rows, computed or not: a resumed execution counts the same.
  const auto ahead = static_cast<std::int64_t>(unread_.size());
  const bool led = std::any_of(rows_.rows().begin(), rows_.rows().end(), [&](const Row& row) {
    return row.live && row.step + ahead < plan_.leading;
  });
  if (led) result_.forwards += rows * plan_.leadingForwards;
}

/// Values at `points`, and the guide's gradient with respect to them unless `gradient` is null.
Objective::Values Walk::evaluate(const torch::Tensor& points, const torch::Tensor& samples,
                                 torch::Tensor* gradient) {
  count(points.size(0), gradient != nullptr);
  if (!gradient) return {{}, objective_.judge(points, samples)};
  // A leaf of its own that shares the buffer: the graph is gone before the step writes to it.
  const torch::AutoGradMode withGraph(true);
  const auto leaf = points.detach().requires_grad_();
  auto values = objective_.evaluate(leaf, samples);
  if (!values.guide.requires_grad()) {
    throw Error::failed("the score has no gradient with respect to the image", plan_.name,
                        "a detector that is not differentiable must offer a surrogate");
  }
  *gradient = torch::autograd::grad({values.guide.sum()}, {leaf})[0];
  return values;
}

/// One forward, and a backward and step unless every sample is at its last iterate.
void Walk::pass() {
  const auto ahead = static_cast<std::int64_t>(unread_.size());
  bool moves = false;
  std::int64_t toCome = 0;
  std::vector<std::int64_t> known;  // rows at a clean image whose value is given
  for (std::size_t i = 0; i < rows_.rows().size(); ++i) {
    const Row& row = rows_.rows()[i];
    if (!row.live) continue;
    moves = moves || row.step + ahead < plan_.steps;
    toCome = std::max(toCome, plan_.steps - row.step - ahead +
                                  (plan_.restarts - 1 - row.restart) * (plan_.steps + 1));
    if (row.step + ahead == 0 && plan_.startsClean && clean_.defined()) {
      known.push_back(static_cast<std::int64_t>(i));
    }
  }
  torch::Tensor gradient;
  const bool descend = moves && plan_.gradients;
  if (rows_.working() == 0) {
    if (moves) rearrange(toCome, {}, {}, {});
    skipPass(descend);
    return;
  }
  const auto& points = walker_->points();
  const auto values = evaluate(points, samples_, descend ? &gradient : nullptr);
  Evaluation found;
  found.judged = values.judged.to(torch::kFloat64);
  Pass done;
  done.judged = found.judged;
  if (static_cast<std::int64_t>(known.size()) < rows_.live()) {
    auto judged = found.judged;
    if (!known.empty()) {
      const auto index = torch::tensor(known, torch::kInt64).to(context_.device);
      judged = judged.index_fill(0, index, -std::numeric_limits<double>::infinity());
    }
    keepBest(judged);
  }
  if (moves) {
    rearrange(toCome, points, values.judged, gradient);
    if (descend) {
      found.guide = values.guide.detach().to(torch::kFloat64);
      found.gradient = gradient;
      found.magnitude = rowMaxima(gradient);
      done.guide = found.guide;
      done.magnitude = found.magnitude.to(torch::kFloat64);
    }
    for (const Row& row : rows_.rows()) found.steps.push_back(row.step + ahead);
    const torch::NoGradGuard noGrad;
    walker_->move(found);
  }
  unread_.push_back(std::move(done));
}

/// A pass in which every sample is known already: it is counted.
void Walk::skipPass(bool descend) {
  count(rows_.width(), descend);
  unread_.emplace_back();
}

/// Compares rows of the batch at `points` with the same in another order or a smaller batch, where
/// that could save propagations.
void Walk::rearrange(std::int64_t toCome, const torch::Tensor& points, const torch::Tensor& judged,
                     const torch::Tensor& gradient) {
  if (!std::isfinite(bound_)) return;
  const auto order = rows_.proposal(toCome);
  if (!order.defined()) return;
  if (comparisons_ >= settled_.size() && !points.defined()) {
    throw Error::failed("the stored progress lacks a decision", plan_.name, "start the run anew");
  }
  if (comparisons_ < settled_.size()) {
    count(order.size(0), plan_.gradients);
  } else {
    const auto index = order.to(context_.device);
    torch::Tensor again;
    const auto other = evaluate(points.index_select(0, index), samples_.index_select(0, order),
                                plan_.gradients ? &again : nullptr);
    const bool same = torch::equal(other.judged, judged.index_select(0, index)) &&
                      (!plan_.gradients || torch::equal(again, gradient.index_select(0, index)));
    settled_.push_back(same ? 1 : 0);
  }
  rows_.settle(order, settled_[comparisons_++] != 0);
}

bool Walk::readDue() const {
  const auto ahead = static_cast<std::int64_t>(unread_.size());
  if (context_.device.is_cpu() || ahead >= kStepsPerRead) return true;
  const auto& samples = context_.snapshotSamples;
  const auto& times = context_.snapshotSteps;
  return std::any_of(rows_.rows().begin(), rows_.rows().end(), [&](const Row& row) {
    if (!row.live) return false;
    const std::int64_t judged = row.step + ahead - 1;  // by the latest pass
    if (judged >= plan_.steps) return true;
    return std::count(samples.begin(), samples.end(), row.sample) > 0 &&
           std::count(times.begin(), times.end(), row.restart * plan_.steps + judged) > 0;
  });
}

void Walk::requireFinite(double value, const char* what, const Row& row) const {
  if (std::isfinite(value)) return;
  throw Error::failed(std::string("the ") + what + " of image " + std::to_string(row.sample) +
                          " is " + formatNumber(value) + " at step " + std::to_string(row.step),
                      plan_.name, "the classifier or the detector has diverged");
}

/// Replays on the host what the device has done since the last time.
void Walk::readBack() {
  for (const Pass& pass : unread_) {
    if (!pass.judged.defined()) {  // skipped
      for (Row& row : rows_.rows()) {
        if (!row.live) continue;
        ++row.step;
        ++row.passes;
      }
      continue;
    }
    const auto judged = pass.judged.to(torch::kCPU);
    torch::Tensor guide, magnitude;
    if (pass.guide.defined()) {
      guide = pass.guide.to(torch::kCPU);
      magnitude = pass.magnitude.to(torch::kCPU);
    }
    for (std::size_t i = 0; i < rows_.rows().size(); ++i) {
      const Row& row = rows_.rows()[i];
      if (!row.live) continue;
      const bool moves = guide.defined() && row.step < plan_.steps;
      account(static_cast<std::int64_t>(i), judged.data_ptr<double>()[i], moves,
              moves ? guide.data_ptr<double>()[i] : 0.0,
              moves ? magnitude.data_ptr<double>()[i] : 0.0);
    }
  }
  unread_.clear();
}

/// Enters one judged iterate of the sample in row `index`.
void Walk::account(std::int64_t index, double judged, bool moves, double guide, double magnitude) {
  Row& row = rows_.rows()[static_cast<std::size_t>(index)];
  ++row.passes;
  if (row.finishedIn > 0) {
    ++row.step;
    return;
  }
  requireFinite(judged, "value", row);
  if (moves) {
    requireFinite(guide, "guide", row);
    requireFinite(magnitude, "gradient", row);
    row.zeroGradient = row.zeroGradient || magnitude == 0.0;
  }
  const bool known = row.step == 0 && plan_.startsClean && clean_.defined();
  if (!known && row.best <= plan_.enough) {
    if (plan_.keeps == Kept::Last || judged > row.best) row.kept = judged;
    row.best = std::max(row.best, judged);
  }
  // The start of a later restart belongs to that restart's first step.
  if (row.step > 0 || row.restart == 0) {
    const std::int64_t time = row.restart * plan_.steps + row.step;
    if (row.improvements.empty() || row.best > row.improvements.back().value) {
      row.improvements.push_back({time, row.best});
    }
    snapshot(row, time, time, [&] { return bestImages({index})[0]; });
  }
  ++row.step;
}

/// Keeps the best point of `row` for the wanted times within [from, to].
void Walk::snapshot(const Row& row, std::int64_t from, std::int64_t to,
                    const std::function<torch::Tensor()>& image) {
  keepSnapshots(row.sample, from, to, row.kept, image, context_, result_);
}

/// The sample is finished: its last best value stands for all remaining times.
void Walk::leave(const Row& row) {
  // row.step counts the iterates judged in this restart, the start (time 0) included.
  const std::int64_t next = row.restart * plan_.steps + std::max<std::int64_t>(row.step, 1);
  auto improvements = row.improvements;
  if (row.best > improvements.back().value) improvements.push_back({next, row.best});
  result_.improvements[static_cast<std::size_t>(row.sample)] = improvements;
  result_.values[row.sample] = row.kept;
  result_.zeroGradient[row.sample] = row.zeroGradient;
  result_.saturated[row.sample] = row.best > bound_;
  snapshot(row, next, std::numeric_limits<std::int64_t>::max(),
           [&] { return result_.images[row.sample]; });
  context_.task.advance(1);
  if (context_.progress && row.passes > 0) {
    fresh_.push_back(finishedSample(row, result_, context_));
  }
}

/// Lets finished samples go and starts the next restart of the others that reached their end.
void Walk::finishRows() {
  std::vector<std::int64_t> finished, samples, restarted;
  for (std::size_t i = 0; i < rows_.rows().size(); ++i) {
    Row& row = rows_.rows()[i];
    if (!row.live) continue;
    const bool ended = row.step > plan_.steps;
    if (row.finishedIn > 0) {
      if (row.passes >= row.finishedIn) {
        row.live = false;
        context_.task.skip(1);
      } else if (ended) {
        ++row.restart;
        row.step = 0;
      }
      continue;
    }
    if (row.best > bound_ || (ended && row.restart + 1 == plan_.restarts)) {
      row.live = false;
      finished.push_back(static_cast<std::int64_t>(i));
      samples.push_back(row.sample);
    } else if (ended) {
      ++row.restart;
      row.step = 0;
      restarted.push_back(static_cast<std::int64_t>(i));
    }
  }
  if (!finished.empty()) {
    walker_->leave(finished);
    result_.images.index_copy_(0, torch::tensor(samples, torch::kInt64), bestImages(finished));
    for (const auto i : finished) leave(rows_.rows()[static_cast<std::size_t>(i)]);
  }
  if (!restarted.empty()) {
    beginRestart(restarted, toDevice(selectImages(restarted), context_.device));
  }
}

void Walk::shrinkBatch() {
  const auto kept = rows_.shrink();
  if (kept.empty()) return;
  const auto index = torch::tensor(kept, torch::kInt64).to(context_.device);
  walker_->keep(index);
  best_ = best_.index_select(0, index);
  bestValues_ = bestValues_.index_select(0, index);
  samples_ = rows_.samples();
}

}  // namespace

AttackResult walk(const WalkPlan& plan, const WalkerFactory& walker, Objective& objective,
                  const torch::Tensor& images, const AttackContext& context) {
  requireImages(images, plan.name);
  return Walk(plan, walker, objective, images, context).run();
}

}  // namespace bulwark
