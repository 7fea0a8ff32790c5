#include "core/attacks/cppn.h"

#include <cmath>

namespace bulwark {
namespace {

constexpr std::size_t kInputs = 4, kHidden = 8;
constexpr double kConnected = 0.5;  // share of the connections at first
constexpr double kMoved = 0.2, kSwitched = 0.02, kChanged = 0.02;

}  // namespace

Cppn::Cppn(std::int64_t channels, Random& random) : channels_(channels) {
  nodes_.resize(kHidden + static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].function = static_cast<Function>(random.below(4));
    nodes_[i].weights.resize(kInputs + i);
    for (double& weight : nodes_[i].weights) {
      weight = random.uniform() < kConnected ? 2 * random.normal() : 0.0;
    }
  }
}

void Cppn::mutate(Random& random) {
  for (Node& node : nodes_) {
    if (random.uniform() < kChanged) node.function = static_cast<Function>(random.below(4));
    for (double& weight : node.weights) {
      if (random.uniform() < kSwitched) {
        weight = weight == 0.0 ? 2 * random.normal() : 0.0;
      } else if (weight != 0.0 && random.uniform() < kMoved) {
        weight += 0.5 * random.normal();
      }
    }
  }
}

torch::Tensor Cppn::draw(std::int64_t height, std::int64_t width) const {
  auto image = torch::empty({channels_, height, width});
  float* const pixels = image.data_ptr<float>();
  std::vector<double> values(kInputs + nodes_.size());
  for (std::int64_t row = 0; row < height; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      const double y = height > 1 ? 2.0 * static_cast<double>(row) / (height - 1) - 1 : 0.0;
      const double x = width > 1 ? 2.0 * static_cast<double>(column) / (width - 1) - 1 : 0.0;
      values[0] = x;
      values[1] = y;
      values[2] = std::sqrt(x * x + y * y);
      values[3] = 1.0;
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const Node& node = nodes_[i];
        double sum = 0.0;
        for (std::size_t k = 0; k < node.weights.size(); ++k) sum += node.weights[k] * values[k];
        double& value = values[kInputs + i];
        switch (node.function) {
          case Function::Sine:
            value = std::sin(sum);
            break;
          case Function::Sigmoid:
            value = 2 / (1 + std::exp(-sum)) - 1;
            break;
          case Function::Gaussian:
            value = 2 * std::exp(-sum * sum) - 1;
            break;
          case Function::Identity:
            value = std::fmin(std::fmax(sum, -1.0), 1.0);
            break;
        }
      }
      for (std::int64_t c = 0; c < channels_; ++c) {
        const double value = values[kInputs + kHidden + static_cast<std::size_t>(c)];
        pixels[(c * height + row) * width + column] = static_cast<float>((value + 1) / 2);
      }
    }
  }
  return image;
}

}  // namespace bulwark
