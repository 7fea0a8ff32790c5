#include <memory>

#include "core/detectors/builtin.h"
#include "core/detectors/logit_detector.h"

namespace bulwark {
namespace {

/// Free energy (Liu et al., NeurIPS 2020, equation 4): s(x) = -T logsumexp_c(z_c / T).
class Energy : public LogitDetector {
 public:
  explicit Energy(double temperature) : LogitDetector("energy"), temperature_(temperature) {}

 protected:
  torch::Tensor fromLogits(const torch::Tensor& logits) const override {
    return -temperature_ * torch::logsumexp(logits / temperature_, 1);
  }

 private:
  double temperature_;
};

}  // namespace

void addEnergy(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = "energy";
  info.title = "Energy";
  info.summary = "Free energy of the logits";
  info.reference = "Liu et al., NeurIPS 2020";
  info.traits = {"needs classifier"};
  info.options.number("temperature", 1.0, "Temperature T of the free energy")
      .above(0, 1000)
      .from("Liu et al. 2020, section 4.2: T = 1");
  registry.add(info, [](const Params& params) {
    return std::make_unique<Energy>(params.getNumber("temperature"));
  });
}

}  // namespace bulwark
