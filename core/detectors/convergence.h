#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/task.h"
#include "core/nn/autoencoder.h"

namespace bulwark {

/// Where training images are taken after they were perturbed (Alipour and Seyyedsalehi, figures 11
/// and 12): x_0 = clip(x + eps sign(grad J(x))), J = 0.988 MSE + 0.01 CE as published, whatever
/// weights the network was trained with, then x_{k+1} = G(x_k).
struct ConvergencePlan {
  std::vector<std::string> radii = {"0", "20/255", "1"};  ///< eps, as written
  std::int64_t iterations = 10;
  double reconstruction = 0.988, classes = 0.01;  ///< weights of J
};

/// [N, C, H, W]: sign(grad_x J) of J(x) = a1 mean((G(x) - x)^2) + a3 CE(F(x), y), both occurrences
/// of x in the squared error counted, of one pass whatever the network's `iteration` is.
torch::Tensor costAscent(Autoencoder& network, const torch::Tensor& images,
                         const torch::Tensor& labels, double reconstruction, double classes);

/// By radius as written, an object of
///   pearson   [iterations + 1]: mean over the images of the correlation of x_k with the clean x
///   step      [iterations]: mean over the images of |x_k - x_{k-1}| per pixel (root mean square)
///   accuracy  [iterations + 1]: share of the images whose class F(x_k) is right
///   first     [iterations + 1]: pearson of the first image alone.
/// `images` [N, C, H, W], `labels` [N] int64, both on the network's device.
Json convergence(Autoencoder& network, const torch::Tensor& images, const torch::Tensor& labels,
                 const ConvergencePlan& plan, Task& task);

}  // namespace bulwark
