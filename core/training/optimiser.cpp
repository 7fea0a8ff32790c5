#include "core/training/optimiser.h"

#include <cmath>

namespace bulwark {

Optimiser::Optimiser(torch::nn::Module& module, OptimiserOptions options) : options_(options) {
  for (const auto& item : module.named_parameters()) {
    Slot slot{item.key(), item.value(), torch::zeros_like(item.value()), {}};
    if (options_.kind == OptimiserOptions::Kind::Adam) {
      slot.second = torch::zeros_like(item.value());
    }
    slot.first.set_requires_grad(false);
    slots_.push_back(std::move(slot));
  }
}

void Optimiser::clearGradients() {
  for (auto& slot : slots_) slot.parameter.mutable_grad() = torch::Tensor();
}

void Optimiser::step(double learningRate) {
  const torch::NoGradGuard noGrad;
  ++steps_;
  for (auto& slot : slots_) {
    torch::Tensor gradient = slot.parameter.grad();
    if (!gradient.defined()) continue;
    const bool decays = options_.decayAll || slot.parameter.dim() > 1;
    if (decays && options_.weightDecay != 0.0) {
      gradient = gradient.add(slot.parameter, options_.weightDecay);
    }
    if (options_.kind == OptimiserOptions::Kind::Sgd) {
      stepSgd(slot, gradient, learningRate);
    } else {
      stepAdam(slot, gradient, learningRate);
    }
  }
}

void Optimiser::stepSgd(Slot& slot, const torch::Tensor& gradient, double learningRate) const {
  if (options_.momentum == 0.0) {
    slot.parameter.add_(gradient, -learningRate);
    return;
  }
  slot.first.mul_(options_.momentum).add_(gradient);
  if (options_.nesterov) {
    slot.parameter.add_(gradient.add(slot.first, options_.momentum), -learningRate);
  } else {
    slot.parameter.add_(slot.first, -learningRate);
  }
}

void Optimiser::stepAdam(Slot& slot, const torch::Tensor& gradient, double learningRate) const {
  constexpr double beta2 = 0.999, epsilon = 1e-8;
  const double beta1 = options_.momentum;
  slot.first.mul_(beta1).add_(gradient, 1.0 - beta1);
  slot.second.mul_(beta2).addcmul_(gradient, gradient, 1.0 - beta2);
  const double time = static_cast<double>(steps_);
  const double correction1 = 1.0 - std::pow(beta1, time);
  const double correction2 = 1.0 - std::pow(beta2, time);
  const torch::Tensor scale = (slot.second.sqrt() / std::sqrt(correction2)).add_(epsilon);
  slot.parameter.addcdiv_(slot.first, scale, -learningRate / correction1);
}

void Optimiser::save(TensorFile& file, const std::string& prefix) const {
  for (const auto& slot : slots_) {
    file.tensors[prefix + "first." + slot.name] = slot.first.cpu().clone();
    if (slot.second.defined()) {
      file.tensors[prefix + "second." + slot.name] = slot.second.cpu().clone();
    }
  }
  file.tensors[prefix + "steps"] = torch::scalar_tensor(steps_, torch::kInt64);
}

void Optimiser::load(const TensorFile& file, const std::string& prefix, const std::string& where) {
  const torch::NoGradGuard noGrad;
  for (auto& slot : slots_) {
    const auto sizes = slot.parameter.sizes().vec();
    slot.first.copy_(file.require(prefix + "first." + slot.name, sizes, where));
    if (slot.second.defined()) {
      slot.second.copy_(file.require(prefix + "second." + slot.name, sizes, where));
    }
  }
  steps_ = file.require(prefix + "steps", {}, where).item<std::int64_t>();
}

}  // namespace bulwark
