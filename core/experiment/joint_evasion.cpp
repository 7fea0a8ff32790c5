#include "core/experiment/joint_evasion.h"

#include <map>

#include "core/attacks/classification_objective.h"
#include "core/base/text.h"
#include "core/detectors/declarations.h"
#include "core/detectors/detector_objective.h"

namespace bulwark {

Json JointEvasion::toJson() const {
  return {{"detector", detector},  {"attack", attack},     {"threshold", threshold},
          {"clean", clean},        {"attacked", attacked}, {"forwards", forwards},
          {"backwards", backwards}};
}

JointEvasion JointEvasion::fromJson(const Json& json) {
  return {json.at("detector"), json.at("attack"),   json.at("threshold"), json.at("clean"),
          json.at("attacked"), json.at("forwards"), json.at("backwards")};
}

JointEvasion jointEvasion(const FittedDetector& detector, Network& classifier,
                          const JointAttack& attack, const std::string& label, const ImageSet& set,
                          double threshold, std::int64_t batchSize, const torch::Device& device,
                          Seed seed, Task& task) {
  const std::int64_t size = set.size();
  const torch::Tensor images = set.range(0, size);
  reseed(*detector.detector, seed.child("draws").child(set.name()));
  ClassificationObjective classification(classifier, set.labels());
  DetectorObjective acceptance(*detector.detector, -1);
  JointObjective objective(classification, acceptance, -threshold);
  AttackContext context{
      .device = device, .batchSize = batchSize, .seed = seed.child(set.name()), .task = task};
  context.mode = AttackMode::Cross;
  context.thresholds = {0.0};
  // Iterate 0 of nothing but the clean image: no step is needed to judge it.
  const JointAttack still({attack.threat().norm, 0.0}, 1, 1);
  const auto share = [](const AttackResult& result) {
    return result.values.gt(0.0).to(torch::kFloat64).mean().item<double>();
  };
  JointEvasion found;
  found.detector = detector.label;
  found.attack = label;
  found.threshold = threshold;
  task.begin(label + " on " + detector.label + " and the classifier", size, "images");
  const auto before = still.perturb(objective, images, context);
  context.clean = before.values;
  task.begin(label + " on " + detector.label + " and the classifier", size, "images");
  const auto after = attack.perturb(objective, images, context);
  task.end();
  found.clean = share(before);
  found.attacked = share(after);
  found.forwards = before.forwards + after.forwards;
  if (detector.detector->traits().randomised) {
    // The best of many draws is luck: what counts of a random score is a fresh one.
    context.clean = torch::Tensor();
    task.begin("judge again " + label + " on " + detector.label, size, "images");
    const auto again = still.perturb(objective, after.images, context);
    task.end();
    found.attacked = share(again);
    found.forwards += again.forwards;
  }
  found.backwards = after.backwards;
  return found;
}

std::vector<HealthCheck> checkJointEvasion(const HealthThresholds& thresholds,
                                           const std::vector<JointEvasion>& evasions,
                                           bool classified) {
  if (!classified) {
    return {notApplicable("H36", "", "there is no classifier to be misled at the same time")};
  }
  if (evasions.empty()) return {notApplicable("H36", "", "the run has no joint attack")};
  std::map<std::string, const JointEvasion*> worst;
  for (const auto& evasion : evasions) {
    auto& entry = worst.try_emplace(evasion.detector, &evasion).first->second;
    if (evasion.attacked > entry->attacked) entry = &evasion;
  }
  std::vector<HealthCheck> checks;
  for (const auto& [detector, evasion] : worst) {
    checks.push_back(judged(thresholds, "H36", detector, evasion->attacked,
                            evasion->attack + "; " + formatFixed(100.0 * evasion->clean, 1) +
                                " % are so without an attack"));
  }
  return checks;
}

}  // namespace bulwark
