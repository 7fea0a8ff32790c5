#include "core/nn/layer_names.h"

#include <array>

namespace bulwark {
namespace {

constexpr const char* kFeatures = "features";

/// "fc1", "fc2" .. and "features" as the last of `count`.
std::vector<std::string> numbered(const std::string& stem, std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i < count; ++i) names.push_back(stem + std::to_string(i));
  names.emplace_back(kFeatures);
  return names;
}

}  // namespace

std::vector<std::string> lenet5Layers() {
  return {"relu1", "conv1", "relu2", "conv2", "fc1", kFeatures};
}

std::vector<std::string> convNetLayers() {
  return {"conv1", "conv2", "conv3", "conv4", "fc1", kFeatures};
}

std::vector<std::string> fourStageLayers() {
  return {"stem", "layer1", "layer2", "layer3", "layer4", kFeatures};
}

std::vector<std::string> cifarResnetLayers(std::int64_t blocks) {
  std::vector<std::string> names = {"stem"};
  for (int stage = 1; stage <= 3; ++stage) {
    for (std::int64_t block = 1; block <= blocks; ++block) {
      std::string name = "stage";
      name += std::to_string(stage) + "_block" + std::to_string(block);
      names.push_back(name + "_inner");
      names.push_back(name);
    }
  }
  names.emplace_back(kFeatures);
  return names;
}

std::vector<std::string> vgg16Layers() {
  constexpr std::array<int, 5> depth = {2, 2, 3, 3, 3};
  std::vector<std::string> names;
  int convolutions = 0;
  for (std::size_t block = 0; block < depth.size(); ++block) {
    for (int i = 0; i < depth[block]; ++i) {
      names.push_back("conv" + std::to_string(++convolutions));
    }
    names.push_back("pool" + std::to_string(block + 1));
  }
  names.insert(names.end(), {"hidden", kFeatures});
  return names;
}

std::vector<std::string> mlpLayers(std::size_t hidden) {
  return numbered("fc", hidden);
}

std::vector<std::string> autoencoderLayers(std::size_t encoder) {
  return numbered("encoder", encoder);
}

std::optional<std::vector<std::string>> layerNames(const std::string& network,
                                                   const Params& options) {
  if (network == "mlp") return mlpLayers(options.getIntList("hidden").size());
  if (network == "autoencoder") return autoencoderLayers(options.getIntList("encoder").size());
  if (network == "lenet5") return lenet5Layers();
  if (network == "convnet") return convNetLayers();
  if (network == "resnet18" || network == "preact_resnet18") return fourStageLayers();
  if (network == "resnet20") return cifarResnetLayers(3);
  if (network == "resnet44") return cifarResnetLayers(7);
  if (network == "vgg16") return vgg16Layers();
  return std::nullopt;
}

}  // namespace bulwark
