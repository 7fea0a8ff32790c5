#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <deque>
#include <set>
#include <utility>
#include <vector>

#include "core/attacks/progress.h"

namespace bulwark {

/// One row of the active batch.
struct Row {
  std::int64_t sample = -1;   ///< position in the set; the last one when idle
  bool live = false;          ///< idle rows only keep the batch at its size
  std::int64_t restart = 0;   ///< 0, 1, ...
  std::int64_t step = 0;      ///< iterate that the next pass evaluates
  double best = 0.0;          ///< best judged value so far
  double kept = 0.0;          ///< of the point that would be the result now
  bool zeroGradient = false;  ///< seen at some step
  std::int64_t passes = 0;    ///< iterates judged so far, over all restarts
  /// > 0: an earlier execution has finished the sample in so many passes. The row is held for as
  /// long, so that the others find the batch as it was, but nothing is computed for it.
  std::int64_t finishedIn = 0;
  std::vector<Improvement> improvements = {};
};

/// Which sample is propagated in which row of the batch, and when the batch may change.
class RowPlan {
 public:
  /// Rows 0 .. width - 1 hold samples 0 .. width - 1, all idle; no sample waits.
  RowPlan(std::int64_t samples, std::int64_t batchSize);

  std::int64_t width() const { return static_cast<std::int64_t>(rows_.size()); }
  std::vector<Row>& rows() { return rows_; }
  const std::vector<Row>& rows() const { return rows_; }
  std::int64_t live() const;
  /// Live rows whose sample is not yet known from an earlier execution.
  std::int64_t working() const;
  /// int64 [width]: the sample of each row.
  torch::Tensor samples() const;

  void enqueue(std::int64_t sample);
  /// Seats waiting samples in idle rows: each in its own row (sample mod width), or, once rows are
  /// known to be alike, in any. Returns the rows that were filled.
  std::vector<std::int64_t> seat();

  /// A rearrangement that would save propagations if rows are alike: the rows to evaluate once
  /// more in that order, to be compared with the batch as it is. Undefined when there is none, or
  /// when the comparison costs more than `passes`, the passes still to come, can save.
  torch::Tensor proposal(std::int64_t passes) const;
  /// What the comparison said. Accepted: rows may be filled out of turn, or the batch may shrink to
  /// the proposed width; refused: never proposed again.
  void settle(const torch::Tensor& proposal, bool alike);
  /// Rows to keep, in order, when the batch may shrink now; empty otherwise.
  std::vector<std::int64_t> shrink();

 private:
  std::vector<std::int64_t> packed(std::int64_t width) const;
  std::int64_t packedWidth() const;

  std::vector<Row> rows_;
  std::vector<std::deque<std::int64_t>> waiting_;  // per row
  std::int64_t waitingCount_ = 0;
  bool anyRow_ = false, anyRowRefused_ = false, widthRefused_ = false;
  std::set<std::pair<std::int64_t, std::int64_t>> widths_;  // (from, to) found alike
};

}  // namespace bulwark
