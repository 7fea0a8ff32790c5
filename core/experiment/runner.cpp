#include "core/experiment/runner.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <optional>
#include <utility>

#include "core/attacks/attack.h"
#include "core/attacks/joint.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/detectors/detector.h"
#include "core/detectors/own_threshold.h"
#include "core/experiment/cells.h"
#include "core/experiment/class_accuracy.h"
#include "core/experiment/classifier.h"
#include "core/experiment/crafted_sets.h"
#include "core/experiment/curves.h"
#include "core/experiment/environment.h"
#include "core/experiment/evolved_sets.h"
#include "core/experiment/experiment_data.h"
#include "core/experiment/finished_parts.h"
#include "core/experiment/fitted_detector.h"
#include "core/experiment/health.h"
#include "core/experiment/health_probe.h"
#include "core/experiment/joint_evasion.h"
#include "core/experiment/own_decisions.h"
#include "core/experiment/record_class_map.h"
#include "core/experiment/record_strips.h"
#include "core/experiment/source_models.h"
#include "core/experiment/tabulate.h"
#include "core/metrics/detection.h"
#include "core/nn/batch_size.h"
#include "core/nn/device.h"
#include "core/nn/safetensors.h"
#include "core/training/recipe.h"

namespace bulwark {
namespace {

/// Adds the time since its construction (or the last call) to a named phase.
class PhaseClock {
 public:
  explicit PhaseClock(Json& timings) : timings_(timings) {}
  void note(const std::string& phase) {
    const auto now = std::chrono::steady_clock::now();
    const double before = timings_.value(phase, 0.0);
    timings_[phase] = before + std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  Json& timings_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

bool wants(const Specification& spec, const std::string& setting) {
  const auto& settings = spec.evaluation.settings;
  return std::find(settings.begin(), settings.end(), setting) != settings.end();
}

/// What an earlier execution has stored stands only for the data it was made from: other images, or
/// an out set more (whose scores move the bound of S1), must not be mixed with it. A training that
/// was cut short checks its own data, so nothing is refused before something is finished.
void requireSameData(const std::vector<DatasetRecord>& now, Journal& journal) {
  const auto before = journal.earlierDatasets();
  if (before.empty() || journal.artefacts().empty()) return;
  const std::string remedy =
      "put the data back as they were, or queue the specification as a new run";
  const auto find = [](const std::vector<DatasetRecord>& in, const DatasetRecord& like) {
    return std::find_if(in.begin(), in.end(), [&](const DatasetRecord& record) {
      return record.role == like.role && record.name == like.name;
    });
  };
  for (const auto& record : now) {
    const auto earlier = find(before, record);
    if (earlier == before.end() || earlier->fingerprint != record.fingerprint) {
      throw Error::badInput("the " + record.role + " images of '" + record.name +
                                "' are not those that this run began with",
                            "data", remedy);
    }
  }
  for (const auto& record : before) {
    // Made later, from the classifier; their file is checked when it is loaded.
    if (record.details.contains("evolved") || record.details.contains("crafted")) continue;
    if (find(now, record) == now.end()) {
      throw Error::badInput("the " + record.role + " images of '" + record.name +
                                "' that this run began with are missing",
                            "data", remedy);
    }
  }
}

/// Gives memory back when everything of an execution is gone, however it ended.
class MemoryRelease {
 public:
  explicit MemoryRelease(const torch::Device& device) : device_(device) {}
  ~MemoryRelease() {
    try {
      releaseMemory(device_);
    } catch (const std::exception&) {
      // A device that has failed cannot give anything back; the error that ended the run is told.
    }
  }
  MemoryRelease(const MemoryRelease&) = delete;
  MemoryRelease& operator=(const MemoryRelease&) = delete;

 private:
  torch::Device device_;
};

/// What an earlier execution has crafted on the weights of other models stands only for those
/// weights: it must not be mixed with what is crafted on others.
void requireSameSources(const Json& now, Journal& journal) {
  const Json before = journal.earlierEnvironment();
  if (!before.is_object() || !before.contains("sources") || journal.artefacts().empty()) return;
  const Json& sources = before.at("sources");
  if (sources == now) return;
  std::string name;
  for (const Json& source : now) {
    if (std::find(sources.begin(), sources.end(), source) != sources.end()) continue;
    name = source.value("file", std::string());
    break;
  }
  throw Error::badInput("the weights of another model are not those that this run began with", name,
                        "put the file back, or queue the specification as a new run");
}

}  // namespace

Runner::Runner(const Registries& registries, const DatasetCatalogue& catalogue)
    : registries_(registries), catalogue_(catalogue) {}

void Runner::execute(const Specification& asked, Journal& journal, Task& task) const {
  Specification spec = asked;
  const torch::Device device = resolveDevice(spec.device);
  const MemoryRelease release(device);  // declared before, so destroyed after, all tensors
  const int threads = setThreads(spec.threads);
  requireExactArithmetic();
  const Seed seed(spec.seed);
  Json timings = Json::object();
  PhaseClock clock(timings);
  Json environment = describeEnvironment(device, threads);
  if (Json from = describeSources(spec, journal); !from.empty()) {
    requireSameSources(from, journal);
    environment["sources"] = std::move(from);
  }
  journal.environment(environment, device.str());

  ExperimentData data = loadExperimentData(spec, catalogue_, seed.child("data"), task);
  const auto datasets = describe(data, task);
  requireOwnLabels(spec, data);
  requireSameData(datasets, journal);
  journal.datasets(datasets);
  clock.note("data");

  const auto classifier =
      prepareClassifier(spec, registries_, data, device, seed.child("classifier"), journal, task);
  clock.note("training");
  if (spec.evaluation.batchSize == 0) {
    constexpr std::int64_t withoutNetwork = 256;
    spec.evaluation.batchSize = classifier ? automaticBatch(*classifier, device) : withoutNetwork;
  }
  if (classifier) {
    addEvolvedSets(spec, catalogue_, *classifier, device, seed.child("data"), journal, task, data);
    addCraftedSets(spec, registries_, catalogue_, *classifier, device, seed.child("data"), journal,
                   task, data);
    journal.datasets(describe(data, task));
    clock.note("data");
  }

  std::vector<NamedAttack> attacks, joints;
  for (std::size_t i = 0; i < spec.attacks.size(); ++i) {
    NamedAttack attack{spec.attacks[i].label,
                       registries_.attacks.make(spec.attacks[i].type, spec.attacks[i].options,
                                                "attacks[" + std::to_string(i) + "]")};
    const bool joint = dynamic_cast<const JointAttack*>(attack.attack.get()) != nullptr;
    (joint ? joints : attacks).push_back(std::move(attack));
  }
  SourceModels sources(spec, registries_, data, classifier.get(), device, seed, journal, task);

  Json summary = Json::object();
  summary["batch_size"] = spec.evaluation.batchSize;
  if (classifier) {
    const auto resources = sources.resources(data.in.set->labels(), 1);
    const auto found = measureAccuracy(spec, *classifier, attacks, data, resources, kMarginsFile,
                                       device, seed, journal, task);
    summary["accuracy_clean"] = found.clean;
    summary["accuracy_attacked"] = found.attacked;
    clock.note("accuracy");
  }

  CellEvaluator cells(spec, data, device, seed, journal, task);
  cells.use(sources);
  CurveEvaluator curves(spec, registries_, data, device, seed, journal, task);
  curves.use(sources);
  const FinishedParts parts(journal.folder() / "parts");
  std::map<std::string, double> ownThresholds;
  std::vector<JointEvasion> evasions;
  HealthReport health;
  std::vector<std::pair<std::string, HealthReport>> probes;
  std::optional<FullHealth> full;
  if (spec.evaluation.health == "full") {
    full.emplace(spec, registries_, data, classifier.get(), attacks, device, seed, task);
  }
  const bool attackIn = wants(spec, "in") || wants(spec, "in_out");
  const bool attackOut = wants(spec, "out") || wants(spec, "in_out");
  for (std::size_t i = 0; i < spec.detectors.size(); ++i) {
    const FittedDetector fitted =
        prepareDetector(spec, i, registries_, classifier.get(), data, device, seed, journal, task);
    if (const auto* own = dynamic_cast<const HasThreshold*>(fitted.detector.get())) {
      ownThresholds[fitted.label] = own->threshold();
    }
    if (const auto* told = dynamic_cast<const HasFitFacts*>(fitted.detector.get())) {
      if (Json facts = told->fitFacts(); !facts.empty()) {
        summary["fit_facts"][fitted.label] = std::move(facts);
      }
    }
    clock.note("fit");
    const std::string number = std::to_string(i);
    // Until the next detector: costs of the classifier and joint attacks mean the detector's
    // classes, too.
    std::shared_ptr<void> ownClasses;
    if (const auto* own = dynamic_cast<const HasClasses*>(fitted.detector.get())) {
      ownClasses = own->ownClasses();
      if (ownClasses) {
        const auto resources = sources.resources(data.in.set->labels(), 1);
        const auto found =
            measureAccuracy(spec, *classifier, attacks, data, resources,
                            "margins-" + number + ".safetensors", device, seed, journal, task);
        summary["own_classes"][fitted.label] = {{"accuracy_clean", found.clean},
                                                {"accuracy_attacked", found.attacked}};
        clock.note("accuracy");
      }
    }
    cells.scoreClean(fitted);
    clock.note("score");
    if (classifier && recordStrips(fitted, i, *classifier, data, sources.resources({}, 1), device,
                                   journal, task)) {
      clock.note("strips");
    }
    if (recordClassMap(fitted, i, data, cells.scores(), spec.evaluation.batchSize, device,
                       seed.child("class map"), journal, task)) {
      clock.note("class map");
    }
    for (const auto& attack : attacks) cells.attack(fitted, attack, attackIn, attackOut);
    for (std::size_t j = 0; classifier && j < joints.size(); ++j) {
      const auto& in = cells.scores().at(fitted.label, "", data.in.name, false).scores;
      const auto own = ownThresholds.find(fitted.label);
      const double threshold = own != ownThresholds.end() ? own->second : thresholdKeeping95(in);
      evasions.push_back(
          JointEvasion::fromJson(parts.take("joint-" + number + "-" + std::to_string(j), [&] {
            return jointEvasion(fitted, *classifier,
                                dynamic_cast<const JointAttack&>(*joints[j].attack),
                                joints[j].label, *data.in.set, threshold, spec.evaluation.batchSize,
                                device, seed.child("joint"), task)
                .toJson();
          })));
    }
    clock.note("attack");
    curves.evaluate(fitted, i, cells.scores());
    clock.note("curves");
    health.add(parts.takeReport("health-" + number, [&] {
      return examineDetector(spec, fitted, attacks, registries_, data, classifier.get(), cells,
                             device, seed, task);
    }));
    if (full) {
      probes.emplace_back(fitted.label, parts.takeReport("full-health-" + number, [&] {
        task.log(LogLevel::Info,
                 "full health checks of " + fitted.label + ": " + full->cost(fitted).text());
        return full->examine(fitted);
      }));
    }
    clock.note("health");
  }

  std::vector<std::string> outs;
  for (const auto& out : data.outs) outs.push_back(out.name);
  Tabulated table = tabulate(spec, data.in.name, outs, cells.scores(), cells.classes(),
                             seed.child("metrics"), task);
  table.curves.insert(table.curves.end(), curves.curves().begin(), curves.curves().end());
  journal.results(table.rows, table.curves);
  // An attack that stopped at another threshold says nothing of what is possible at this one.
  if (!ownThresholds.empty() && spec.evaluation.mode != "cross") {
    summary["own_decisions"] =
        ownDecisions(ownThresholds, table.rows, data.in.name, cells.scores());
  }
  clock.note("metrics");

  HealthReport all =
      examineResults(spec, cells, table.rows, attacks, registries_, classifier.get(), seed, task);
  all.add(std::move(health));
  all.add({checkJointEvasion(HealthThresholds(spec.evaluation.healthThresholds), evasions,
                             classifier != nullptr),
           {}});
  if (classifier) {
    all.add({checkTrainingEnd(HealthThresholds(spec.evaluation.healthThresholds), *classifier,
                              probeImages(*data.train), device,
                              summary.at("accuracy_clean").get<double>(), data.in.set->size(),
                              trainingEnd(journal)),
             {}});
  }
  writeHealth(all, summary);
  for (const auto& evasion : evasions) summary["joint_evasion"].push_back(evasion.toJson());
  for (const auto& [detector, report] : probes) mergeHealth(report, detector, summary);
  double forwards = 0;
  double backwards = 0;
  double saturated = 0;
  double attackedImages = 0;
  for (const auto& set : cells.scores().sets()) {
    if (set.attack.empty()) continue;
    forwards += static_cast<double>(set.forwards);
    backwards += static_cast<double>(set.backwards);
    for (const auto flag : set.saturated) saturated += flag;
    attackedImages += static_cast<double>(set.scores.size());
  }
  summary["attack_forwards"] = forwards;
  summary["attack_backwards"] = backwards;
  if (!spec.curves.empty()) {
    summary["curve_forwards"] = static_cast<double>(curves.forwards());
    summary["curve_backwards"] = static_cast<double>(curves.backwards());
  }
  summary["saturated_share"] = attackedImages > 0 ? saturated / attackedImages : 0.0;
  journal.summary(summary, timings);
}

}  // namespace bulwark
