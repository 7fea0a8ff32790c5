#include "core/detectors/logit_detector.h"

#include "core/detectors/features.h"

namespace bulwark {

void LogitDetector::fit(const DetectorContext& context) {
  classifier_ = &requireClassifier(context.classifier, name_);
}

torch::Tensor LogitDetector::score(const torch::Tensor& images) {
  return fromLogits(requireClassifier(classifier_, name_).forward(images));
}

void LogitDetector::save(TensorFile& file) const {
  file.metadata["detector"] = name_;
}

void LogitDetector::load(const TensorFile& file, Network* classifier,
                         const torch::Device& /*device*/) {
  requireDetector(file, name_);
  classifier_ = &requireClassifier(classifier, name_);
}

std::map<std::string, torch::Tensor> LogitDetector::intermediates(const torch::Tensor& images) {
  const torch::NoGradGuard noGrad;
  return {{"logits", requireClassifier(classifier_, name_).forward(images)}};
}

}  // namespace bulwark
