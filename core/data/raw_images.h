#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/task.h"
#include "core/data/byte_source.h"

namespace bulwark {

/// One split of a data set as a reader opened it: labels at once, pixels for the chosen images
/// only, so that a subset of a large folder decodes no more than the subset.
struct RawImages {
  torch::Tensor labels;                 ///< int64 [N]; -1 where unlabelled
  std::vector<std::string> classNames;  ///< empty: none are known
  /// uint8 [B, C, H, W] or float32 in [0, 1], for ascending, distinct int64 indices [B].
  std::function<torch::Tensor(const torch::Tensor& indices, Task& task)> pixels;

  std::int64_t count() const { return labels.size(0); }
};

/// How images whose sizes differ are brought together while they are decoded.
struct FolderOptions {
  int size = 0;          ///< square side; 0: all images must have one size
  int fallbackSize = 0;  ///< used when `size` is 0 and the sizes differ; 0: that is an error
};

/// IDX (LeCun's MNIST files): `images` big-endian uint8 [N, H, W]; `labels` [N], or empty.
RawImages readIdx(const std::filesystem::path& images, const std::filesystem::path& labels,
                  Task& task);
/// Any one-dimensional IDX file of whole numbers (types 0x08, 0x09, 0x0B, 0x0C): int64 [N].
torch::Tensor readIdxVector(const std::filesystem::path& path, Task& task);

/// CIFAR binary records: `labelBytes` label bytes, of which number `labelByte` counts, then 3,072
/// bytes red, green, blue, 32 rows of 32 each. A label at or above `classes` is an error.
RawImages readCifar(const std::vector<std::filesystem::path>& files, int labelBytes, int labelByte,
                    int classes, Task& task);

/// NumPy arrays, format 1.0 to 3.0: uint8, or float32/float64 in [0, 1]; [N, H, W], [N, C, H, W]
/// or [N, H, W, C] told apart by the axis of size 1 or 3. `labels`: integers [N], or empty.
RawImages readNpy(const std::filesystem::path& images, const std::filesystem::path& labels,
                  Task& task);

/// One folder of PNG, JPEG, BMP or PPM files per class. `classes` are the folder names in label
/// order; images directly in `folder` are unlabelled.
RawImages readFolder(const std::filesystem::path& folder, const std::vector<std::string>& classes,
                     const FolderOptions& options, Task& task);

/// uint8 [size]. Takes memory as the bytes arrive, so that a wrong header cannot ask for all of it.
torch::Tensor readBytes(ByteSource& source, std::int64_t size, Task& task);

/// `pixels` for readers that hold everything in one tensor.
std::function<torch::Tensor(const torch::Tensor&, Task&)> selectFrom(torch::Tensor all);

/// float [N, C, H, W] at another size: antialiased bilinear, the one resampling rule of Bulwark.
torch::Tensor resizeAntialiased(const torch::Tensor& images, std::int64_t height,
                                std::int64_t width);

}  // namespace bulwark
