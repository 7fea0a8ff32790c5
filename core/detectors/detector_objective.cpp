#include "core/detectors/detector_objective.h"

#include <stdexcept>

#include "core/base/error.h"
#include "core/detectors/declarations.h"
#include "core/detectors/own_threshold.h"

namespace bulwark {

DetectorObjective::DetectorObjective(Detector& detector, int direction)
    : detector_(detector),
      direction_(direction),
      oneForward_(!followsSurrogate(detector.traits())) {
  if (direction != 1 && direction != -1) throw std::logic_error("direction is +1 or -1");
  if (!oneForward_ && surrogateOf(detector).empty()) {
    throw Error::failed("the score has no gradient to follow and declares no surrogate", "detector",
                        "a detector that is not differentiable or quantised must say what guides");
  }
}

Passes DetectorObjective::passes() const {
  const auto* many = dynamic_cast<const HasPasses*>(&detector_);
  const std::int64_t one = many ? many->passesPerScore() : 1;
  return {oneForward_ ? one : 2 * one, one, one};
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
