#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "core/nn/network.h"

namespace bulwark {

/// Images per pass for scoring and attacking `network`: a power of two from 16 to 256, the largest
/// whose intermediate layers (the taps) stay within 32 MiB; 256 on accelerators.
///
/// It hangs on the network alone, never on a timing or on the machine, so that the same
/// specification and seed give the same scores to the last bit. Nothing is lost: on a CPU the time
/// per image hardly changes from 32 images on (see docs/architecture.md), while large passes cost
/// memory and make a job slow to stop. The network is in evaluation mode.
std::int64_t automaticBatch(Network& network, const torch::Device& device);

}  // namespace bulwark
