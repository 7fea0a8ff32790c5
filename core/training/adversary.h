#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>

#include "core/base/json.h"
#include "core/base/random.h"
#include "core/base/task.h"
#include "core/nn/network.h"

namespace bulwark {

/// What perturbs the images that a training step is taken on.
class Adversary {
 public:
  virtual ~Adversary() = default;
  /// `images` [B, C, H, W] and `labels` [B] on the network's device; `share` in [0, 1] of the full
  /// radius. The network is in evaluation mode meanwhile (as in TRADES, Zhang et al. 2019), so that
  /// the points on the way leave batch norm's statistics alone, and its parameters are frozen,
  /// which spares their gradients. Returns detached images on that device.
  virtual torch::Tensor perturb(Network& network, const torch::Tensor& images,
                                const torch::Tensor& labels, double share, Seed seed,
                                Task& task) const = 0;
  /// Forwards plus backwards per image that one batch takes, at most.
  virtual double propagationsPerImage() const = 0;
};

/// One of the attacks (core/attacks) as the adversary of training: against the cross-entropy, the
/// point of largest margin counts. `asked` is a name or an object written as text, {"type": "pgd",
/// "restarts": 2}; of "eps", "norm", "steps", "step_size" and "random_start", what it leaves open
/// and the attack has is taken from `usual`.
///
/// Throws `Error` (BadInput) below `path`; also for attacks that make no sense in training: those
/// that look for the nearest crossing or a few pixels, ensembles, and black boxes.
std::unique_ptr<Adversary> makeAttackAdversary(const std::string& asked, const Json& usual,
                                               const std::string& path);

}  // namespace bulwark
