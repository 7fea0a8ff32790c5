#include "core/nn/network.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/nn/networks.h"
#include "core/nn/seeded_dropout.h"

namespace bulwark {
namespace {

/// Fills a contiguous float tensor element by element, whatever device it lives on.
template <class Draw>
void fill(torch::Tensor tensor, Draw&& draw) {
  const torch::Tensor values = torch::empty(tensor.sizes(), torch::kFloat32);
  float* data = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) data[i] = static_cast<float>(draw());
  tensor.copy_(values);
}

void initialiseConvolution(torch::nn::Conv2dImpl& layer, Seed seed) {
  // He et al. 2015, eq. 10: variance 2 / fan-in, zero biases.
  const double fanIn = static_cast<double>(layer.weight.numel() / layer.weight.size(0));
  Random random(seed.child("weight"));
  const double deviation = std::sqrt(2.0 / fanIn);
  fill(layer.weight, [&] { return deviation * random.normal(); });
  if (layer.bias.defined()) layer.bias.zero_();
}

void initialiseLinear(torch::nn::LinearImpl& layer, Seed seed) {
  // PyTorch's default: weights and biases uniform within 1 / sqrt(fan-in).
  const double bound = 1.0 / std::sqrt(static_cast<double>(layer.weight.size(1)));
  Random weights(seed.child("weight"));
  fill(layer.weight, [&] { return bound * (2.0 * weights.uniform() - 1.0); });
  if (!layer.bias.defined()) return;
  Random biases(seed.child("bias"));
  fill(layer.bias, [&] { return bound * (2.0 * biases.uniform() - 1.0); });
}

void initialiseBatchNorm(torch::nn::BatchNorm2dImpl& layer) {
  layer.weight.fill_(1.0);
  layer.bias.zero_();
  layer.running_mean.zero_();
  layer.running_var.fill_(1.0);
  layer.num_batches_tracked.zero_();
}

}  // namespace

torch::Tensor Network::features(const torch::Tensor& images) {
  TapValues taps{{"features", torch::Tensor()}};
  run(images, &taps);
  return taps.at("features");
}

void Network::initialise(Seed seed) {
  const torch::NoGradGuard noGrad;
  apply([&](const std::string& name, torch::nn::Module& module) {
    const Seed own = seed.child(name);
    if (auto* convolution = module.as<torch::nn::Conv2dImpl>()) {
      initialiseConvolution(*convolution, own);
    } else if (auto* linear = module.as<torch::nn::LinearImpl>()) {
      initialiseLinear(*linear, own);
    } else if (auto* norm = module.as<torch::nn::BatchNorm2dImpl>()) {
      initialiseBatchNorm(*norm);
    } else if (auto* dropout = module.as<SeededDropoutImpl>()) {
      dropout->initialise(own);
    } else if (!module.parameters(false).empty()) {
      throw std::logic_error("no rule to initialise the layer '" + name + "'");
    }
  });
  mean_.zero_();
  deviation_.fill_(1.0);
}

void Network::setNormalisation(const torch::Tensor& mean, const torch::Tensor& deviation) {
  const torch::NoGradGuard noGrad;
  if (mean.numel() != shape_.channels || deviation.numel() != shape_.channels) {
    throw Error::badInput("normalisation needs one mean and one deviation per channel",
                          "normalisation");
  }
  const bool usable = torch::isfinite(mean).all().item<bool>() &&
                      torch::isfinite(deviation).all().item<bool>() &&
                      (deviation > 0).all().item<bool>();
  if (!usable) {
    throw Error::badInput("a mean or deviation is not finite, or a deviation is not positive",
                          "normalisation");
  }
  mean_.copy_(mean.reshape({1, -1, 1, 1}));
  deviation_.copy_(deviation.reshape({1, -1, 1, 1}));
}

void Network::freeze() {
  eval();
  for (auto& parameter : parameters()) parameter.set_requires_grad(false);
}

torch::Tensor Network::normalise(const torch::Tensor& images) const {
  if (images.dim() != 4 || images.size(1) != shape_.channels || images.size(2) != shape_.height ||
      images.size(3) != shape_.width) {
    std::vector<std::string> sizes;
    for (const auto size : images.sizes()) sizes.push_back(std::to_string(size));
    throw Error::badInput("the network takes images of " + std::to_string(shape_.channels) + " x " +
                              std::to_string(shape_.height) + " x " + std::to_string(shape_.width) +
                              ", not a tensor of " + join(sizes, " x "),
                          "network");
  }
  return (images - mean_) / deviation_;
}

void Network::registerNormalisation() {
  mean_ = register_buffer("input_mean", torch::zeros({1, shape_.channels, 1, 1}));
  deviation_ = register_buffer("input_deviation", torch::ones({1, shape_.channels, 1, 1}));
}

void Network::prepare(TapValues* taps) const {
  if (!taps) return;
  const std::vector<std::string> names = this->taps();
  if (taps->empty()) {
    for (const auto& name : names) taps->emplace(name, torch::Tensor());
    return;
  }
  for (const auto& [name, value] : *taps) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw Error::badInput("the network has no layer '" + name + "'", "network",
                            "its layers: " + join(names, ", "));
    }
  }
}

void Network::keep(TapValues* taps, const std::string& name, const torch::Tensor& value) {
  if (!taps) return;
  if (const auto found = taps->find(name); found != taps->end()) found->second = value;
}

void registerNetworks(NetworkRegistry& registry) {
  addMlp(registry);
  addAutoencoder(registry);
  addLenet5(registry);
  addConvNet(registry);
  addResnet18(registry);
  addPreactResnet18(registry);
  addResnetCifar(registry);
  addVgg16(registry);
}

}  // namespace bulwark
