#pragma once

#include <cstdint>
#include <vector>

namespace bulwark {

/// The pair p, q of `domain` that maximises -(alpha_p + alpha_q) (beta_p + beta_q) subject to
/// alpha_p + alpha_q > 0 and beta_p + beta_q < 0; smaller position first, empty if there is none.
///
/// Exact without trying all pairs: the product grows with alpha and with -beta, so an entry that
/// two others match or exceed in both can be replaced by one of these in any pair.
std::vector<std::int64_t> salientPair(const std::vector<std::int64_t>& domain, const float* alpha,
                                      const float* beta);

/// The two entries of `domain` with the largest positive alpha; fewer if fewer are positive.
std::vector<std::int64_t> largestTwo(const std::vector<std::int64_t>& domain, const float* alpha);

}  // namespace bulwark
