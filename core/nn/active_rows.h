#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace bulwark {

/// Positions of the active units of one layer, ascending.
using Units = std::vector<std::int64_t>;

/// Where row `image` of `mask` [N, units] is not zero; all `units` for an undefined mask (a linear
/// layer). `mask` is a contiguous CPU tensor of scalars T.
template <class T>
Units activeUnits(const torch::Tensor& mask, std::int64_t image, std::int64_t units) {
  Units found;
  found.reserve(static_cast<std::size_t>(units));
  const T* row = mask.defined() ? mask.data_ptr<T>() + image * units : nullptr;
  for (std::int64_t i = 0; i < units; ++i) {
    if (!row || row[i] != T(0)) found.push_back(i);
  }
  return found;
}

/// from[rows, columns] of a contiguous CPU matrix of scalars T, copied.
template <class T>
torch::Tensor gatherBlock(const torch::Tensor& from, const Units& rows, const Units& columns) {
  auto block = torch::empty(
      {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns.size())},
      from.options().requires_grad(false));
  T* out = block.data_ptr<T>();
  const T* in = from.data_ptr<T>();
  const std::int64_t width = from.size(1);
  for (const auto row : rows) {
    const T* line = in + row * width;
    for (const auto column : columns) *out++ = line[column];
  }
  return block;
}

/// to[rows, columns] += block, both contiguous CPU matrices of scalars T.
template <class T>
void addBlock(torch::Tensor& to, const Units& rows, const Units& columns,
              const torch::Tensor& block) {
  const T* in = block.data_ptr<T>();
  T* out = to.data_ptr<T>();
  const std::int64_t width = to.size(1);
  for (const auto row : rows) {
    T* line = out + row * width;
    for (const auto column : columns) line[column] += *in++;
  }
}

}  // namespace bulwark
