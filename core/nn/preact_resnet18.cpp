#include "core/nn/conv_norm.h"
#include "core/nn/layer_names.h"
#include "core/nn/networks.h"
#include "core/nn/residual.h"

namespace bulwark {
namespace {

/// The full pre-activation block of He et al. 2016b, figure 4(e): BN-ReLU-conv-BN-ReLU-conv added
/// to the input; where the shape changes the shortcut is a 1x1 convolution of the activated input.
struct PreactBlockImpl : torch::nn::Module {
  PreactBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride)
      : bn1(register_module("bn1", torch::nn::BatchNorm2d(in))),
        conv1(register_module("conv1", plainConvolution(in, out, 3, stride))),
        bn2(register_module("bn2", torch::nn::BatchNorm2d(out))),
        conv2(register_module("conv2", plainConvolution(out, out, 3, 1))),
        inner_(conv1, bn2) {
    if (stride == 1 && in == out) return;
    shortcut = register_module("shortcut", plainConvolution(in, out, 1, stride));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    const torch::Tensor active = rectify(bn1(x));
    const torch::Tensor y = conv2(rectify(inner_(active)));
    return y + (shortcut.is_empty() ? x : shortcut(active));
  }

  torch::nn::BatchNorm2d bn1;
  torch::nn::Conv2d conv1;
  torch::nn::BatchNorm2d bn2;
  torch::nn::Conv2d conv2;
  torch::nn::Conv2d shortcut{nullptr};

 private:
  ConvNorm inner_;
};
TORCH_MODULE(PreactBlock);

/// PreAct-ResNet-18 in its CIFAR form: a bare 3x3 stem, and BN-ReLU after the last block.
class PreactResnet18 : public Network {
 public:
  PreactResnet18(NetworkShape shape, std::int64_t width, bool finalNorm) : Network(shape) {
    registerNormalisation();
    conv1_ = register_module("conv1", plainConvolution(shape.channels, width, 3, 1));
    stages_ = residualStages<PreactBlock>(width);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      register_module("layer" + std::to_string(i + 1), stages_[i]);
    }
    if (finalNorm) bn_ = register_module("bn", torch::nn::BatchNorm2d(8 * width));
    linear_ = register_module("linear", torch::nn::Linear(8 * width, shape.classes));
  }

  std::vector<std::string> taps() const override { return fourStageLayers(); }

  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    prepare(taps);
    torch::Tensor x = conv1_(normalise(images));
    keep(taps, "stem", x);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      x = stages_[i]->forward(x);
      keep(taps, "layer" + std::to_string(i + 1), x);
    }
    if (!bn_.is_empty()) x = rectify(bn_(x));
    x = x.mean({2, 3});
    keep(taps, "features", x);
    return linear_(x);
  }

 private:
  torch::nn::Conv2d conv1_{nullptr};
  std::vector<torch::nn::Sequential> stages_;
  torch::nn::BatchNorm2d bn_{nullptr};
  torch::nn::Linear linear_{nullptr};
};

}  // namespace

void addPreactResnet18(NetworkRegistry& registry) {
  ComponentInfo info;
  info.name = "preact_resnet18";
  info.title = "PreAct-ResNet-18 (CIFAR form)";
  info.summary = "18-layer residual network with pre-activation; 11,172,170 weights on CIFAR-10";
  info.reference = "He, Zhang, Ren and Sun, Identity Mappings, ECCV 2016";
  addWidthOption(info.options);
  info.options
      .boolean("final_norm", true,
               "batch norm and ReLU after the last block; off: the widespread CIFAR code "
               "without them, 11,171,146 weights")
      .from("He et al. 2016b, appendix; also Rice et al. 2020")
      .expert();
  registry.add(info, [](const Params& params, NetworkShape shape) {
    return std::make_unique<PreactResnet18>(shape, params.getInt("width"),
                                            params.getBool("final_norm"));
  });
}

}  // namespace bulwark
