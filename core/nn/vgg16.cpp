#include <array>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/nn/layer_names.h"
#include "core/nn/networks.h"
#include "core/nn/residual.h"
#include "core/nn/seeded_dropout.h"

namespace bulwark {
namespace {

/// VGG-16 for small images as in geifmany/cifar-vgg (after Liu and Deng, ACPR 2015): 13 3x3
/// convolutions, each followed by ReLU and then BN; dropout after each but the last of a block, 2x2
/// max-pooling after each block; a hidden linear layer of 512 units, ReLU, BN; linear output.
///
/// Taps: every convolution after its ReLU and before its BN ("conv3" is index 6 of the Keras layers
/// that Zhao et al. number), every pooling, the hidden layer.
class Vgg16 : public Network {
 public:
  Vgg16(NetworkShape shape, std::int64_t width, bool dropout) : Network(shape) {
    registerNormalisation();
    const std::int64_t rows = shape.height / 32, columns = shape.width / 32;
    if (rows < 1 || columns < 1) {
      throw Error::badInput("VGG-16 needs images of at least 32 x 32 pixels", "network",
                            "enlarge the images with the option size of the data");
    }
    constexpr std::array<std::int64_t, 5> depth = {2, 2, 3, 3, 3}, times = {1, 2, 4, 8, 8};
    std::int64_t channels = shape.channels;
    for (std::size_t block = 0; block < depth.size(); ++block) {
      const std::int64_t out = times[block] * width;
      for (std::int64_t i = 0; i < depth[block]; ++i) {
        const bool last = i + 1 == depth[block];
        const double share = !dropout || last ? 0.0 : block == 0 ? 0.3 : 0.4;
        addLayer(channels, out, share, last);
        channels = out;
      }
    }
    dropBefore_ = register_module("drop_before", SeededDropout(dropout ? 0.5 : 0.0));
    hidden_ = register_module("hidden", torch::nn::Linear(channels * rows * columns, 8 * width));
    hiddenNorm_ = register_module("hidden_norm", torch::nn::BatchNorm2d(8 * width));
    dropAfter_ = register_module("drop_after", SeededDropout(dropout ? 0.5 : 0.0));
    output_ = register_module("output", torch::nn::Linear(8 * width, shape.classes));
  }

  std::vector<std::string> taps() const override { return vgg16Layers(); }

  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    prepare(taps);
    torch::Tensor x = normalise(images);
    int pools = 0;
    for (auto& layer : layers_) {
      x = rectify(layer.convolution(x));
      keep(taps, layer.name, x);
      x = layer.dropout(layer.norm(x));
      if (!layer.pools) continue;
      x = torch::max_pool2d(x, 2);
      keep(taps, "pool" + std::to_string(++pools), x);
    }
    x = torch::relu(hidden_(dropBefore_(x).flatten(1)));
    keep(taps, "hidden", x);
    x = dropAfter_(hiddenNorm_(x.unsqueeze(2).unsqueeze(3)).flatten(1));
    keep(taps, "features", x);
    return output_(x);
  }

 private:
  struct Layer {
    std::string name;
    torch::nn::Conv2d convolution{nullptr};
    torch::nn::BatchNorm2d norm{nullptr};
    SeededDropout dropout{nullptr};
    bool pools = false;
  };

  void addLayer(std::int64_t in, std::int64_t out, double share, bool pools) {
    Layer layer;
    const std::string number = std::to_string(layers_.size() + 1);
    layer.name = "conv" + number;
    layer.convolution = register_module(
        layer.name, torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1)));
    layer.norm = register_module("norm" + number, torch::nn::BatchNorm2d(out));
    layer.dropout = register_module("drop" + number, SeededDropout(share));
    layer.pools = pools;
    layers_.push_back(layer);
  }

  std::vector<Layer> layers_;
  SeededDropout dropBefore_{nullptr}, dropAfter_{nullptr};
  torch::nn::Linear hidden_{nullptr}, output_{nullptr};
  torch::nn::BatchNorm2d hiddenNorm_{nullptr};
};

}  // namespace

void addVgg16(NetworkRegistry& registry) {
  ComponentInfo info;
  info.name = "vgg16";
  info.title = "VGG-16 (CIFAR form)";
  info.summary = "13 3x3 convolutions and two linear layers; 14,991,946 weights on CIFAR-10";
  info.reference = "Simonyan and Zisserman, ICLR 2015; geifmany/cifar-vgg";
  info.options
      .integer("width", 64, "filters of the first block; the later ones have 2, 4, 8, 8 times it")
      .range(1, 1024)
      .from("Simonyan and Zisserman 2015, configuration D");
  info.options.boolean("dropout", true, "dropout while it is trained: 0.3, 0.4 and 0.5")
      .from("geifmany/cifar-vgg");
  registry.add(info, [](const Params& params, NetworkShape shape) {
    return std::make_unique<Vgg16>(shape, params.getInt("width"), params.getBool("dropout"));
  });
}

}  // namespace bulwark
