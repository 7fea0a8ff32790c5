#include "core/base/error.h"
#include "core/nn/layer_names.h"
#include "core/nn/networks.h"

namespace bulwark {
namespace {

/// Fully connected layers with ReLU between them; the last hidden layer is "features".
class Mlp : public Network {
 public:
  Mlp(NetworkShape shape, const std::vector<std::int64_t>& hidden) : Network(shape) {
    registerNormalisation();
    std::int64_t width = shape.channels * shape.height * shape.width;
    for (std::size_t i = 0; i < hidden.size(); ++i) {
      hidden_.push_back(
          register_module("fc" + std::to_string(i + 1), torch::nn::Linear(width, hidden[i])));
      width = hidden[i];
    }
    output_ = register_module("output", torch::nn::Linear(width, shape.classes));
  }

  std::vector<std::string> taps() const override { return mlpLayers(hidden_.size()); }

  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    prepare(taps);
    torch::Tensor x = normalise(images).flatten(1);
    for (std::size_t i = 0; i < hidden_.size(); ++i) {
      x = torch::relu(hidden_[i](x));
      if (i + 1 < hidden_.size()) keep(taps, "fc" + std::to_string(i + 1), x);
    }
    keep(taps, "features", x);
    return output_(x);
  }

 private:
  std::vector<torch::nn::Linear> hidden_;
  torch::nn::Linear output_{nullptr};
};

}  // namespace

void addMlp(NetworkRegistry& registry) {
  ComponentInfo info;
  info.name = "mlp";
  info.title = "Multilayer perceptron";
  info.summary = "fully connected layers with ReLU";
  info.reference = "Rumelhart, Hinton and Williams, Nature 1986; ReLU: Glorot et al., AISTATS 2011";
  info.options
      .integerList("hidden", {512, 256}, "units of each hidden layer; empty: a linear classifier")
      .range(1, 65536)
      .simple();
  registry.add(info, [](const Params& params, NetworkShape shape) {
    const std::vector<long long> given = params.getIntList("hidden");
    return std::make_unique<Mlp>(shape, std::vector<std::int64_t>(given.begin(), given.end()));
  });
}

}  // namespace bulwark
