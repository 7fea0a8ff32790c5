#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "core/base/random.h"
#include "core/base/task.h"
#include "core/nn/network.h"

namespace bulwark {

/// How fooling images are evolved: unrecognisable images that a classifier is sure of (Nguyen,
/// Yosinski and Clune, CVPR 2015).
struct FoolingPlan {
  enum class Encoding {
    /// One gene per pixel; a genetic algorithm per image, as in Zhao et al.'s released code with
    /// the rates that it uses in effect.
    Direct,
    /// Pattern-producing networks of the pixel's place, in an archive that keeps the best image per
    /// class (MAP-Elites).
    Cppn,
  };
  Encoding encoding = Encoding::Direct;
  std::int64_t count = 1000;       ///< images
  std::int64_t generations = 200;  ///< per attempt
  std::int64_t population = 50;
  double confidence = 0.9999;  ///< softmax probability from which an image is accepted
  double mutation = 0.015;     ///< direct: share of the population's entries drawn anew
  double crossover = 0.05;     ///< direct: share of the population that is crossed
};

struct FoolingImages {
  torch::Tensor images;       ///< [M, C, H, W] float32 in [0, 1], CPU; M <= count
  torch::Tensor labels;       ///< [M] int64: the class that each is taken for
  torch::Tensor confidences;  ///< [M] float64, all above the plan's
  std::int64_t rejected = 0;  ///< places for which no attempt reached the confidence
  std::int64_t forwards = 0;
};

/// Evolves images against a frozen network on `device`, classes in turn; image i depends on the
/// seed and i alone. Passes hold one population. Places that three attempts leave below the
/// confidence stay empty. Advances `task` by one unit per place. Throws `Error`.
FoolingImages evolveFooling(Network& network, const FoolingPlan& plan, const torch::Device& device,
                            Seed seed, Task& task);

}  // namespace bulwark
