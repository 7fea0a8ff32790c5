#include <algorithm>
#include <cmath>
#include <vector>

#include "core/attacks/demands.h"
#include "core/base/text.h"
#include "core/detectors/declarations.h"
#include "core/detectors/own_threshold.h"
#include "core/experiment/class_count.h"
#include "core/experiment/curve_request.h"
#include "core/experiment/runner.h"
#include "core/training/adversary.h"

namespace bulwark {
namespace {

/// Images of a set before it is loaded: the limit, else what the catalogue says.
double imageCount(const DatasetRequest& request, const DatasetCatalogue& catalogue, bool train) {
  const auto limit = train ? request.trainLimit : request.testLimit;
  if (limit > 0) return static_cast<double>(limit);
  if (request.dataset.empty()) return 1000.0;
  const auto& info = catalogue.info(request.dataset);
  const auto count = train ? info.trainCount : info.testCount;
  return count > 0 ? static_cast<double>(count) : 1000.0;
}

std::string thousands(double value) {
  const std::string digits = formatFixed(value, 0);
  std::string grouped;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return grouped;
}

/// Images of a set as they are propagated: in batches of one size, the last of which is filled up.
struct Load {
  double rows = 0, batch = 0;
  bool endsEarly = true;  ///< rows fall idle at different times
};

Load loadOf(double images, const Specification& spec) {
  // Chosen by the network where it is 0; a batch as large as the default stands for it.
  const std::int64_t asked = spec.evaluation.batchSize;
  const auto count = static_cast<std::int64_t>(images);
  const std::int64_t batch = std::max<std::int64_t>(1, passSize(count, asked > 0 ? asked : 256));
  return {static_cast<double>((count + batch - 1) / batch * batch), static_cast<double>(batch),
          spec.evaluation.rankSaturation || spec.evaluation.mode == "cross"};
}

/// Forwards plus backwards of one attack on one set, at most.
double passesOf(const Attack& attack, const AttackSubject& subject, const Load& load) {
  // Where rows fall idle an attack may measure, in vain, whether the batch can be rearranged: once
  // in another order and once in a smaller batch, twice the rows each.
  const double comparisons = load.endsEarly ? 4.0 : 0.0;
  const auto passes = propagationsOf(attack, subject);
  const auto& once = subject.passes;
  return load.rows * static_cast<double>(passes.forwards + passes.backwards) +
         comparisons * load.batch * static_cast<double>(once.evaluate + once.gradient);
}

/// Forwards plus backwards of a curve on one set, at most.
double passesOf(const CurveRequest& curve, const Specification& spec, const Registries& registries,
                const AttackSubject& subject, const Load& load) {
  const ComponentRequest& request = attackOf(curve, spec);
  const std::size_t values = std::max<std::size_t>(1, curve.values.size());
  double total = 0.0, most = 0.0;
  bool oneRun = curve.over == "propagations";
  for (std::size_t i = 0; i < values; ++i) {
    const auto attack =
        registries.attacks.make(request.type, optionsAt(curve, request, i), "curves");
    if (curve.over == "steps") oneRun = attack->stepsAreNested();
    const double passes = passesOf(*attack, subject, load);
    most = std::max(most, passes);
    total += passes;
  }
  return oneRun ? most : total;
}

/// Channels x height x width of the images; 0 where only the data can say.
std::int64_t entriesOf(const Specification& spec, const DatasetCatalogue& catalogue) {
  std::int64_t channels = spec.in.channels, height = spec.in.size, width = spec.in.size;
  if (!spec.in.dataset.empty()) {
    const auto& info = catalogue.info(spec.in.dataset);
    if (channels == 0) channels = info.channels;
    if (height == 0) height = info.height;
    if (width == 0) width = info.width;
  }
  return channels * height * width;
}

}  // namespace

CostEstimate estimateCost(const Specification& spec, const Registries& registries,
                          const DatasetCatalogue& catalogue, const CostRates& rates) {
  CostEstimate estimate;
  if (!spec.network.type.empty()) {
    double passes = 1.0;
    const Json& recipe = spec.recipe.options;
    if (const std::string attack = recipe.value("attack", ""); !attack.empty()) {
      passes +=
          makeAttackAdversary(attack, recipe, "classifier.recipe.attack")->propagationsPerImage() /
          2.0;
    } else if (recipe.contains("steps")) {
      passes += recipe.at("steps").get<double>();
    }
    double epochs = recipe.value("epochs", 1.0);
    // A stage for every layer of the encoder comes before (recipes autoencoder and attractor).
    if (recipe.contains("pretraining_epochs") && spec.network.options.contains("encoder")) {
      epochs += recipe.at("pretraining_epochs").get<double>() *
                static_cast<double>(spec.network.options.at("encoder").size());
    }
    // So many outliers beside each image: from the start, or in a stage of its own.
    if (recipe.contains("open_per_image")) {
      const double both = 1.0 + recipe.at("open_per_image").get<double>();
      if (recipe.at("exposure") == "scratch") {
        passes = both;
      } else {
        epochs += recipe.at("tuning_epochs").get<double>() * both;
      }
    }
    double images = imageCount(spec.in, catalogue, true) * (1.0 - spec.validationShare);
    if (spec.validationLimit > 0 && spec.in.trainLimit == 0) {
      images = std::max(0.0, images - static_cast<double>(spec.validationLimit));
    }
    estimate.trainingImages = images * epochs * passes;
  }
  const auto& settings = spec.evaluation.settings;
  const auto wanted = [&](const char* name) {
    return std::find(settings.begin(), settings.end(), name) != settings.end();
  };
  const Load in = loadOf(imageCount(spec.in, catalogue, false), spec);
  std::vector<Load> attacked;
  const bool ins = wanted("in") || wanted("in_out"), outs = wanted("out") || wanted("in_out");
  // The images of unknown classes are among those counted for the in set.
  if (ins || (outs && spec.protocol.type == "open-split")) attacked.push_back(in);
  if (outs) {
    for (const auto& out : spec.out) {
      if (out.optional && !out.dataset.empty() && !catalogue.status(out.dataset).installed)
        continue;
      attacked.push_back(loadOf(imageCount(out, catalogue, false), spec));
    }
  }
  AttackSubject subject;
  subject.entries = entriesOf(spec, catalogue);
  for (const auto& detector : spec.detectors) {
    const auto made = registries.detectors.make(detector.type, detector.options, "detectors");
    const auto traits = made->traits();
    const auto* many = dynamic_cast<const HasPasses*>(made.get());
    const std::int64_t one = many ? many->passesPerScore() : 1;
    subject.randomised = traits.randomised;
    subject.passes = {followsSurrogate(traits) ? 2 * one : one, one, one};  // the guide, the score
    for (const Load& load : attacked) {
      for (const auto& request : spec.attacks) {
        const auto attack = registries.attacks.make(request.type, request.options, "attacks");
        estimate.attackPropagations += passesOf(*attack, subject, load);
      }
      for (const auto& curve : spec.curves) {
        estimate.attackPropagations += passesOf(curve, spec, registries, subject, load);
      }
    }
  }
  if (!spec.network.type.empty()) {
    constexpr std::int64_t usual = 10;
    const std::int64_t known = classCount(spec, catalogue);
    subject = {.classes = known > 0 ? known : usual, .entries = subject.entries};
    for (const auto& request : spec.attacks) {
      const auto attack = registries.attacks.make(request.type, request.options, "attacks");
      estimate.attackPropagations += passesOf(*attack, subject, in);
    }
  }
  estimate.text = "training: " + thousands(estimate.trainingImages) +
                  " images forward and backward; attacks: at most " +
                  thousands(estimate.attackPropagations) + " image passes";
  const auto secondsOf = [](double work, double rate) {
    return work == 0.0 ? 0.0 : rate > 0.0 ? work / rate : std::nan("");
  };
  const double seconds = secondsOf(estimate.trainingImages, rates.trainingImages) +
                         secondsOf(estimate.attackPropagations, rates.attackPropagations);
  if (seconds > 0.0) {  // not where a rate is unknown
    estimate.seconds = seconds;
    estimate.text += "; at most about " + formatDuration(seconds) + " at the rate of earlier runs";
  }
  return estimate;
}

}  // namespace bulwark
