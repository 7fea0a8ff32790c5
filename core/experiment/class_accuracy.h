#pragma once

#include <string>
#include <vector>

#include "core/attacks/resources.h"
#include "core/experiment/cells.h"
#include "core/experiment/experiment_data.h"
#include "core/experiment/runner.h"
#include "core/nn/network.h"

namespace bulwark {

/// Share of the in test images that a classifier names rightly.
struct ClassAccuracy {
  double clean = 0.0;
  Json attacked = Json::object();  ///< by the attack's label
};

/// Clean, and after each attack on the classification itself. The margins found are kept in `file`
/// of the run's folder, attack by attack; those that an earlier execution has stored are taken.
ClassAccuracy measureAccuracy(const Specification& specification, Network& classifier,
                              const std::vector<NamedAttack>& attacks, const ExperimentData& data,
                              const AttackResources& resources, const std::string& file,
                              const torch::Device& device, Seed seed, Journal& journal, Task& task);

}  // namespace bulwark
