#pragma once

#include <torch/torch.h>

#include <functional>
#include <string>
#include <vector>

#include "core/detectors/detector.h"

namespace bulwark {

/// The classifier, or an `Error` that says that `detector` needs one.
Network& requireClassifier(Network* classifier, const std::string& detector);

/// Throws `Error` (BadInput) unless `file` was saved by `detector`.
void requireDetector(const TensorFile& file, const std::string& detector);

/// The network's output, wherever a layer is named.
inline constexpr const char* kLogits = "logits";
/// The images themselves, where `layerValues` is asked for layers.
inline constexpr const char* kInput = "input";

/// Throws `Error` (BadInput) at `path` with the nearest name unless the network has the tap, or it
/// is "logits".
void requireTap(const Network& network, const std::string& tap, const std::string& path);

/// [N, F]: a spatial value [N, F, h, w] averaged over its positions.
torch::Tensor averaged(const torch::Tensor& value);

/// [N, F] at the tap for images [N, C, H, W]; a spatial tap [N, F, h, w] is averaged over its
/// positions (Lee et al. 2018, section 2.2). Differentiable.
torch::Tensor tapFeatures(Network& network, const torch::Tensor& images, const std::string& tap);

/// [N, ...] at each of `layers` (taps, "logits", "input"), from one forward. Differentiable.
std::vector<torch::Tensor> layerValues(Network& network, const torch::Tensor& images,
                                       const std::vector<std::string>& layers);

/// Calls `use(features [B, F] on the context's device, labels [B] on the CPU)` for the training
/// images `rows` (int64, ascending; undefined: all) batch by batch, without a graph. Reports
/// progress in images under `phase`. Throws `Error` (Failed) when a feature is not finite.
void streamFeatures(
    const DetectorContext& context, const std::string& tap, const std::string& phase,
    const torch::Tensor& rows,
    const std::function<void(const torch::Tensor& features, const torch::Tensor& labels)>& use);

}  // namespace bulwark
