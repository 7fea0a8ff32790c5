#include "core/health/planted.h"

#include "core/attacks/ball.h"
#include "core/nn/device.h"
#include "core/nn/network.h"

namespace bulwark {
namespace {

/// Random points of the balls' surface: all signs (l-inf) or a direction (l2).
torch::Tensor corners(const torch::Tensor& images, const ThreatModel& threat, Seed seed) {
  Random random(seed);
  auto signs = torch::empty(images.sizes(), torch::kFloat32);
  auto* data = signs.data_ptr<float>();
  for (std::int64_t i = 0; i < signs.numel(); ++i) data[i] = random.below(2) == 0 ? 1.0F : -1.0F;
  if (threat.norm == Norm::L2) signs = signs / perRow(rowNorms(signs));
  auto points = images + signs * threat.epsilon;
  Ball(threat, images.contiguous()).project(points);
  return points;
}

class PlantedObjective : public Objective {
 public:
  PlantedObjective(Network& network, torch::Tensor origin, torch::Tensor direction)
      : network_(network), origin_(std::move(origin)), direction_(std::move(direction)) {}

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override {
    const auto index = samples.to(images.device());
    const auto way = network_.features(images) - origin_.index_select(0, index);
    const auto value = (way * direction_.index_select(0, index)).sum(1);
    return {value, value.detach()};
  }

 private:
  Network& network_;
  torch::Tensor origin_, direction_;  // [n, F]
};

}  // namespace

double missedPlants(Network& network, const Attack& attack, const ProbeSetting& setting, Seed seed,
                    Task& task) {
  const auto& images = setting.in;
  const auto points = corners(images, attack.threat(), seed.child("corners"));
  std::vector<torch::Tensor> origins, directions;
  {
    const torch::NoGradGuard noGrad;
    for (std::int64_t begin = 0; begin < images.size(0); begin += setting.batchSize) {
      const auto end = std::min(begin + setting.batchSize, images.size(0));
      const auto origin = network.features(toDevice(images.slice(0, begin, end), setting.device));
      const auto way =
          network.features(toDevice(points.slice(0, begin, end), setting.device)) - origin;
      origins.push_back(origin);
      directions.push_back(way / way.square().sum(1, true).clamp_min(1e-30));
    }
  }
  PlantedObjective objective(network, torch::cat(origins), torch::cat(directions));
  const AttackContext context{.device = setting.device,
                              .batchSize = setting.batchSize,
                              .seed = seed.child("attack"),
                              .task = task,
                              .thresholds = {1.0}};
  const auto result = attack.perturb(objective, images, context);
  // Rounding of the features moves the planted value of 1 a little.
  return result.values.lt(0.999).to(torch::kFloat64).mean().item<double>();
}

}  // namespace bulwark
