#pragma once

#include <torch/torch.h>

#include <utility>

#include "core/base/random.h"

namespace bulwark {

/// Splits images off for validation, the same share of every class: ascending int64 indices
/// {rest, part}, disjoint, together 0..N-1. `labels`: int64 [N]; `fraction` in [0, 1]. Every class
/// gives its share rounded to the nearest image. Throws `Error` (BadInput) for other fractions.
std::pair<torch::Tensor, torch::Tensor> splitIndices(const torch::Tensor& labels, double fraction,
                                                     Seed seed);

}  // namespace bulwark
