#include "core/detectors/features.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/nn/device.h"

namespace bulwark {

Network& requireClassifier(Network* classifier, const std::string& detector) {
  if (classifier) return *classifier;
  throw Error::failed("'" + detector + "' scores a classifier, and none was given", detector,
                      "fit or load the detector with a trained network first");
}

void requireDetector(const TensorFile& file, const std::string& detector) {
  const auto found = file.metadata.find("detector");
  const std::string made = found == file.metadata.end() ? "nothing named" : found->second;
  if (made == detector) return;
  throw Error::badInput("the file holds the state of " + made + ", not of '" + detector + "'",
                        detector, "choose the file that this detector saved");
}

void requireTap(const Network& network, const std::string& tap, const std::string& path) {
  auto taps = network.taps();
  taps.push_back(kLogits);
  if (std::find(taps.begin(), taps.end(), tap) != taps.end()) return;
  const std::string typo = suggestion(tap, taps);
  throw Error::badInput("the network has no layer '" + tap + "'", path,
                        (typo.empty() ? "" : typo + " ") + "known: " + join(taps, ", "));
}

torch::Tensor averaged(const torch::Tensor& value) {
  return value.dim() > 2 ? value.flatten(2).mean(2) : value;
}

torch::Tensor tapFeatures(Network& network, const torch::Tensor& images, const std::string& tap) {
  if (tap == kLogits) return network.forward(images);
  TapValues taps{{tap, {}}};
  network.run(images, &taps);
  return averaged(taps.at(tap));
}

std::vector<torch::Tensor> layerValues(Network& network, const torch::Tensor& images,
                                       const std::vector<std::string>& layers) {
  TapValues taps;
  for (const auto& layer : layers) {
    if (layer != kLogits && layer != kInput) taps.emplace(layer, torch::Tensor());
  }
  const auto logits = network.run(images, taps.empty() ? nullptr : &taps);
  std::vector<torch::Tensor> values;
  for (const auto& layer : layers) {
    values.push_back(layer == kLogits ? logits : layer == kInput ? images : taps.at(layer));
  }
  return values;
}

void streamFeatures(
    const DetectorContext& context, const std::string& tap, const std::string& phase,
    const torch::Tensor& rows,
    const std::function<void(const torch::Tensor& features, const torch::Tensor& labels)>& use) {
  const torch::NoGradGuard noGrad;
  const std::int64_t total = rows.defined() ? rows.size(0) : context.train.size();
  context.task.begin(phase, total, "images");
  for (std::int64_t begin = 0; begin < total; begin += context.batchSize) {
    const std::int64_t end = std::min(begin + context.batchSize, total);
    const auto indices = rows.defined() ? rows.slice(0, begin, end) : torch::arange(begin, end);
    const auto labels = context.train.labels().index_select(0, indices);
    const auto images = toDevice(context.train.images(indices), context.device);
    const auto features = tapFeatures(*context.classifier, images, tap);
    if (!torch::isfinite(features).all().item<bool>()) {
      throw Error::failed("the network's layer '" + tap + "' is not finite on the training images",
                          phase, "the classifier's training has diverged; train it again");
    }
    use(features, labels);
    context.task.advance(end - begin);
  }
  context.task.end();
}

}  // namespace bulwark
