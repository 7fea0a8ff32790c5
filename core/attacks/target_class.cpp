#include "core/attacks/target_class.h"

#include <utility>

#include "core/base/random.h"

namespace bulwark {

TargetClass::TargetClass(std::string rule, std::int64_t rows, const torch::Device& device)
    : rule_(std::move(rule)),
      draw_(torch::zeros({rows}, torch::TensorOptions(device).dtype(torch::kFloat64))) {}

void TargetClass::begin(const std::vector<Quest>& quests) {
  if (rule_ != "random") return;  // 0: the next class
  std::vector<double> draws;
  for (const Quest& quest : quests) draws.push_back(Random(quest.seed.child("target")).uniform());
  draw_.index_copy_(0, rowsOf(quests, draw_.device()),
                    torch::tensor(draws, torch::kFloat64).to(draw_.device()));
}

torch::Tensor TargetClass::of(const torch::Tensor& labels, std::int64_t classes) const {
  const auto ahead = (draw_ * static_cast<double>(classes - 1)).to(torch::kInt64);
  return (labels + 1 + ahead).remainder(classes);
}

}  // namespace bulwark
