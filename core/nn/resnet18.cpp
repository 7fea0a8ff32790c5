#include "core/nn/conv_norm.h"
#include "core/nn/layer_names.h"
#include "core/nn/networks.h"
#include "core/nn/residual.h"

namespace bulwark {
namespace {

/// The basic block of He et al. 2016, figure 2: conv-BN-ReLU-conv-BN, added to the input, ReLU;
/// a 1x1 convolution with BN on the shortcut where the shape changes (option B).
struct BasicBlockImpl : TwoConvolutions {
  BasicBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride)
      : TwoConvolutions(in, out, stride) {
    if (stride == 1 && in == out) return;
    const auto convolution = plainConvolution(in, out, 1, stride);
    const auto norm = torch::nn::BatchNorm2d(out);
    register_module("shortcut", torch::nn::Sequential(convolution, norm));
    shortcut_ = ConvNorm(convolution, norm);
    projects_ = true;
  }

  torch::Tensor forward(const torch::Tensor& x) {
    const torch::Tensor y = second(inner(x));
    return rectify(y + (projects_ ? shortcut_(x) : x));
  }

 private:
  ConvNorm shortcut_;
  bool projects_ = false;
};
TORCH_MODULE(BasicBlock);

/// The CIFAR form of ResNet-18: a 3x3 stem without pooling, so that 32 x 32 images reach the last
/// stage as 4 x 4.
class Resnet18 : public Network {
 public:
  Resnet18(NetworkShape shape, std::int64_t width) : Network(shape) {
    registerNormalisation();
    conv1_ = register_module("conv1", plainConvolution(shape.channels, width, 3, 1));
    bn1_ = register_module("bn1", torch::nn::BatchNorm2d(width));
    stem_ = ConvNorm(conv1_, bn1_);
    stages_ = residualStages<BasicBlock>(width);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      register_module("layer" + std::to_string(i + 1), stages_[i]);
    }
    linear_ = register_module("linear", torch::nn::Linear(8 * width, shape.classes));
  }

  std::vector<std::string> taps() const override { return fourStageLayers(); }

  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    prepare(taps);
    torch::Tensor x = rectify(stem_(normalise(images)));
    keep(taps, "stem", x);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      x = stages_[i]->forward(x);
      keep(taps, "layer" + std::to_string(i + 1), x);
    }
    x = x.mean({2, 3});
    keep(taps, "features", x);
    return linear_(x);
  }

 private:
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
  ConvNorm stem_;
  std::vector<torch::nn::Sequential> stages_;
  torch::nn::Linear linear_{nullptr};
};

}  // namespace

void addResnet18(NetworkRegistry& registry) {
  ComponentInfo info;
  info.name = "resnet18";
  info.title = "ResNet-18 (CIFAR form)";
  info.summary = "18-layer residual network with a 3x3 stem; 11,173,962 weights on CIFAR-10";
  info.reference = "He, Zhang, Ren and Sun, CVPR 2016";
  addWidthOption(info.options);
  registry.add(info, [](const Params& params, NetworkShape shape) {
    return std::make_unique<Resnet18>(shape, params.getInt("width"));
  });
}

}  // namespace bulwark
