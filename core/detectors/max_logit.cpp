#include <memory>

#include "core/detectors/builtin.h"
#include "core/detectors/logit_detector.h"

namespace bulwark {
namespace {

/// Maximum logit (Hendrycks et al., ICML 2022, section 4): s(x) = -max_c z_c.
class MaxLogit : public LogitDetector {
 public:
  MaxLogit() : LogitDetector("max_logit") {}

 protected:
  torch::Tensor fromLogits(const torch::Tensor& logits) const override { return -logits.amax(1); }
};

}  // namespace

void addMaxLogit(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = "max_logit";
  info.title = "Maximum logit";
  info.summary = "The largest logit, negated";
  info.reference = "Hendrycks et al., ICML 2022";
  info.traits = {"needs classifier"};
  registry.add(info, [](const Params&) { return std::make_unique<MaxLogit>(); });
}

}  // namespace bulwark
