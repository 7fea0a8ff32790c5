#include "core/base/error.h"
#include "core/nn/layer_names.h"
#include "core/nn/networks.h"
#include "core/nn/rectified_pool.h"
#include "core/nn/residual.h"
#include "core/nn/thin_convolution.h"

namespace bulwark {
namespace {

/// The small network of Carlini and Wagner 2017, table I: two pairs of unpadded 3x3 convolutions,
/// each pair followed by 2x2 max-pooling, and two hidden linear layers.
class ConvNet : public Network {
 public:
  ConvNet(NetworkShape shape, std::int64_t width, std::int64_t hidden) : Network(shape) {
    registerNormalisation();
    const std::int64_t rows = pooledSize(shape.height), columns = pooledSize(shape.width);
    if (rows < 1 || columns < 1) {
      throw Error::badInput("the ConvNet needs images of at least 16 x 16 pixels", "network",
                            "enlarge the images with the option size of the data");
    }
    conv1_ = register_module("conv1", torch::nn::Conv2d(shape.channels, width, 3));
    conv2_ = register_module("conv2", torch::nn::Conv2d(width, width, 3));
    conv3_ = register_module("conv3", torch::nn::Conv2d(width, 2 * width, 3));
    conv4_ = register_module("conv4", torch::nn::Conv2d(2 * width, 2 * width, 3));
    fc1_ = register_module("fc1", torch::nn::Linear(2 * width * rows * columns, hidden));
    fc2_ = register_module("fc2", torch::nn::Linear(hidden, hidden));
    output_ = register_module("output", torch::nn::Linear(hidden, shape.classes));
  }

  std::vector<std::string> taps() const override { return convNetLayers(); }

  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    prepare(taps);
    torch::Tensor x =
        rectify(thinConvolution(normalise(images), conv1_->weight, conv1_->bias, {1, 1}, {0, 0}));
    keep(taps, "conv1", x);
    x = rectifiedPool(conv2_(x));
    keep(taps, "conv2", x);
    x = rectify(conv3_(x));
    keep(taps, "conv3", x);
    x = rectifiedPool(conv4_(x));
    keep(taps, "conv4", x);
    x = torch::relu(fc1_(x.flatten(1)));
    keep(taps, "fc1", x);
    x = torch::relu(fc2_(x));
    keep(taps, "features", x);
    return output_(x);
  }

 private:
  static std::int64_t pooledSize(std::int64_t size) { return ((size - 4) / 2 - 4) / 2; }

  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr}, conv3_{nullptr}, conv4_{nullptr};
  torch::nn::Linear fc1_{nullptr}, fc2_{nullptr}, output_{nullptr};
};

}  // namespace

void addConvNet(NetworkRegistry& registry) {
  ComponentInfo info;
  info.name = "convnet";
  info.title = "Small ConvNet";
  info.summary = "four 3x3 convolutions and three linear layers; 312,202 weights on 28x28 grey";
  info.reference = "Carlini and Wagner, IEEE S&P 2017, table I";
  info.options.integer("width", 32, "filters of the first pair of convolutions; the second twice")
      .range(1, 1024)
      .from("32 for MNIST, 64 for CIFAR-10: Carlini and Wagner 2017, table I");
  info.options.integer("hidden", 200, "units of the two hidden linear layers")
      .range(1, 65536)
      .from("200 for MNIST, 256 for CIFAR-10: Carlini and Wagner 2017, table I");
  registry.add(info, [](const Params& params, NetworkShape shape) {
    return std::make_unique<ConvNet>(shape, params.getInt("width"), params.getInt("hidden"));
  });
}

}  // namespace bulwark
