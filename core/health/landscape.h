#pragma once

#include <optional>

#include "core/health/target.h"

namespace bulwark {

// How the score behaves around images; parts of `checkTarget`.

/// [n, C, H, W]: gradient of the detector's guide; nothing when it is not connected to the images.
std::optional<torch::Tensor> guideGradient(Detector& detector, const torch::Tensor& images);

/// H16 on 8 images and 4 directions each.
HealthCheck checkDerivatives(const HealthThresholds& thresholds, const Target& target, Seed seed);
/// H17 on 8 images and 100 points each within l-inf 8/255.
HealthCheck checkSmoothness(const HealthThresholds& thresholds, const Target& target, Seed seed,
                            Task& task);
/// H20 on 8 images.
HealthCheck checkQuantisation(const HealthThresholds& thresholds, const Target& target, Seed seed);

}  // namespace bulwark
