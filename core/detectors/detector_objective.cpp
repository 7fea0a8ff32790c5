#include "core/detectors/detector_objective.h"

#include <stdexcept>

namespace bulwark {

DetectorObjective::DetectorObjective(Detector& detector, int direction)
    : detector_(detector), direction_(direction), oneForward_(detector.traits().differentiable) {
  if (direction != 1 && direction != -1) throw std::logic_error("direction is +1 or -1");
}

Objective::Values DetectorObjective::evaluate(const torch::Tensor& images,
                                              const torch::Tensor& samples) {
  if (oneForward_) {
    const auto value = direction_ * detector_.score(images);
    return {value, value.detach()};
  }
  return {direction_ * detector_.guide(images), judge(images, samples)};
}

torch::Tensor DetectorObjective::judge(const torch::Tensor& images,
                                       const torch::Tensor& /*samples*/) {
  const torch::NoGradGuard noGrad;
  return direction_ * detector_.score(images.detach());
}

}  // namespace bulwark
