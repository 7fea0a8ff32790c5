#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/task.h"
#include "core/nn/autoencoder.h"

namespace bulwark {

/// Which images are iterated for looking at (Alipour and Seyyedsalehi, figures 10 to 12).
struct StripPlan {
  std::int64_t images = 8;  ///< of the training set and of each test set; 0: none
  std::vector<std::string> radii = {"0",      "1/255",  "5/255",
                                    "10/255", "20/255", "255/255"};  ///< eps, as written
  std::int64_t iterations = 5;                                       ///< k
};

/// Where N images are taken from each of R radii in K iterations; all on the CPU.
struct StripValues {
  torch::Tensor pixels;   ///< uint8 [N, R, K + 1, C, H, W]: x_0 ... x_K on the 8-bit grid
  torch::Tensor classes;  ///< int64 [N, R, K + 1]: arg max F(x_j)
  torch::Tensor toInput;  ///< float64 [N, R, K + 1]: correlation of x_j with x_0
  torch::Tensor toClean;  ///< float64 [N, R, K + 1]: with the clean image
};

/// x_0 = clip(x + eps sign(grad J(x))), x_{j+1} = G(x_j), with J of `costAscent` and the weights
/// given. `images` [N, C, H, W] on the network's device, `labels` [N] int64: y in J, the class that
/// the network gives the image where it is negative. Draws nothing.
StripValues iterationStrips(Autoencoder& network, const torch::Tensor& images,
                            const torch::Tensor& labels, const StripPlan& plan,
                            double reconstructionWeight, double classWeight, Task& task);

/// Implemented by detectors that judge where a network takes an image.
class HasStrips {
 public:
  virtual ~HasStrips() = default;
  virtual StripPlan strips() const = 0;
  /// Passes after which the detector judges; 0: as many as each image takes.
  virtual std::int64_t judgedAfter() const = 0;
};

}  // namespace bulwark
