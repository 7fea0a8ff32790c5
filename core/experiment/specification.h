#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/data/catalogue.h"
#include "core/registry/registries.h"

namespace bulwark {

/// A detector or attack as a specification names it.
struct ComponentRequest {
  std::string type;
  std::string label;  ///< unique in the specification; default: the type, "type (eps=4/255)" ...
  Json options;       ///< complete, defaults filled in, without type and label
};

/// Name of the out set that the protocol open-split forms.
inline constexpr char kUnknownClasses[] = "unknown-classes";

/// How in and out are formed from the data.
struct ProtocolRequest {
  std::string type = "multiclass";  ///< "multiclass" or "open-split"
  /// open-split: known classes of the in set; the rest is the out set "unknown classes".
  std::vector<std::int64_t> known;
  /// open-split without `known`: this many classes drawn with the seed.
  std::int64_t knownCount = 0;
};

struct EvaluationRequest {
  std::vector<std::string> settings = {"clean", "in", "out", "in_out"};
  std::string mode = "maximise";     ///< or "cross": attacks stop at the clean threshold
  std::vector<std::string> metrics;  ///< shown in tables; all are computed
  std::int64_t bootstrap = 1000;     ///< replicates of the 95 % interval
  std::int64_t batchSize = 256;
  bool rankSaturation = true;       ///< S1: exact for every rank metric
  std::int64_t imagePairs = 12;     ///< kept per (detector, attack, set)
  std::string health = "quick";     ///< or "full": the checks that take attacks of their own, too
  std::int64_t healthImages = 100;  ///< in images and out images of the costly checks
  Json healthThresholds = Json::object();  ///< limits that differ: {"H22": 0.02}
};

/// A curve of the AUROC against what the adversary of one attack may spend.
struct CurveRequest {
  std::string over;                 ///< "epsilon", "steps", "restarts" or "propagations"
  std::string attack;               ///< label of an attack of the specification
  std::vector<std::string> values;  ///< ascending, as written: "8/255"; none for propagations
  double until = 0.0;               ///< epsilon: the AUROC at which the curve ends
};

/// A published figure that a preset is compared with.
struct PublishedFigure {
  std::string detector, attack, setting, out;
  double value = 0;
  std::string source;
  /// auroc, or a share that a run reports beside it: accuracy, own_accuracy, own_precision_in,
  /// own_recall_in (core/report/over_seeds.h); those are written as "metric" and "value".
  std::string metric = "auroc";
};

/// An experiment specification (design.md section 4), checked and complete.
struct Specification {
  std::string name;
  std::uint64_t seed = 0;
  std::string device = "auto";
  int threads = 0;
  DatasetRequest in;
  std::vector<DatasetRequest> out;
  std::optional<DatasetRequest> open;  ///< outliers shown in training; see the trait of recipes
  ProtocolRequest protocol;
  double validationShare = 0.1;  ///< of the in set's training images, kept from training
  /// Above 0, in place of the share: so many are kept before `train_limit` takes from the rest.
  std::int64_t validationLimit = 0;
  ComponentRequest network;  ///< type "" when no detector needs a classifier
  ComponentRequest recipe;
  std::vector<ComponentRequest> detectors;
  std::vector<ComponentRequest> attacks;
  std::vector<CurveRequest> curves;
  EvaluationRequest evaluation;
  std::vector<PublishedFigure> published;

  /// Throws `Error` (BadInput) naming the option's path, what was given and what is allowed.
  static Specification fromJson(const Json& json, const Registries& registries,
                                const DatasetCatalogue& catalogue);
  /// Reads a file; syntax errors name line and column.
  static Json readJson(const std::string& path);
  /// Every option, defaults filled in; `fromJson(toJson())` is the same specification.
  Json toJson() const;
  /// sha256 of the canonical JSON without name, device and threads.
  std::string hash() const;
};

/// Option declarations of the parts that are not components, for forms and `describe`.
const OptionSchema& evaluationSchema();
const OptionSchema& protocolSchema();
/// Of one entry of the list "curves".
const OptionSchema& curveSchema();

/// A ready specification that ships with the program.
struct Preset {
  std::string name;
  std::string summary;
  Json specification;
};
const std::vector<Preset>& presets();
/// Throws `Error` (BadInput) with the nearest known name.
const Preset& preset(const std::string& name);

}  // namespace bulwark
