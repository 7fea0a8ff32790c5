#include <memory>

#include "core/detectors/builtin.h"
#include "core/detectors/logit_detector.h"
#include "core/nn/log_odds.h"

namespace bulwark {
namespace {

/// Maximum softmax probability (Hendrycks and Gimpel, ICLR 2017).
///
/// The paper's score is max_c p(c|x). Ours is its log-odds with the sign turned,
///   s(x) = log((1 - p) / p) = logsumexp_{c != m} z_c - z_m,   m = argmax z,
/// strictly falling in p, so that every rank metric is that of MSP. In float32 p itself becomes
/// exactly 1 once the margin passes 17: confident images would tie and their gradients vanish,
/// which makes an undefended detector look robust. The log-odds neither tie nor saturate.
class Msp : public LogitDetector {
 public:
  Msp() : LogitDetector("msp") {}

 protected:
  torch::Tensor fromLogits(const torch::Tensor& logits) const override {
    return negativeLogOdds(logits, logits.detach().argmax(1));
  }
};

}  // namespace

void addMsp(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = "msp";
  info.title = "Maximum softmax probability";
  info.summary = "Log-odds of the predicted class, negated; ranks as the softmax maximum does";
  info.reference = "Hendrycks and Gimpel, ICLR 2017";
  info.traits = {"needs classifier"};
  registry.add(info, [](const Params&) { return std::make_unique<Msp>(); });
}

}  // namespace bulwark
