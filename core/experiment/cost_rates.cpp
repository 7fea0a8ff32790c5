#include "core/experiment/cost_rates.h"

#include <string>

#include "core/base/error.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

/// Runs that a rate is made of: enough to even out what else the machine did, all recent.
constexpr int kMostRuns = 5;

/// "cuda" for "cuda:0".
std::string kindOf(const std::string& device) {
  return device.substr(0, device.find(':'));
}

double numberAt(const Json& object, const char* key) {
  if (!object.is_object()) return 0.0;
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0.0;
}

}  // namespace

CostRates earlierRates(const RunStore& store, const Specification& specification,
                       const Registries& registries, const DatasetCatalogue& catalogue) {
  const std::string device = kindOf(resolveDevice(specification.device).str());
  double images = 0, trainingSeconds = 0, propagations = 0, attackSeconds = 0;
  int used = 0;
  for (const RunRecord& listed : store.runs(true)) {
    if (used == kMostRuns) break;
    if (listed.state != RunState::Done || kindOf(listed.device) != device) continue;
    const RunRecord run = store.run(listed.id);
    double trained = 0;
    try {
      const auto earlier = Specification::fromJson(run.specification, registries, catalogue);
      if (earlier.network.type != specification.network.type) continue;
      trained = estimateCost(earlier, registries, catalogue).trainingImages;
    } catch (const std::exception&) {
      continue;  // of a version that knew other options, or of data that are gone
    }
    ++used;
    // A classifier taken from a file was not trained, whatever the specification says.
    if (const double seconds = numberAt(run.timings, "training"); seconds > 1.0) {
      images += trained;
      trainingSeconds += seconds;
    }
    propagations +=
        numberAt(run.summary, "attack_forwards") + numberAt(run.summary, "attack_backwards");
    attackSeconds += numberAt(run.timings, "attack");
  }
  CostRates rates;
  if (trainingSeconds > 0) rates.trainingImages = images / trainingSeconds;
  if (attackSeconds > 0) rates.attackPropagations = propagations / attackSeconds;
  return rates;
}

}  // namespace bulwark
