#include "core/nn/autoencoder.h"

#include "core/base/error.h"
#include "core/nn/fixed_point.h"
#include "core/nn/layer_names.h"
#include "core/nn/networks.h"

namespace bulwark {

Autoencoder::Autoencoder(NetworkShape shape, const std::vector<std::int64_t>& encoder,
                         bool linearOutput, std::int64_t passes)
    : Network(shape), linearOutput_(linearOutput), iteration_{passes, 0.0} {
  registerNormalisation();
  std::vector<std::int64_t> widths = {shape.channels * shape.height * shape.width};
  widths.insert(widths.end(), encoder.begin(), encoder.end());
  for (auto width = encoder.rbegin(); width != encoder.rend(); ++width) {
    if (width != encoder.rbegin()) widths.push_back(*width);
  }
  widths.push_back(widths.front());
  const std::size_t half = encoder.size();
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const std::string name =
        i < half ? "encoder" + std::to_string(i + 1) : "decoder" + std::to_string(i + 1 - half);
    layers_.push_back(register_module(name, torch::nn::Linear(widths[i], widths[i + 1])));
  }
  classifier_ = register_module("classifier", torch::nn::Linear(encoder.back(), shape.classes));
}

std::vector<std::string> Autoencoder::taps() const {
  return autoencoderLayers(encoderLayers());
}

torch::Tensor Autoencoder::through(torch::Tensor value, std::size_t first, std::size_t last,
                                   ReluChain* chain) {
  for (std::size_t i = first; i < last; ++i) {
    const bool linear = linearOutput_ && i + 1 == layers_.size();
    value = layers_[i](value);
    if (!linear) value = torch::relu(value);
    if (!chain) continue;
    chain->weights.push_back(layers_[i]->weight);
    chain->masks.push_back(linear ? torch::Tensor() : value.detach().gt(0).to(value.scalar_type()));
  }
  return value;
}

torch::Tensor Autoencoder::run(const torch::Tensor& images, TapValues* taps) {
  prepare(taps);
  torch::Tensor fed = images;
  if (iteration_.tolerance > 0) {
    fed = iterate(*this, images, iteration_).fed;
  } else {
    for (std::int64_t i = 1; i < iteration_.most; ++i) fed = reconstruct(fed);
  }
  torch::Tensor value = normalise(fed).flatten(1);
  for (std::size_t i = 0; i < encoderLayers(); ++i) {
    value = through(value, i, i + 1);
    keep(taps, i + 1 < encoderLayers() ? "encoder" + std::to_string(i + 1) : "features", value);
  }
  return classifier_(value);
}

torch::Tensor Autoencoder::encode(const torch::Tensor& images) {
  return through(normalise(images).flatten(1), 0, encoderLayers());
}

torch::Tensor Autoencoder::decode(const torch::Tensor& code) {
  return through(code, encoderLayers(), layers_.size());
}

torch::Tensor Autoencoder::classify(const torch::Tensor& code) {
  return classifier_(code);
}

torch::Tensor Autoencoder::reconstruct(const torch::Tensor& images) {
  return decode(encode(images)).reshape(images.sizes());
}

Autoencoder::Pass Autoencoder::pass(const torch::Tensor& images) {
  Pass pass;
  pass.code = through(normalise(images).flatten(1), 0, encoderLayers(), &pass.chain);
  pass.reconstruction = through(pass.code, encoderLayers(), layers_.size(), &pass.chain);
  pass.logits = classifier_(pass.code);
  const torch::Tensor deviation = named_buffers()["input_deviation"];
  const auto& size = shape();
  pass.chain.weights.front() =
      pass.chain.weights.front() /
      deviation.expand({1, size.channels, size.height, size.width}).reshape({1, -1});
  return pass;
}

Autoencoder& requireAutoencoder(Network& network, const std::string& where) {
  if (auto* autoencoder = dynamic_cast<Autoencoder*>(&network)) return *autoencoder;
  throw Error::badInput("this needs a network that reconstructs its images", where,
                        "choose the network 'autoencoder' with the recipe 'autoencoder' or "
                        "'attractor'");
}

void addAutoencoder(NetworkRegistry& registry) {
  ComponentInfo info;
  info.name = "autoencoder";
  info.title = "Autoencoder with a classifier on its code";
  info.summary = "reconstructs an image and tells its class from the code; fully connected";
  info.reference = "Alipour and Seyyedsalehi (attractors), section 2.5.1";
  info.traits = {"reconstructs"};
  info.options
      .integerList("encoder", {500, 300, 300},
                   "units of the encoder's layers, the code last; the decoder mirrors them")
      .range(1, 65536)
      .from("Alipour and Seyyedsalehi, section 2.5.1: 784-500-300-300-300-500-784")
      .simple();
  info.options
      .choice("output", "relu", {"relu", "linear"},
              "what the last layer ends with; relu keeps reconstructions from below 0")
      .from("Alipour and Seyyedsalehi, section 2.5.1: relu on every layer");
  info.options
      .integer("passes", 1,
               "passes n through the network before the class is read: that of the code of the "
               "last image fed, F(G^(n-1)(x))")
      .range(1, 1000)
      .in("passes")
      .from("Alipour and Seyyedsalehi, section 2.5.3 leave n open; 1: the class of the image");
  registry.add(info, [](const Params& params, NetworkShape shape) {
    const std::vector<long long> given = params.getIntList("encoder");
    if (given.empty()) {
      throw Error::badInput("an autoencoder needs at least its code", params.pathOf("encoder"),
                            "for instance [500, 300, 300]");
    }
    return std::make_unique<Autoencoder>(
        shape, std::vector<std::int64_t>(given.begin(), given.end()),
        params.getText("output") == "linear", params.getInt("passes"));
  });
}

}  // namespace bulwark
