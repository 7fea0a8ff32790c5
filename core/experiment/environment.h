#pragma once

#include <torch/torch.h>

#include "core/base/json.h"

namespace bulwark {

/// Versions, device and threads of this process, as stored with a run.
Json describeEnvironment(const torch::Device& device, int threads);

}  // namespace bulwark
