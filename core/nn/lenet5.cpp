#include "core/base/error.h"
#include "core/nn/layer_names.h"
#include "core/nn/networks.h"
#include "core/nn/rectified_pool.h"
#include "core/nn/thin_convolution.h"

namespace bulwark {
namespace {

/// LeNet-5 (LeCun et al. 1998, section II.B): C1 6@5x5, S2, C3 16@5x5, S4, C5 120, F6 84, output.
///
/// The paper pads 28 x 28 digits to 32 x 32, which the first layer's padding does here; larger
/// images are taken as they are. C3 is fully connected to S2, as in all modern versions.
class Lenet5 : public Network {
 public:
  Lenet5(NetworkShape shape, bool relu, bool maxPooling)
      : Network(shape), relu_(relu), maxPooling_(maxPooling) {
    registerNormalisation();
    const std::int64_t height = pooledSize(shape.height), width = pooledSize(shape.width);
    if (height < 1 || width < 1) {
      throw Error::badInput("LeNet-5 needs images of at least 12 x 12 pixels", "network",
                            "enlarge the images with the option size of the data");
    }
    conv1_ = register_module(
        "conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(shape.channels, 6, 5)
                                       .padding({padding(shape.height), padding(shape.width)})));
    conv2_ = register_module("conv2", torch::nn::Conv2d(6, 16, 5));
    fc1_ = register_module("fc1", torch::nn::Linear(16 * height * width, 120));
    fc2_ = register_module("fc2", torch::nn::Linear(120, 84));
    output_ = register_module("output", torch::nn::Linear(84, shape.classes));
  }

  /// relu1 and relu2: C1 and C3 after their non-linearity; conv1 and conv2: after the pooling.
  std::vector<std::string> taps() const override { return lenet5Layers(); }

  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    prepare(taps);
    torch::Tensor x =
        activateAndPool(thinConvolution(normalise(images), conv1_->weight, conv1_->bias, {1, 1},
                                        {padding(shape().height), padding(shape().width)}),
                        taps, "relu1");
    keep(taps, "conv1", x);
    x = activateAndPool(conv2_(x), taps, "relu2");
    keep(taps, "conv2", x);
    x = activate(fc1_(x.flatten(1)));
    keep(taps, "fc1", x);
    x = activate(fc2_(x));
    keep(taps, "features", x);
    return output_(x);
  }

 private:
  static std::int64_t padding(std::int64_t size) { return size < 32 ? 2 : 0; }
  /// Side of S4 for a given side of the image.
  static std::int64_t pooledSize(std::int64_t size) {
    return ((size + 2 * padding(size) - 4) / 2 - 4) / 2;
  }
  torch::Tensor activate(const torch::Tensor& x) const {
    return relu_ ? torch::relu(x) : torch::tanh(x);
  }
  /// The value between both is made only where somebody asks for it.
  torch::Tensor activateAndPool(const torch::Tensor& x, TapValues* taps, const char* name) const {
    const bool asked = taps && taps->count(name) > 0;
    if (relu_ && maxPooling_ && !asked) return rectifiedPool(x);
    const auto active = activate(x);
    keep(taps, name, active);
    return maxPooling_ ? torch::max_pool2d(active, 2) : torch::avg_pool2d(active, 2);
  }

  bool relu_, maxPooling_;
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr};
  torch::nn::Linear fc1_{nullptr}, fc2_{nullptr}, output_{nullptr};
};

}  // namespace

void addLenet5(NetworkRegistry& registry) {
  ComponentInfo info;
  info.name = "lenet5";
  info.title = "LeNet-5";
  info.summary = "two 5x5 convolutions and three linear layers; 61,706 weights on 28x28 grey";
  info.reference = "LeCun, Bottou, Bengio and Haffner, Proc. IEEE 1998";
  info.options.choice("activation", "relu", {"relu", "tanh"}, "non-linearity after every layer")
      .from("relu: as in today's versions; tanh: LeCun et al. 1998, section II.B");
  info.options.choice("pooling", "max", {"max", "average"}, "subsampling after each convolution")
      .from("max: as in today's versions; average: LeCun et al. 1998, section II.B");
  registry.add(info, [](const Params& params, NetworkShape shape) {
    return std::make_unique<Lenet5>(shape, params.getText("activation") == "relu",
                                    params.getText("pooling") == "max");
  });
}

}  // namespace bulwark
