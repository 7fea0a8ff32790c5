#include <string>
#include <vector>

#include "core/nn/conv_norm.h"
#include "core/nn/layer_names.h"
#include "core/nn/networks.h"
#include "core/nn/residual.h"

namespace bulwark {
namespace {

/// conv-BN-ReLU-conv-BN, added to the input, ReLU; where the shape changes the input goes through a
/// 1x1 convolution without BN, as in the Keras example.
struct CifarBlockImpl : TwoConvolutions {
  CifarBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride)
      : TwoConvolutions(in, out, stride) {
    if (stride == 1 && in == out) return;
    shortcut = register_module(
        "shortcut", torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1).stride(stride)));
  }

  /// The second ReLU of the block, from its input and its first.
  torch::Tensor outer(const torch::Tensor& x, const torch::Tensor& inner) {
    return rectify(second(inner) + (shortcut ? shortcut(x) : x));
  }

  torch::nn::Conv2d shortcut{nullptr};
};
TORCH_MODULE(CifarBlock);

/// The ResNet of He et al. 2016, section 4.2, for small images, in the form of the public Keras
/// example (version 1): 3x3 stem, three stages of n blocks (depth 6 n + 2) of 16, 32, 64 filters,
/// average over positions, linear layer.
///
/// Keras gives the convolutions before a BN a bias too, which the BN takes away again; they are
/// left out here. Every ReLU is a tap: the stem's, and two per block ("stage1_block3_inner" and
/// "stage1_block3" for the third block of the first stage).
class ResnetCifar : public Network {
 public:
  ResnetCifar(NetworkShape shape, std::int64_t blocks, std::int64_t width) : Network(shape) {
    registerNormalisation();
    conv1_ = register_module("conv1", plainConvolution(shape.channels, width, 3, 1));
    bn1_ = register_module("bn1", torch::nn::BatchNorm2d(width));
    stem_ = ConvNorm(conv1_, bn1_);
    std::int64_t channels = width;
    for (std::int64_t stage = 0; stage < 3; ++stage) {
      for (std::int64_t block = 0; block < blocks; ++block) {
        const std::int64_t out = width << stage;
        names_.push_back("stage" + std::to_string(stage + 1) + "_block" +
                         std::to_string(block + 1));
        blocks_.push_back(register_module(
            names_.back(), CifarBlock(channels, out, stage > 0 && block == 0 ? 2 : 1)));
        channels = out;
      }
    }
    linear_ = register_module("linear", torch::nn::Linear(channels, shape.classes));
  }

  std::vector<std::string> taps() const override {
    return cifarResnetLayers(static_cast<std::int64_t>(names_.size()) / 3);
  }

  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    prepare(taps);
    torch::Tensor x = rectify(stem_(normalise(images)));
    keep(taps, "stem", x);
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const auto inner = blocks_[i]->inner(x);
      keep(taps, names_[i] + "_inner", inner);
      x = blocks_[i]->outer(x, inner);
      keep(taps, names_[i], x);
    }
    x = x.mean({2, 3});
    keep(taps, "features", x);
    return linear_(x);
  }

 private:
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
  ConvNorm stem_;
  std::vector<std::string> names_;
  std::vector<CifarBlock> blocks_;
  torch::nn::Linear linear_{nullptr};
};

void add(NetworkRegistry& registry, std::int64_t depth, const char* weights) {
  const auto name = "resnet" + std::to_string(depth);
  ComponentInfo info;
  info.name = name;
  info.title = "ResNet-" + std::to_string(depth) + " (version 1, CIFAR)";
  info.summary = std::to_string(depth) + "-layer residual network of three stages; " + weights +
                 " weights on CIFAR-10";
  info.reference = "He, Zhang, Ren and Sun, CVPR 2016, section 4.2";
  info.options
      .integer("width", 16, "filters of the first stage; the later ones have 2 and 4 times it")
      .range(1, 1024)
      .from("He et al. 2016, section 4.2");
  registry.add(info, [depth](const Params& params, NetworkShape shape) {
    return std::make_unique<ResnetCifar>(shape, (depth - 2) / 6, params.getInt("width"));
  });
}

}  // namespace

void addResnetCifar(NetworkRegistry& registry) {
  add(registry, 20, "272,378");
  add(registry, 44, "661,242");
}

}  // namespace bulwark
