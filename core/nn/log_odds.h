#pragma once

#include <torch/torch.h>

namespace bulwark {

/// log((1 - p) / p) per row, where p is the softmax probability of the class in `classes` [N]
/// (int64, on the logits' device); from logits [N, K] with K >= 2, [N], differentiable.
///
/// Computed as logsumexp of the other logits minus the class's own, which never forms p: where
/// float32 rounds p to 1, the probability, its logarithm and their gradients are lost (ties and
/// zero gradients), while this keeps its full relative precision. Strictly falling in p.
torch::Tensor negativeLogOdds(const torch::Tensor& logits, const torch::Tensor& classes);

}  // namespace bulwark
