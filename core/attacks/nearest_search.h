#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/attacks/nearest.h"
#include "core/attacks/progress.h"
#include "core/attacks/row_plan.h"

namespace bulwark {

/// One execution of `seekNearest`: the batch, its rows and what has been found. The search itself
/// is in nearest.cpp; going on from an earlier execution, which rows may move when the batch
/// shrinks, and how far it has come are in nearest_resume.cpp.
class NearestSearch {
 public:
  NearestSearch(const NearestPlan& plan, const SeekerFactory& seeker, Objective& objective,
                const torch::Tensor& images, const AttackContext& context);
  AttackResult run();

 private:
  /// What the rows know beyond `Row`: Row::restart counts searches over all thresholds, Row::step
  /// the points of the search, and this the passes of the sample and whether the pass to come
  /// judges a point that was moved into the ball.
  struct Progress {
    std::int64_t time = 0;
    bool judging = false;
  };
  /// `best` is empty where nothing was computed: each sample is known from an earlier execution.
  struct Pass {
    std::vector<double> best, nearest, magnitude;  // [W]
    torch::Tensor over;                            // [W] bool, CPU
    bool moved = false;
  };

  void startResult();
  void seat();
  void begin(const std::vector<std::int64_t>& rows);
  Sight evaluate(const torch::Tensor& points, const torch::Tensor& samples,
                 const torch::Tensor& thresholds, bool gradients);
  Pass pass();
  void account(const Pass& pass);
  void endThreshold(const std::vector<std::int64_t>& rows);
  void skipCrossed(Row& row) const;
  void setBest(Row& row, Progress& progress, double best);
  void leave(const std::vector<std::int64_t>& rows);
  void snapshot(const Row& row, std::int64_t from, std::int64_t to, const torch::Tensor& image);

  // nearest_resume.cpp
  void restore();
  void commit();
  void report() const;
  std::vector<torch::Tensor> probe(const torch::Tensor& points, const torch::Tensor& samples);
  bool compareRows(const torch::Tensor& points);
  Pass skipPass();
  void shrinkBatch();

  torch::Tensor index(const std::vector<std::int64_t>& rows) const {
    return torch::tensor(rows, torch::kInt64).to(context_.device);
  }
  bool bounded() const { return plan_.threat.norm != Norm::None; }
  bool pictured(const Row& row) const {
    const auto& samples = context_.snapshotSamples;
    return std::find(samples.begin(), samples.end(), row.sample) != samples.end();
  }
  std::size_t thresholdOf(const Row& row) const {
    return static_cast<std::size_t>(row.restart / plan_.quests);
  }
  bool finished(const Row& row) const {
    return thresholdOf(row) >= thresholds_.size() || row.best > bound_;
  }

  const NearestPlan& plan_;
  const SeekerFactory& makeSeeker_;
  Objective& objective_;
  const torch::Tensor& images_;
  const AttackContext& context_;
  const std::int64_t count_;
  const double bound_;
  std::vector<double> thresholds_, clean_;
  AttackResult result_;
  RowPlan rows_;
  std::vector<Progress> progress_;  // per row
  std::unique_ptr<Seeker> seeker_;
  // Of the rows, on the device. Nearest: of the current threshold.
  torch::Tensor centres_, best_, bestValues_, nearest_, nearestDistances_, nearestValues_, last_;
  torch::Tensor candidates_;  // moved into the ball, to be judged
  torch::Tensor samples_;
  std::int64_t latest_ = 0;        // pass that a sample has reached
  std::size_t pass_ = 0;           // over the whole batch
  std::vector<std::uint8_t> log_;  // what each pass did, those of earlier executions included
  std::size_t logged_ = 0;         // passes known from an earlier execution
  std::vector<std::pair<std::int64_t, std::int64_t>> counted_;  // when it finished a sample
  std::vector<std::int64_t> finishedIn_;  // in so many passes; 0: not finished
  std::vector<FinishedSample> fresh_;     // not yet committed
};

}  // namespace bulwark
