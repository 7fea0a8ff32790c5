#pragma once

#include <torch/torch.h>

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/random.h"

namespace bulwark {

/// A compositional pattern-producing network (Stanley 2007): a small feed-forward graph that gives
/// each pixel its values from its place (x, y, the distance from the centre, and 1). Nodes apply
/// sine, sigmoid, Gaussian or the identity, so patterns are symmetric, periodic or gradual.
///
/// Of fixed size with connections that are switched on and off, where NEAT grows its graphs.
class Cppn {
 public:
  Cppn() = default;
  /// A random network with one output per channel.
  Cppn(std::int64_t channels, Random& random);
  /// Moves some weights, and now and then switches a connection or changes a node's function.
  void mutate(Random& random);
  /// [channels, height, width] float32 in [0, 1].
  torch::Tensor draw(std::int64_t height, std::int64_t width) const;

 private:
  enum class Function { Sine, Sigmoid, Gaussian, Identity };
  struct Node {
    Function function = Function::Identity;
    std::vector<double> weights;  // from the inputs and all nodes before; 0: not connected
  };
  std::vector<Node> nodes_;  // the last ones are the outputs
  std::int64_t channels_ = 0;
};

}  // namespace bulwark
