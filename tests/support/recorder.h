#pragma once

#include <torch/torch.h>

#include <vector>

#include "core/attacks/objective.h"

/// Passes everything on and keeps the batches that were propagated and what they were judged.
class Recorder : public bulwark::Objective {
 public:
  explicit Recorder(bulwark::Objective& objective) : objective_(objective) {}

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override {
    batches.push_back(images.detach().clone());
    auto values = objective_.evaluate(images, samples);
    judged.push_back(values.judged.to(torch::kFloat64));
    return values;
  }
  std::int64_t classes() const override { return objective_.classes(); }
  torch::Tensor logits(const torch::Tensor& images) override {
    batches.push_back(images.detach().clone());
    auto scores = objective_.logits(images);
    judged.push_back(
        objective_
            .judgeLogits(scores, objective_.labels(torch::arange(images.size(0)), images.device()))
            .to(torch::kFloat64));
    return scores;
  }
  torch::Tensor labels(const torch::Tensor& samples, const torch::Device& device) const override {
    return objective_.labels(samples, device);
  }
  torch::Tensor judgeLogits(const torch::Tensor& scores,
                            const torch::Tensor& truth) const override {
    return objective_.judgeLogits(scores, truth);
  }

  std::vector<torch::Tensor> batches, judged;

 private:
  bulwark::Objective& objective_;
};
