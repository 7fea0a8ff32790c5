#include "core/attacks/ball.h"
#include "core/attacks/nearest.h"
#include "core/attacks/threat.h"

namespace bulwark {

torch::Tensor distancesBetween(const torch::Tensor& points, const torch::Tensor& images,
                               Distance distance) {
  const auto delta = (points - images).flatten(1);
  switch (distance) {
    case Distance::Linf:
      return rowMaxima(delta).to(torch::kFloat64);
    case Distance::Changed:
      return (delta != 0).sum(1).to(torch::kFloat64);
    case Distance::L2:
      break;
  }
  return torch::linalg_vector_norm(delta, 2, torch::IntArrayRef{1}).to(torch::kFloat64);
}

void addNearestOptions(OptionSchema& options, const std::string& norm, const std::string& eps,
                       const std::string& source) {
  options.number("eps", eps, "Radius of the ball that the nearest crossing is moved into")
      .range(0, 1000)
      .in("fraction of the [0,1] range")
      .from(source)
      .simple();
  options.choice("norm", norm, {"linf", "l2"}, "Norm that the radius is measured in").from(source);
  options
      .boolean("bounded", true, "Move the crossing into the ball; false: keep it where it is found")
      .from("a table at a budget needs it (Carlini and Wagner have none)");
}

ThreatModel nearestThreatOf(const Params& params, const std::string& attack) {
  if (params.getBool("bounded")) return threatOf(params, attack);
  params.getText("norm");  // an unbounded search has no ball
  return {Norm::None, params.getNumber("eps")};
}

torch::Tensor rowsOf(const std::vector<Quest>& quests, const torch::Device& device) {
  std::vector<std::int64_t> rows;
  for (const Quest& quest : quests) rows.push_back(quest.row);
  return torch::tensor(rows, torch::kInt64).to(device);
}

}  // namespace bulwark
