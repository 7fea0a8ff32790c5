#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/experiment/cells.h"
#include "core/experiment/experiment_data.h"
#include "core/health/probes.h"
#include "core/nn/network.h"

namespace bulwark {

/// The attack that the costly checks vary: of those that follow the score's gradient in a ball and
/// keep their best point the one with the most steps times restarts, the first of equals. l-inf
/// radii of 0.5 and more, where any score breaks, only where there are no others. PGD with its
/// defaults, at the radius of the last attack, where none does.
AttackFacts attackToExamine(const std::vector<AttackFacts>& attacks, const Registries& registries);

/// The health checks of a run that take attacks of their own, detector by detector.
class FullHealth {
 public:
  /// All arguments outlive this; `classifier` may be null.
  FullHealth(const Specification& specification, const Registries& registries,
             const ExperimentData& data, Network* classifier,
             const std::vector<NamedAttack>& attacks, const torch::Device& device, Seed seed,
             Task& task);
  ~FullHealth();

  struct Cost {
    double passes = 0, seconds = 0;
    std::string text() const;  ///< "up to 1,200,000 passes, about 40 s"
  };
  /// At most, with seconds from a few passes made now.
  Cost cost(const FittedDetector& detector);
  HealthReport examine(const FittedDetector& detector);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
