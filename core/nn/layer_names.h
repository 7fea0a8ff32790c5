#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/params/params.h"

namespace bulwark {

// What the layers (taps) of the networks of this folder are called, in forward order, so that they
// can be named and checked where no network is built. The networks themselves answer with these.
std::vector<std::string> lenet5Layers();
std::vector<std::string> convNetLayers();
/// ResNet-18 and PreAct-ResNet-18.
std::vector<std::string> fourStageLayers();
/// `blocks` per stage: (depth - 2) / 6.
std::vector<std::string> cifarResnetLayers(std::int64_t blocks);
std::vector<std::string> vgg16Layers();
/// So many hidden layers of a perceptron, named "fc1" ..; the last one is "features".
std::vector<std::string> mlpLayers(std::size_t hidden);
/// So many layers of an encoder, the code last.
std::vector<std::string> autoencoderLayers(std::size_t encoder);

/// The layers of a network by its registered name and its options; nothing for a network that does
/// not come with the program.
std::optional<std::vector<std::string>> layerNames(const std::string& network,
                                                   const Params& options);

}  // namespace bulwark
