#pragma once

#include <torch/torch.h>

#include <array>
#include <cstdint>

#include "core/base/random.h"
#include "core/nn/jacobian.h"

namespace bulwark {

/// L = a1 MSE(G(x), x) + a2 1/2 sum_ij (dG_i/dx_j)^2 + a3 CE(F(x), y)
/// (Alipour and Seyyedsalehi, equations 4 and 5), all three averaged over the batch.
struct AutoencoderLoss {
  double reconstruction = 0.988;  ///< a1
  double jacobian = 0.002;        ///< a2; 0: the baseline, the term is not computed
  double classes = 0.01;          ///< a3
  bool sumOverPixels = false;     ///< the squared error of an image is a sum, not a mean
  std::int64_t probes = 0;        ///< 0: the exact Jacobian; else Hutchinson's estimate

  /// The parts of one batch; scalars with a graph.
  struct Parts {
    torch::Tensor total, reconstruction, jacobian, classes;
    /// Their values in that order; the Jacobian's 0 where it is not computed.
    std::array<double, 4> values() const;
  };

  /// What the loss needs of a small or the whole autoencoder: input and output [N, D], logits
  /// [N, K], labels [N] and the layers of G with the code after `code` of them. For Hutchinson's
  /// estimate `input` must have been a leaf that requires a gradient.
  Parts operator()(const torch::Tensor& input, const torch::Tensor& output,
                   const torch::Tensor& logits, const torch::Tensor& labels, const ReluChain& chain,
                   std::size_t code, Random& random) const;
};

}  // namespace bulwark
