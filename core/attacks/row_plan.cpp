#include "core/attacks/row_plan.h"

#include <algorithm>

#include "core/attacks/attack.h"

namespace bulwark {
namespace {

/// Below this share of live rows a rearrangement is looked for.
constexpr double kWorthwhile = 0.75;
/// Shrunk batches are a multiple of this: the tile of the matrix kernels.
constexpr std::int64_t kTile = 16;

}  // namespace

RowPlan::RowPlan(std::int64_t samples, std::int64_t batchSize) {
  const std::int64_t width = passSize(samples, batchSize);
  rows_.resize(static_cast<std::size_t>(width));
  waiting_.resize(rows_.size());
  for (std::int64_t i = 0; i < width; ++i) rows_[static_cast<std::size_t>(i)].sample = i;
}

std::int64_t RowPlan::live() const {
  return std::count_if(rows_.begin(), rows_.end(), [](const Row& row) { return row.live; });
}

std::int64_t RowPlan::working() const {
  return std::count_if(rows_.begin(), rows_.end(),
                       [](const Row& row) { return row.live && row.finishedIn == 0; });
}

torch::Tensor RowPlan::samples() const {
  std::vector<std::int64_t> samples;
  for (const Row& row : rows_) samples.push_back(row.sample);
  return torch::tensor(samples, torch::kInt64);
}

void RowPlan::enqueue(std::int64_t sample) {
  waiting_[static_cast<std::size_t>(sample) % waiting_.size()].push_back(sample);
  ++waitingCount_;
}

std::vector<std::int64_t> RowPlan::seat() {
  std::vector<std::int64_t> filled;
  for (std::size_t i = 0; i < rows_.size() && waitingCount_ > 0; ++i) {
    if (rows_[i].live) continue;
    auto* queue = &waiting_[i];
    if (anyRow_) {
      queue =
          &*std::min_element(waiting_.begin(), waiting_.end(), [](const auto& a, const auto& b) {
            return !a.empty() && (b.empty() || a.front() < b.front());
          });
    }
    if (queue->empty()) continue;
    rows_[i] = Row{};
    rows_[i].sample = queue->front();
    rows_[i].live = true;
    queue->pop_front();
    --waitingCount_;
    filled.push_back(static_cast<std::int64_t>(i));
  }
  return filled;
}

std::int64_t RowPlan::packedWidth() const {
  return (live() + kTile - 1) / kTile * kTile;
}

std::vector<std::int64_t> RowPlan::packed(std::int64_t width) const {
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < this->width(); ++i) {
    if (rows_[static_cast<std::size_t>(i)].live) order.push_back(i);
  }
  // Idle rows fill up to the width; there are enough of them, because the batch shrinks.
  for (std::int64_t i = 0; static_cast<std::int64_t>(order.size()) < width; ++i) {
    if (!rows_[static_cast<std::size_t>(i)].live) order.push_back(i);
  }
  return order;
}

torch::Tensor RowPlan::proposal(std::int64_t passes) const {
  const auto few = [this](std::int64_t count) {
    return static_cast<double>(count) <= kWorthwhile * static_cast<double>(width());
  };
  const std::int64_t count = live();
  if (count == 0 || !few(count)) return {};
  if (waitingCount_ > 0) {
    // Every row against its neighbour: if all agree, all rows are alike.
    if (anyRow_ || anyRowRefused_) return {};
    return torch::roll(torch::arange(width()), 1);
  }
  const std::int64_t to = packedWidth();
  if (widthRefused_ || !few(to) || widths_.count({width(), to}) > 0) return {};
  if ((width() - to) * passes <= to) return {};
  return torch::tensor(packed(to), torch::kInt64);
}

void RowPlan::settle(const torch::Tensor& proposal, bool alike) {
  const std::int64_t to = proposal.size(0);
  if (to == width()) {
    (alike ? anyRow_ : anyRowRefused_) = true;
  } else if (alike) {
    widths_.insert({width(), to});
  } else {
    widthRefused_ = true;
  }
}

std::vector<std::int64_t> RowPlan::shrink() {
  if (waitingCount_ > 0 || live() == 0) return {};
  std::int64_t to = 0;
  for (const auto& [from, target] : widths_) {
    if (from == width() && target >= live() && (to == 0 || target < to)) to = target;
  }
  if (to == 0) return {};
  const auto order = packed(to);
  std::vector<Row> kept;
  for (const auto row : order) kept.push_back(rows_[static_cast<std::size_t>(row)]);
  rows_ = std::move(kept);
  waiting_.resize(rows_.size());
  return order;
}

}  // namespace bulwark
