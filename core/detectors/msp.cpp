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
  Msp(double squash, double offset) : LogitDetector("msp"), squash_(squash), offset_(offset) {}

 protected:
  torch::Tensor fromLogits(const torch::Tensor& logits) const override {
    const auto score = negativeLogOdds(logits, logits.detach().argmax(1));
    return squash_ > 0.0 ? torch::sigmoid(squash_ * (score - offset_)) : score;
  }

 private:
  double squash_, offset_;
};

}  // namespace

void addMsp(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = "msp";
  info.title = "Maximum softmax probability";
  info.summary = "Log-odds of the predicted class, negated; ranks as the softmax maximum does";
  info.reference = "Hendrycks and Gimpel, ICLR 2017";
  info.traits = {"needs classifier"};
  info.options
      .number("squash", 0.0,
              "Masks gradients, to show what that looks like: the score becomes "
              "sigmoid(squash (score - offset)), which saturates; 0: off")
      .range(0, 1e6)
      .from("Athalye et al. 2018: obfuscated gradients")
      .expert();
  info.options.number("squash_offset", -3.0, "Score at which the squashed one is 1/2")
      .range(-1000, 1000)
      .expert();
  registry.add(info, [](const Params& params) {
    return std::make_unique<Msp>(params.getNumber("squash"), params.getNumber("squash_offset"));
  });
}

}  // namespace bulwark
