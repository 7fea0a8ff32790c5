#include "core/nn/fixed_point.h"

#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/nn/active_rows.h"

namespace bulwark {

torch::Tensor spectralRadius(const torch::Tensor& matrices, int squarings) {
  const torch::NoGradGuard noGrad;
  auto power = matrices.to(torch::kFloat64);
  // log of the scale taken out of `power`, divided by the exponent reached: the largest entry,
  // whose square cannot overflow.
  auto logarithm = torch::zeros(power.sizes().slice(0, power.dim() - 2), power.options());
  double exponent = 1.0;
  const auto takeOut = [&](const torch::Tensor& size) {
    const auto nilpotent = size == 0;  // M^p = 0: the radius is 0
    const auto log =
        torch::where(nilpotent, torch::full_like(size, -INFINITY), torch::log(size)) / exponent;
    logarithm = logarithm + log;
    const auto scale = torch::where(nilpotent, torch::ones_like(size), size);
    power = power / scale.unsqueeze(-1).unsqueeze(-1);
  };
  takeOut(power.abs().amax({-2, -1}));
  for (int i = 0; i < squarings; ++i) {
    power = torch::matmul(power, power);
    exponent *= 2.0;
    takeOut(power.abs().amax({-2, -1}));
  }
  takeOut(power.square().sum({-2, -1}).sqrt());
  return torch::exp(logarithm);
}

torch::Tensor codeJacobian(const ReluChain& chain, std::size_t code) {
  const torch::NoGradGuard noGrad;
  std::vector<torch::Tensor> weights, masks;
  for (std::size_t l = 0; l < chain.weights.size(); ++l) {
    weights.push_back(chain.weights[l].detach().to(torch::kCPU, torch::kFloat64).contiguous());
    const auto& mask = chain.masks[l];
    masks.push_back(mask.defined() ? mask.to(torch::kCPU, torch::kFloat64).contiguous() : mask);
  }
  const std::int64_t images = masks.front().size(0), width = weights[code - 1].size(0);
  const std::int64_t pixels = weights.front().size(1);
  if (weights.back().size(0) != pixels) {
    throw std::logic_error("only a network from images to images has a spectral radius");
  }
  Units all;
  for (std::int64_t i = 0; i < pixels; ++i) all.push_back(i);
  auto result = torch::zeros({images, width, width}, torch::kFloat64);
  for (std::int64_t n = 0; n < images; ++n) {
    std::vector<Units> active;
    bool dead = false;
    for (std::size_t l = 0; l < weights.size(); ++l) {
      active.push_back(activeUnits<double>(masks[l], n, weights[l].size(0)));
      dead = dead || active.back().empty();
    }
    if (dead) continue;
    const auto block = [&](std::size_t l, const Units& columns) {
      return gatherBlock<double>(weights[l], active[l], columns);
    };
    // Only pixels that the decoder can change come back into the encoder.
    auto encoder = block(0, active.back());
    for (std::size_t l = 1; l < code; ++l) encoder = block(l, active[l - 1]).mm(encoder);
    auto decoder = block(code, active[code - 1]);
    for (std::size_t l = code + 1; l < weights.size(); ++l) {
      decoder = block(l, active[l - 1]).mm(decoder);
    }
    auto own = result[n];
    addBlock<double>(own, active[code - 1], active[code - 1], encoder.mm(decoder));
  }
  return result;
}

torch::Tensor jacobianRadius(Autoencoder& network, const torch::Tensor& images) {
  const torch::NoGradGuard noGrad;
  return spectralRadius(codeJacobian(network.pass(images).chain, network.encoderLayers()));
}

torch::Tensor pearson(const torch::Tensor& a, const torch::Tensor& b) {
  const auto centred = [](const torch::Tensor& of) {
    const auto flat = of.flatten(1);
    return flat - flat.mean(1, /*keepdim=*/true);
  };
  // Constant up to rounding: the variance is nothing beside the square of the mean.
  constexpr double rounding = 1e-10;
  const auto varies = [&](const torch::Tensor& of, const torch::Tensor& squares) {
    return squares.detach() > rounding * of.detach().flatten(1).square().sum(1);
  };
  const auto x = centred(a), y = centred(b);
  const auto xx = x.square().sum(1), yy = y.square().sum(1);
  const auto defined = varies(a, xx) & varies(b, yy);
  // Replaced before the division, so that no gradient of 0 / 0 comes back as NaN.
  const auto one = torch::ones_like(xx);
  const auto norms = torch::where(defined, xx, one).sqrt() * torch::where(defined, yy, one).sqrt();
  return torch::where(defined, (x * y).sum(1) / norms, torch::zeros_like(xx));
}

Iterated iterate(Autoencoder& network, const torch::Tensor& images, const IterationPlan& plan) {
  Iterated result{images, images, {}, torch::zeros({images.size(0)}, torch::kInt64)};
  const auto device = images.device();
  result.used = result.used.to(device);
  auto moving = torch::ones({images.size(0)}, torch::TensorOptions(device).dtype(torch::kBool));
  for (std::int64_t i = 0; i < plan.most; ++i) {
    const auto code = network.encode(result.last);
    const auto next = network.decode(code).reshape(images.sizes());
    const auto rows = moving.reshape({-1, 1, 1, 1});
    result.code = i == 0 ? code : torch::where(moving.unsqueeze(1), code, result.code);
    result.fed = torch::where(rows, result.last, result.fed);
    const auto change = (next - result.last).detach().flatten(1).abs().amax(1);
    result.last = torch::where(rows, next, result.last);
    result.used = result.used + moving.to(torch::kInt64);
    if (plan.tolerance <= 0) continue;
    moving = moving & change.gt(plan.tolerance);
    if (!moving.any().item<bool>()) break;
  }
  return result;
}

}  // namespace bulwark
