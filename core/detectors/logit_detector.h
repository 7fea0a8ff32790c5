#pragma once

#include <string>
#include <utility>

#include "core/detectors/detector.h"

namespace bulwark {

/// What the detectors share that read an anomaly score off the classifier's logits and fit nothing.
class LogitDetector : public Detector {
 public:
  explicit LogitDetector(std::string name) : name_(std::move(name)) {}

  DetectorTraits traits() const override { return {}; }
  void fit(const DetectorContext& context) override;
  torch::Tensor score(const torch::Tensor& images) override;
  void save(TensorFile& file) const override;
  void load(const TensorFile& file, Network* classifier, const torch::Device& device) override;
  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override;

 protected:
  /// [N] anomaly scores from logits [N, K].
  virtual torch::Tensor fromLogits(const torch::Tensor& logits) const = 0;

 private:
  std::string name_;
  Network* classifier_ = nullptr;
};

}  // namespace bulwark
