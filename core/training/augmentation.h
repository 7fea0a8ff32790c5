#pragma once

#include <torch/torch.h>

#include <string>

#include "core/base/random.h"

namespace bulwark {

/// Random changes of a training batch.
enum class Augmentation {
  None,
  Flip,      ///< mirrored left to right with probability 1/2
  CropFlip,  ///< zero-padded by 4, cropped at random, mirrored (He et al. 2016, section 4.2)
  Shift,     ///< moved by up to 2 pixels each way, zeros coming in: for digits and clothes
};

/// "none", "flip", "crop_flip" or "shift".
Augmentation augmentationNamed(const std::string& name);

/// Changed copies of `images` [B, C, H, W], on their device; each image has its own draws, taken
/// from `random` in order, so they depend neither on the device nor on the thread count.
torch::Tensor augment(Augmentation kind, const torch::Tensor& images, Random& random);

}  // namespace bulwark
