#pragma once

#include "core/detectors/detector.h"

namespace bulwark {

/// float64 [N] on the CPU: the anomaly score of every image of the set, in batches, without a
/// graph. The task is advanced by one unit per image; the caller begins and ends the phase.
/// Throws `Error` (Failed) naming the set and its first image whose score is not finite;
/// LibTorch's out-of-memory error passes through (`withMemoryAdvice`).
torch::Tensor scoreSet(Detector& detector, const ImageSet& set, const torch::Device& device,
                       std::int64_t batchSize, Task& task);

/// The same for float32 images [N, C, H, W] on the CPU.
torch::Tensor scoreImages(Detector& detector, const torch::Tensor& images,
                          const torch::Device& device, std::int64_t batchSize, Task& task);

}  // namespace bulwark
