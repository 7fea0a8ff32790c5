#include "core/experiment/stored_health.h"

#include <algorithm>
#include <chrono>

#include "core/base/error.h"
#include "core/experiment/classifier.h"
#include "core/experiment/crafted_sets.h"
#include "core/experiment/evolved_sets.h"
#include "core/experiment/fitted_detector.h"
#include "core/experiment/health.h"
#include "core/experiment/health_probe.h"
#include "core/experiment/store_journal.h"
#include "core/nn/batch_size.h"
#include "core/nn/device.h"

namespace bulwark {

void examineStoredRun(const Registries& registries, const DatasetCatalogue& catalogue,
                      RunStore& store, std::int64_t run, std::int64_t images, Task& task) {
  const auto start = std::chrono::steady_clock::now();
  const RunRecord record = store.run(run);
  const std::string where = "run " + std::to_string(run);
  if (record.state != RunState::Done) {
    throw Error::badInput("the run is " + toString(record.state) + ", not done", where,
                          "let it finish first");
  }
  auto spec = Specification::fromJson(record.specification, registries, catalogue);
  // Limits that were changed after the run are its own.
  if (record.summary.is_object() && record.summary.contains("health_thresholds")) {
    spec.evaluation.healthThresholds = record.summary.at("health_thresholds");
  }
  if (images > 0) spec.evaluation.healthImages = images;
  StoreJournal journal(store, run, [](const Json&) {});
  const torch::Device device = resolveDevice(spec.device);
  setThreads(spec.threads);
  requireExactArithmetic();
  const Seed seed(spec.seed);
  auto data = loadExperimentData(spec, catalogue, seed.child("data"), task);
  const auto before = journal.earlierDatasets();
  for (const auto& now : describe(data, task)) {
    const bool same = std::any_of(before.begin(), before.end(), [&](const DatasetRecord& earlier) {
      return earlier.role == now.role && earlier.name == now.name &&
             earlier.fingerprint == now.fingerprint;
    });
    if (!same) {
      throw Error::badInput(
          "the " + now.role + " images of '" + now.name + "' are not those of the run", where,
          "put the data back as they were");
    }
  }
  requireFinished(journal, spec);
  const auto classifier =
      prepareClassifier(spec, registries, data, device, seed.child("classifier"), journal, task);
  if (spec.evaluation.batchSize == 0) {
    constexpr std::int64_t withoutNetwork = 256;
    spec.evaluation.batchSize = classifier ? automaticBatch(*classifier, device) : withoutNetwork;
  }
  if (classifier) {
    addEvolvedSets(spec, catalogue, *classifier, device, seed.child("data"), journal, task, data);
    addCraftedSets(spec, registries, catalogue, *classifier, device, seed.child("data"), journal,
                   task, data);
  }
  std::vector<NamedAttack> attacks;
  for (const auto& request : spec.attacks) {
    attacks.push_back(
        {request.label, registries.attacks.make(request.type, request.options, "attacks")});
  }
  FullHealth health(spec, registries, data, classifier.get(), attacks, device, seed, task);
  std::vector<FittedDetector> detectors;
  FullHealth::Cost whole;
  for (std::size_t i = 0; i < spec.detectors.size(); ++i) {
    detectors.push_back(
        prepareDetector(spec, i, registries, classifier.get(), data, device, seed, journal, task));
    const auto cost = health.cost(detectors.back());
    whole.passes += cost.passes;
    whole.seconds += cost.seconds;
  }
  task.log(LogLevel::Info, "full health checks of " + where + ": " + whole.text());
  Json summary = record.summary.is_object() ? record.summary : Json::object();
  double noted = 0;
  for (const auto& detector : detectors) {
    mergeHealth(health.examine(detector), detector.label, summary);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    journal.summary(summary, {{"health_full", seconds - noted}});
    noted = seconds;
  }
}

}  // namespace bulwark
