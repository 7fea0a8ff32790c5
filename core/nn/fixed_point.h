#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "core/nn/autoencoder.h"

namespace bulwark {

/// Spectral radius of square matrices [..., n, n] (float64), [...]: the limit of ||M^p||_F^(1/p)
/// (Gelfand 1941) by power iteration with repeated squaring, p = 2^squarings.
///
/// Unlike the iteration of one vector it needs no single largest eigenvalue: conjugate pairs, +-
/// pairs and defective matrices converge alike. Below the true radius by no more than rounding;
/// above it by a factor of at most (sqrt(n) cond)^(1/p), where cond is that of the eigenvectors.
torch::Tensor spectralRadius(const torch::Tensor& matrices, int squarings = 16);

/// [N, c, c] float64: E B per image, of the chain's Jacobian J = B E with the code of c units after
/// `code` layers; inactive code units give zero rows and columns. Its eigenvalues are the non-zero
/// ones of J.
torch::Tensor codeJacobian(const ReluChain& chain, std::size_t code);

/// Spectral radius of dG/dx at each image [N, C, H, W], [N] float64 on the CPU.
///
/// A fixed point x* = G(x*) is stable under iteration where it is below 1; the paper's equation 3
/// states the scalar case |G'(x*)| < 1.
torch::Tensor jacobianRadius(Autoencoder& network, const torch::Tensor& images);

/// Pearson correlation of the flattened rows of `a` and `b` [N, ...], [N], differentiable (Alipour
/// and Seyyedsalehi, equation 7). 0 where one of them is constant, which has no correlation.
torch::Tensor pearson(const torch::Tensor& a, const torch::Tensor& b);

/// What the iteration of images [N, C, H, W] arrives at; differentiable through all iterations.
struct Iterated {
  torch::Tensor last;  ///< [N, C, H, W]: G^k(x)
  torch::Tensor fed;   ///< [N, C, H, W]: G^{k-1}(x), the image fed last
  torch::Tensor code;  ///< [N, F]: of `fed`
  torch::Tensor used;  ///< [N] int64: k
};

/// Each image stops by itself; what another one does changes nothing.
Iterated iterate(Autoencoder& network, const torch::Tensor& images, const IterationPlan& plan);

}  // namespace bulwark
