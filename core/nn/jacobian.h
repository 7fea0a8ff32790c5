#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "core/base/random.h"
#include "core/nn/autoencoder.h"

namespace bulwark {

/// How the exact Jacobian norm is computed; all give the same numbers but for rounding.
enum class JacobianForm {
  Automatic,   ///< ActiveRows on the CPU, Batched elsewhere
  ActiveRows,  ///< image by image on the sub-matrices of active units; CPU only
  Batched,     ///< masked batched products
};

/// The squared Frobenius norm of the Jacobian of a chain of rectified layers.
struct JacobianNorm {
  torch::Tensor mean;      ///< scalar: (1/N) sum_n ||J_n||_F^2; its graph leads to the weights
  torch::Tensor perImage;  ///< [N]: ||J_n||_F^2, without a graph
};

/// Exact, for J = B E = D_L W_L ... D_{c+1} W_{c+1} . D_c W_c ... D_1 W_1 with the code after
/// `code` layers, 0 < code < L (the attractor loss, Alipour and Seyyedsalehi, equation 5, is 1/2 of
/// it).
///
/// With Q_1 = D_1 (W_1 W_1^T) D_1, Q_l = D_l W_l Q_{l-1} W_l^T D_l (W_1 W_1^T is shared by the
/// batch) and P_{L-1} = D_{L-1} W_L^T D_L W_L D_{L-1}, P_{l-1} = D_{l-1} W_l^T P_l W_l D_{l-1}:
///   ||J||_F^2 = tr(E^T B^T B E) = <P_c, Q_c>_F,
///   d||J||_F^2 / dW_l = 2 P_l W_l Q_{l-1},   with Q_0 = I and P_L = D_L.
/// Masks are piecewise constant, so this is the derivative almost everywhere; that with respect to
/// the biases and the image is 0. The gradient is found along with the value (where one is wanted)
/// and is itself a constant: the result can be differentiated once.
///
/// A network with one hidden layer is a chain of two with code 1: <W_2^T D_2 W_2, D_1 W_1 W_1^T
/// D_1>. Weights and masks are all float or all double.
JacobianNorm jacobianNorm(const ReluChain& chain, std::size_t code,
                          JacobianForm form = JacobianForm::Automatic);

/// Unbiased estimate of ||J_n||_F^2 per image, [N], for any network: the mean over `probes` random
/// sign vectors u of ||J_n^T u||^2 (Hutchinson 1990), one backward pass each. `output` [N, ...] was
/// computed from `input` [N, ...] row by row. With a graph to whatever the output depends on.
torch::Tensor hutchinsonJacobianNorm(const torch::Tensor& output, const torch::Tensor& input,
                                     std::int64_t probes, Random& random);

/// Exact, [N], for any network, by one backward pass per output: what the others are measured
/// against. With a graph.
torch::Tensor naiveJacobianNorm(const torch::Tensor& output, const torch::Tensor& input);

}  // namespace bulwark
