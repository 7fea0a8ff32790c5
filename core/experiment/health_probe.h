#pragma once

#include <memory>
#include <string>

#include "core/experiment/cells.h"
#include "core/experiment/experiment_data.h"
#include "core/health/probes.h"
#include "core/nn/network.h"

namespace bulwark {

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
