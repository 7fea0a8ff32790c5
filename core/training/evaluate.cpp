#include "core/training/evaluate.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/nn/device.h"
#include "core/training/recipe.h"

namespace bulwark {

double shareCorrect(Network& network, const ImageSet& set, const torch::Device& device,
                    std::int64_t batchSize, Task& task, bool progress) {
  if (set.size() == 0) throw Error::badInput("there are no images to classify", set.name());
  const torch::NoGradGuard noGrad;
  const EvaluationScope evaluation(network);
  std::int64_t correct = 0;
  for (std::int64_t begin = 0; begin < set.size(); begin += batchSize) {
    const std::int64_t end = std::min(begin + batchSize, set.size());
    const torch::Tensor images =
        toDevice(set.images(torch::arange(begin, end, torch::kInt64)), device);
    const torch::Tensor decided = network.forward(images).argmax(1).cpu();
    correct += (decided == set.labels().slice(0, begin, end)).sum().item<std::int64_t>();
    if (progress) {
      task.advance(end - begin);
    } else {
      task.checkpoint();
    }
  }
  return static_cast<double>(correct) / static_cast<double>(set.size());
}

double accuracy(Network& network, const ImageSet& set, const torch::Device& device,
                std::int64_t batchSize, Task& task) {
  task.begin("classify " + set.name(), set.size(), "images");
  const double share = shareCorrect(network, set, device, batchSize, task, true);
  task.end();
  return share;
}

ChannelStatistics channelStatistics(const ImageSet& set, Task& task) {
  const ImageShape shape = set.shape();
  torch::Tensor sum = torch::zeros({shape.channels}, torch::kFloat64), squares = sum.clone();
  constexpr std::int64_t chunk = 1024;
  for (std::int64_t begin = 0; begin < set.size(); begin += chunk) {
    task.checkpoint();
    const std::int64_t end = std::min(begin + chunk, set.size());
    const torch::Tensor pixels =
        set.images(torch::arange(begin, end, torch::kInt64)).to(torch::kFloat64);
    sum += pixels.sum({0, 2, 3});
    squares += pixels.square().sum({0, 2, 3});
  }
  const double count = static_cast<double>(set.size() * shape.height * shape.width);
  ChannelStatistics statistics;
  statistics.mean = sum / count;
  const torch::Tensor variance = (squares / count - statistics.mean.square()).clamp_min(0.0);
  statistics.deviation =
      torch::where(variance > 1e-12, variance.sqrt(), torch::ones_like(variance));
  return statistics;
}

void requireLabels(const ImageSet& set, const NetworkShape& shape) {
  if (set.size() == 0) throw Error::badInput("there are no training images", set.name());
  if (!(set.shape() == ImageShape{shape.channels, shape.height, shape.width})) {
    throw Error::badInput("the images do not have the size or channels the network takes",
                          set.name());
  }
  const auto lowest = set.labels().min().item<std::int64_t>();
  const auto highest = set.labels().max().item<std::int64_t>();
  if (lowest < 0) {
    throw Error::badInput("some training images have no label", set.name(),
                          "a classifier needs a label for every image");
  }
  if (highest >= shape.classes) {
    throw Error::badInput("label " + std::to_string(highest) + " does not fit a network of " +
                              std::to_string(shape.classes) + " classes",
                          set.name());
  }
}

}  // namespace bulwark
