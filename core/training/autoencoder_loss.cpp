#include "core/training/autoencoder_loss.h"

namespace bulwark {

std::array<double, 4> AutoencoderLoss::Parts::values() const {
  const auto value = [](const torch::Tensor& of) { return of.defined() ? of.item<double>() : 0.0; };
  return {value(total), value(reconstruction), value(jacobian), value(classes)};
}

AutoencoderLoss::Parts AutoencoderLoss::operator()(
    const torch::Tensor& input, const torch::Tensor& output, const torch::Tensor& logits,
    const torch::Tensor& labels, const ReluChain& chain, std::size_t code, Random& random) const {
  Parts parts;
  const auto squares = (output - input.detach()).square();
  parts.reconstruction = sumOverPixels ? squares.flatten(1).sum(1).mean() : squares.mean();
  parts.classes = torch::nn::functional::cross_entropy(logits, labels);
  parts.total = reconstruction * parts.reconstruction + classes * parts.classes;
  if (jacobian > 0) {
    parts.jacobian =
        0.5 * (probes > 0 ? hutchinsonJacobianNorm(output, input, probes, random).mean()
                          : jacobianNorm(chain, code).mean);
    parts.total = parts.total + jacobian * parts.jacobian;
  }
  return parts;
}

}  // namespace bulwark
