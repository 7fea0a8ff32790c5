#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/nn/safetensors.h"

namespace bulwark {

/// Between the vectors of plain structs and the tensors of their files.

/// Throws `Error` (Failed) unless there are as many values as the sizes say.
template <class Value>
torch::Tensor tensorOf(const std::vector<Value>& values, const std::vector<std::int64_t>& sizes) {
  auto tensor = torch::empty(sizes, c10::CppTypeToScalarType<Value>::value);
  if (static_cast<std::size_t>(tensor.numel()) != values.size()) {
    throw Error::failed(std::to_string(values.size()) + " values instead of " +
                        std::to_string(tensor.numel()));
  }
  if (!values.empty()) std::memcpy(tensor.data_ptr(), values.data(), values.size() * sizeof(Value));
  return tensor;
}

/// The tensor of that name and shape (-1: any) and of the vector's type; throws `Error` (BadInput)
/// with `remedy` as its hint.
template <class Value>
std::vector<Value> valuesOf(const TensorFile& file, const std::string& name,
                            const std::vector<std::int64_t>& sizes, const std::string& where,
                            const std::string& remedy) {
  const auto& tensor = file.require(name, sizes, where);
  if (tensor.scalar_type() != c10::CppTypeToScalarType<Value>::value) {
    throw Error::badInput("the tensor '" + name + "' has another type than such files have", where,
                          remedy);
  }
  std::vector<Value> values(static_cast<std::size_t>(tensor.numel()));
  if (!values.empty()) std::memcpy(values.data(), tensor.data_ptr(), values.size() * sizeof(Value));
  return values;
}

}  // namespace bulwark
