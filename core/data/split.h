#pragma once

#include <torch/torch.h>

#include <string>
#include <utility>

#include "core/base/random.h"

namespace bulwark {

/// Splits images off for validation, the same share of every class: ascending int64 indices
/// {rest, part}, disjoint, together 0..N-1. `labels`: int64 [N]; `fraction` in [0, 1]. Every class
/// gives its share rounded to the nearest image. Throws `Error` (BadInput) for other fractions.
std::pair<torch::Tensor, torch::Tensor> splitIndices(const torch::Tensor& labels, double fraction,
                                                     Seed seed);

/// As many images for validation as `count`, each class its share to the nearest image that makes
/// the sum right: ascending int64 indices {rest, part}. The part depends on neither how many of the
/// rest are used nor how. Throws `Error` (BadInput) unless images are left.
std::pair<torch::Tensor, torch::Tensor> splitCount(const torch::Tensor& labels, std::int64_t count,
                                                   Seed seed);

/// `limit` of the images with these labels [N], ascending int64 indices. `rule`: "random" (drawn
/// without replacement; a smaller limit gives a subset), "first", or "balanced" (drawn, equally
/// many of every class; what does not divide goes to the first classes; classes that have fewer
/// give all).
torch::Tensor subsetIndices(const torch::Tensor& labels, std::int64_t limit,
                            const std::string& rule, Seed seed);
/// The rule in words, for the record of a set.
std::string subsetRule(const std::string& rule);

}  // namespace bulwark
