#include "core/detectors/score_set.h"

#include <algorithm>
#include <functional>
#include <string>

#include "core/base/error.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

torch::Tensor scoreBatches(
    Detector& detector, std::int64_t total,
    const std::function<torch::Tensor(std::int64_t begin, std::int64_t end)>& read,
    const std::string& where, const torch::Device& device, std::int64_t batchSize, Task& task) {
  const torch::NoGradGuard noGrad;
  auto scores = torch::empty({total}, torch::kFloat64);
  for (std::int64_t begin = 0; begin < total; begin += batchSize) {
    task.checkpoint();
    const std::int64_t end = std::min(begin + batchSize, total);
    const auto batch =
        detector.score(toDevice(read(begin, end), device)).to(torch::kCPU, torch::kFloat64);
    const auto bad = torch::isfinite(batch).logical_not().nonzero();
    if (bad.size(0) > 0) {
      const auto row = bad[0][0].item<std::int64_t>();
      throw Error::failed("the anomaly score of image " + std::to_string(begin + row) + " is " +
                              std::to_string(batch[row].item<double>()),
                          where, "the classifier or the detector has diverged");
    }
    scores.slice(0, begin, end).copy_(batch);
    task.advance(end - begin);
  }
  return scores;
}

}  // namespace

torch::Tensor scoreSet(Detector& detector, const ImageSet& set, const torch::Device& device,
                       std::int64_t batchSize, Task& task) {
  const auto read = [&](std::int64_t begin, std::int64_t end) {
    return set.images(torch::arange(begin, end));
  };
  return scoreBatches(detector, set.size(), read, set.name(), device, batchSize, task);
}

torch::Tensor scoreImages(Detector& detector, const torch::Tensor& images,
                          const torch::Device& device, std::int64_t batchSize, Task& task) {
  const auto read = [&](std::int64_t begin, std::int64_t end) {
    return images.slice(0, begin, end);
  };
  return scoreBatches(detector, images.size(0), read, "scoring", device, batchSize, task);
}

}  // namespace bulwark
