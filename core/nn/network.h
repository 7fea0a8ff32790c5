#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/registry/registries.h"

namespace bulwark {

/// Values of named intermediate layers of one forward.
using TapValues = std::map<std::string, torch::Tensor>;

/// A classifier: images [N, C, H, W] in [0, 1] -> logits [N, K].
///
/// Normalisation is the first layer of the network, so every attack differentiates through it. A
/// network may do more than classify (`Autoencoder` reconstructs); what it does beside is its own.
class Network : public torch::nn::Module {
 public:
  explicit Network(NetworkShape shape) : shape_(shape) {}

  /// Logits [N, K]; when `taps` is given, the layers named by its keys (all of `taps()` when it
  /// is empty) are stored in it.
  virtual torch::Tensor run(const torch::Tensor& images, TapValues* taps) = 0;
  /// Names of the intermediate layers in forward order; the last is "features", the input of the
  /// final linear layer, [N, F].
  virtual std::vector<std::string> taps() const = 0;

  torch::Tensor forward(const torch::Tensor& images) { return run(images, nullptr); }
  /// [N, F], the tap "features".
  torch::Tensor features(const torch::Tensor& images);

  const NetworkShape& shape() const { return shape_; }

  /// Draws all weights anew from `seed` (He et al. 2015 for convolutions, PyTorch's defaults for
  /// linear layers), never from a global generator.
  void initialise(Seed seed);
  /// Per-channel mean and standard deviation of the training images, [C] each.
  void setNormalisation(const torch::Tensor& mean, const torch::Tensor& deviation);
  /// Evaluation mode, parameters frozen: what scoring and attacks run on.
  void freeze();

 protected:
  /// (x - mean) / deviation, with the registered buffers.
  torch::Tensor normalise(const torch::Tensor& images) const;
  /// Registers the buffers; called by every constructor.
  void registerNormalisation();
  /// First line of every `run`: an empty map is given the keys of all taps; an unknown key is an
  /// `Error` (BadInput).
  void prepare(TapValues* taps) const;
  static void keep(TapValues* taps, const std::string& name, const torch::Tensor& value);

 private:
  NetworkShape shape_;
  torch::Tensor mean_, deviation_;  // [1, C, 1, 1]
};

/// MLP, LeNet-5, ConvNet, CIFAR ResNet-18, PreAct-ResNet-18, the autoencoder with a classifier.
void registerNetworks(Registry<Network, NetworkShape>& registry);

}  // namespace bulwark
