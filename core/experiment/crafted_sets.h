#pragma once

#include <memory>
#include <string>

#include "core/attacks/attack.h"
#include "core/detectors/detector.h"
#include "core/experiment/experiment_data.h"
#include "core/experiment/runner.h"
#include "core/nn/network.h"

namespace bulwark {

/// Whether an out set consists of in test images that an attack has turned against the run's own
/// classifier, so that it can only be made once that is trained.
bool isCrafted(const DatasetRequest& request, const DatasetCatalogue& catalogue);

/// The attack that such a set names: "fgsm", or the text of {"type": "fgsm", "eps": 0.4}. `path`:
/// of the set, for errors. Throws `Error` (BadInput) for one that does not attack a classifier
/// alone.
std::unique_ptr<Attack> craftingAttack(const DatasetRequest& request, const Registries& registries,
                                       const std::string& path);

/// Images that an attack, as published ("keep": "last", "bounded": false), makes against the
/// classifier, for detectors that are trained on them. What is given outlives the function.
CraftImages imageCrafter(const Registries& registries, Network& classifier,
                         const torch::Device& device, std::int64_t batchSize, Seed seed,
                         Task& task);

/// Makes the adversarial out sets of the specification and adds them to `data`; those that an
/// earlier execution of the run has stored are loaded. Each is a file of the run's folder:
/// "images" [N, C, H, W], "labels" [N] (the true classes), "rows" [N] (positions in the in test
/// set), "margins" [N] (largest other logit less the true one; above 0: misclassified).
///
/// This is the published, non-adaptive protocol for detectors of adversarial images (Ma et al.
/// 2018, section 5; Zhao et al. 2022, section 5.2): no detector is known to the attack. What an
/// adversary who knows the detector reaches is what the run's own attacks show. Throws `Error`,
/// Failed when no image is left.
void addCraftedSets(const Specification& specification, const Registries& registries,
                    const DatasetCatalogue& catalogue, Network& classifier,
                    const torch::Device& device, Seed seed, Journal& journal, Task& task,
                    ExperimentData& data);

}  // namespace bulwark
