#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace bulwark {

/// Named tensors and text metadata as a safetensors file holds them (a little-endian 64-bit header
/// length, a JSON header, raw row-major tensors); Python's public `safetensors` package opens it.
struct TensorFile {
  std::map<std::string, torch::Tensor> tensors;  ///< CPU, contiguous
  std::map<std::string, std::string> metadata;

  /// Atomic: the old file stays until the new one is whole. Throws `Error` (Failed).
  void save(const std::filesystem::path& path) const;
  /// Checks every length, offset and type; throws `Error` (BadInput) naming what is wrong with
  /// the file ("cut short: ... bytes of ...").
  static TensorFile load(const std::filesystem::path& path);

  /// Throws `Error` (BadInput) when `name` is absent or its shape is not `sizes` (-1: any).
  const torch::Tensor& require(const std::string& name, const std::vector<std::int64_t>& sizes,
                               const std::string& where) const;
};

/// Adds parameters and buffers of `module` under `prefix`.
void addModule(TensorFile& file, const torch::nn::Module& module, const std::string& prefix = {});

/// Whether a file must have the state of dropout masks (`SeededDropout`): only training needs it,
/// and weights made elsewhere have none. Optional: all of it or nothing.
enum class MaskState { Required, Optional };

/// Copies them back. `names` maps module name -> file name where they differ. A partial match is
/// an `Error` that lists what is missing, what is left over and which shapes differ.
void loadModule(torch::nn::Module& module, const TensorFile& file, const std::string& where,
                const std::string& prefix = {},
                const std::map<std::string, std::string>& names = {},
                MaskState masks = MaskState::Required);

}  // namespace bulwark
