#pragma once

#include <string>
#include <vector>

#include "core/experiment/cells.h"
#include "core/health/check.h"
#include "core/health/consistency.h"

namespace bulwark {

/// The attacks of a specification as the checks compare them.
std::vector<AttackFacts> attackFacts(const Specification& specification,
                                     const std::vector<NamedAttack>& attacks);

/// What every evaluation checks of one detector, once its sets are attacked: H8, H10 to H18, H20
/// and H26, on a few in images, H15 on the out images and under the attacks, too.
HealthReport examineDetector(const Specification& specification, const FittedDetector& detector,
                             const std::vector<NamedAttack>& attacks, const Registries& registries,
                             const ExperimentData& data, Network* classifier,
                             const CellEvaluator& cells, const torch::Device& device, Seed seed,
                             Task& task);

/// What every evaluation checks of its results once all are there: H1 to H9, H19, H21, H24, H25,
/// H32, H35.
HealthReport examineResults(const Specification& specification, const CellEvaluator& cells,
                            const std::vector<ResultRow>& rows,
                            const std::vector<NamedAttack>& attacks, const Registries& registries,
                            Network* classifier, Seed seed, Task& task);

/// Enters "health", "health_checks" and "health_series" into the summary of a run.
void writeHealth(const HealthReport& report, Json& summary);
/// Puts what was examined of one detector in the place of what the summary held of the same checks.
void mergeHealth(const HealthReport& report, const std::string& detector, Json& summary);

}  // namespace bulwark
