#include "core/health/training_end.h"

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/health/target.h"
#include "core/nn/device.h"

namespace bulwark {

std::string TrainingEnd::toText() const {
  Json rows = Json::array();
  for (std::int64_t i = 0; i < logits.size(0); ++i) {
    const auto row = logits[i].contiguous();
    rows.push_back(
        std::vector<double>(row.data_ptr<double>(), row.data_ptr<double>() + row.numel()));
  }
  return Json{{"logits", rows},
              {"validation_accuracy", validationAccuracy},
              {"validation_images", validationImages}}
      .dump();
}

std::optional<TrainingEnd> TrainingEnd::fromText(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    const auto rows = json.at("logits").get<std::vector<std::vector<double>>>();
    if (rows.empty() || rows.front().empty()) return std::nullopt;
    TrainingEnd end;
    const auto width = static_cast<std::int64_t>(rows.front().size());
    end.logits = torch::empty({static_cast<std::int64_t>(rows.size()), width}, torch::kFloat64);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].size() != rows.front().size()) return std::nullopt;
      std::copy(rows[i].begin(), rows[i].end(),
                end.logits.data_ptr<double>() + static_cast<std::int64_t>(i) * width);
    }
    end.validationAccuracy = json.at("validation_accuracy").get<double>();
    end.validationImages = json.at("validation_images").get<std::int64_t>();
    return end;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

torch::Tensor probeImages(const ImageSet& train) {
  const auto some = train.range(0, std::min<std::int64_t>(3, train.size()));
  return torch::cat({torch::full_like(some.narrow(0, 0, 1), 0.5), some});
}

torch::Tensor probeLogits(Network& network, const torch::Tensor& images,
                          const torch::Device& device) {
  const torch::NoGradGuard noGrad;
  return network.forward(toDevice(images, device)).to(torch::kCPU, torch::kFloat64);
}

std::vector<HealthCheck> checkTrainingEnd(const HealthThresholds& thresholds, Network& network,
                                          const torch::Tensor& images, const torch::Device& device,
                                          double accuracy, std::int64_t count,
                                          const std::optional<TrainingEnd>& end) {
  if (!end) {
    const std::string why = "the weights were stored without what they compute";
    return {notApplicable("H37", "", why), notApplicable("H38", "", why)};
  }
  const auto now = probeLogits(network, images, device);
  std::vector<HealthCheck> checks;
  if (now.sizes() != end->logits.sizes()) {
    checks.push_back(judged(thresholds, "H37", "", std::numeric_limits<double>::infinity(),
                            "the logits are of another number"));
  } else {
    checks.push_back(judged(thresholds, "H37", "", relativeDifference(now, end->logits)));
  }
  if (end->validationImages == 0) {
    checks.push_back(notApplicable("H38", "", "training kept no images for validation"));
    return checks;
  }
  const auto n = static_cast<double>(count), m = static_cast<double>(end->validationImages);
  const double pooled = (accuracy * n + end->validationAccuracy * m) / (n + m);
  const double chance = 2.0 * std::sqrt(pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m));
  checks.push_back(
      judged(thresholds, "H38", "", std::max(0.0, end->validationAccuracy - accuracy - chance),
             "accuracy " + formatFixed(accuracy, 3) + "; " +
                 formatFixed(end->validationAccuracy, 3) + " on " +
                 std::to_string(end->validationImages) + " validation images when training ended"));
  return checks;
}

}  // namespace bulwark
