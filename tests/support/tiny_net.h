#pragma once

#include <torch/torch.h>

#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/attacks/attack.h"
#include "core/attacks/objective.h"
#include "core/base/json.h"
#include "core/nn/network.h"

/// A file of tests/reference/, written by the script of the same name.
inline bulwark::Json referenceFile(const std::string& name) {
  std::ifstream file(std::string(BULWARK_SOURCE_DIR) + "/tests/reference/" + name);
  return bulwark::Json::parse(file);
}

/// Nested arrays of numbers, as float32 of the shape given.
inline torch::Tensor referenceTensor(const bulwark::Json& values,
                                     const std::vector<std::int64_t>& shape) {
  std::vector<double> flat;
  const std::function<void(const bulwark::Json&)> collect = [&](const bulwark::Json& value) {
    if (value.is_array()) {
      for (const auto& entry : value) collect(entry);
    } else {
      flat.push_back(value.get<double>());
    }
  };
  collect(values);
  return torch::tensor(flat, torch::kFloat64).to(torch::kFloat32).reshape(shape);
}

/// The network of tests/reference/tiny_net.py: 1 x 6 x 6 -> 16 tanh -> 5 logits.
class TinyNet : public bulwark::Network {
 public:
  TinyNet() : Network({1, 6, 6, 5}) {
    registerNormalisation();
    const auto file = referenceFile("tiny_net.json");
    w1_ = referenceTensor(file["w1"], {16, 36});
    b1_ = referenceTensor(file["b1"], {16});
    w2_ = referenceTensor(file["w2"], {5, 16});
    b2_ = referenceTensor(file["b2"], {5});
    images = referenceTensor(file["images"], {-1, 1, 6, 6});
    labels = torch::tensor(file["labels"].get<std::vector<std::int64_t>>(), torch::kInt64);
  }

  torch::Tensor run(const torch::Tensor& batch, bulwark::TapValues* taps) override {
    prepare(taps);
    const auto hidden = torch::tanh(torch::addmm(b1_, batch.flatten(1), w1_.t()));
    keep(taps, "features", hidden);
    return torch::addmm(b2_, hidden, w2_.t());
  }
  std::vector<std::string> taps() const override { return {"features"}; }

  torch::Tensor images;  ///< [N, 1, 6, 6]
  torch::Tensor labels;  ///< [N] int64: the classes predicted for the images

 private:
  torch::Tensor w1_, b1_, w2_, b2_;
};

/// direction x the energy of a TinyNet: a scalar score without classes.
class TinyScore : public bulwark::Objective {
 public:
  explicit TinyScore(TinyNet& net, double direction = 1.0) : net_(net), direction_(direction) {}
  Values evaluate(const torch::Tensor& batch, const torch::Tensor& /*samples*/) override {
    const auto value = -direction_ * torch::logsumexp(net_.forward(batch), 1);
    return {value, value.detach()};
  }

 private:
  TinyNet& net_;
  double direction_;
};
