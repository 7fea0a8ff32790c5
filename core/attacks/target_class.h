#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "core/attacks/nearest.h"

namespace bulwark {

/// Which wrong class each row of a search is driven to.
class TargetClass {
 public:
  /// `rule`: "untargeted" (any wrong class), "random" (one of the wrong classes, uniformly), "next"
  /// (the class after the true one). `rows`: size of the batch.
  TargetClass(std::string rule, std::int64_t rows, const torch::Device& device);

  bool any() const { return rule_ == "untargeted"; }
  void begin(const std::vector<Quest>& quests);
  /// [W] int64 from the true classes [W]; not for "untargeted".
  torch::Tensor of(const torch::Tensor& labels, std::int64_t classes) const;
  void keep(const torch::Tensor& rows) { draw_ = draw_.index_select(0, rows); }

 private:
  std::string rule_;
  torch::Tensor draw_;  // [W] float64 in [0, 1)
};

}  // namespace bulwark
