#include "core/experiment/specification.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <utility>

#include "core/attacks/attack.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "core/detectors/detector.h"
#include "core/experiment/curve_request.h"
#include "core/experiment/matching_parts.h"
#include "core/experiment/set_parts.h"
#include "core/health/check.h"
#include "core/training/recipe.h"

namespace bulwark {
namespace {

const std::vector<std::string> kSettings = {"clean", "in", "out", "in_out"};
const std::vector<std::string> kMetrics = {
    "auroc", "aupr_out",           "aupr_in",   "fpr95_id", "fpr95_ood",
    "tnr95", "detection_accuracy", "tpr_fixed", "fpr_fixed"};
const std::vector<std::string> kPublishedMetrics = {"auroc",
                                                    "accuracy",
                                                    "own_accuracy",
                                                    "own_precision_in",
                                                    "own_recall_in",
                                                    "tnr95",
                                                    "tnr95_per_class",
                                                    "auroc_per_class",
                                                    "tnr95_per_class_transductive",
                                                    "auroc_per_class_transductive"};
const std::vector<std::string> kFixedMetrics = {"fpr_fixed", "tpr_fixed"};

void requireKeys(const Json& json, const std::string& path, const std::vector<std::string>& known) {
  if (!json.is_object()) {
    throw Error::badInput("this is not an object", path.empty() ? "specification" : path,
                          "expected {" + join(known, ", ") + "}");
  }
  for (const auto& [key, value] : json.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string typo = suggestion(key, known);
    throw Error::badInput("unknown key", path.empty() ? key : path + "." + key,
                          typo.empty() ? "known keys: " + join(known, ", ") : typo);
  }
}

std::string textAt(const Json& json, const std::string& key, const std::string& path,
                   const std::string& fallback) {
  if (!json.contains(key)) return fallback;
  if (!json.at(key).is_string()) {
    throw Error::badInput(json.at(key).dump() + " is not a text", path + key);
  }
  return json.at(key).get<std::string>();
}

std::int64_t wholeAt(const Json& json, const std::string& key, const std::string& path,
                     std::int64_t fallback, std::int64_t least, std::int64_t most) {
  if (!json.contains(key)) return fallback;
  OptionSchema schema;
  schema.integer(key, fallback, "").range(static_cast<double>(least), static_cast<double>(most));
  return Params::check(schema.options()[0], json.at(key), path + key).get<std::int64_t>();
}

/// {"type": "knn", "k": 5}, or just "knn", checked against the registry.
template <class Registry>
ComponentRequest readComponent(const Json& json, const Registry& registry,
                               const std::string& path) {
  ComponentRequest request;
  Json options = Json::object();
  if (json.is_string()) {
    request.type = json.get<std::string>();
  } else {
    if (!json.is_object() || !json.contains("type") || !json.at("type").is_string()) {
      throw Error::badInput(
          "the type is missing", path,
          "expected {\"type\": \"...\", ...} or the name of a " + registry.kind());
    }
    request.type = json.at("type").template get<std::string>();
    request.label = textAt(json, "label", path + ".", "");
    options = json;
  }
  const auto& info = registry.info(request.type, path);
  request.options = Params(info.options, options, path, {"type", "label"}).values();
  return request;
}

Json writeComponent(const ComponentRequest& request, bool labelled) {
  Json json;
  json["type"] = request.type;
  if (labelled) json["label"] = request.label;
  for (const auto& [key, value] : request.options.items()) json[key] = value;
  return json;
}

/// Gives every request a unique label: the type, with the options that differ where it repeats.
template <class Registry>
void labelAll(std::vector<ComponentRequest>& requests, const Registry& registry,
              const std::string& path) {
  std::set<std::string> given;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto& request = requests[i];
    if (request.label.empty()) {
      request.label = request.type;
      const auto same = std::count_if(requests.begin(), requests.end(), [&](const auto& other) {
        return other.type == request.type;
      });
      if (same > 1) {
        std::vector<std::string> parts;
        for (const auto& option : registry.info(request.type).options.options()) {
          const Json& value = request.options.at(option.key);
          if (value == option.defaultValue) continue;
          parts.push_back(option.key + "=" +
                          (value.is_string() ? value.template get<std::string>() : value.dump()));
        }
        if (!parts.empty()) request.label += " (" + join(parts, ", ") + ")";
      }
    }
    if (!given.insert(request.label).second) {
      throw Error::badInput("'" + request.label + "' appears twice",
                            path + "[" + std::to_string(i) + "]",
                            "change an option or give each its own \"label\"");
    }
  }
}

bool shareClasses(const DatasetRequest& a, const DatasetRequest& b) {
  if (a.classes.empty() || b.classes.empty()) return true;
  return std::any_of(a.classes.begin(), a.classes.end(), [&](const std::string& name) {
    return std::find(b.classes.begin(), b.classes.end(), name) != b.classes.end();
  });
}

/// The set exists, and has the options that are given.
void completeOptions(DatasetRequest& request, const DatasetCatalogue& catalogue,
                     const std::string& path) {
  if (!request.dataset.empty()) {
    request.completeOptions(catalogue.info(request.dataset, path + ".dataset"), path);
  } else if (!request.options.empty()) {
    throw Error::badInput("data on disk have no options", path + ".options", "leave them out");
  }
}

void readData(const Json& json, Specification& spec, const DatasetCatalogue& catalogue) {
  requireKeys(json, "data",
              {"in", "out", "open", "protocol", "validation_share", "validation_limit"});
  if (!json.contains("in") || json.at("in").is_null() || json.at("in").empty()) {
    throw Error::badInput("the in set is missing", "data.in",
                          "name a data set, e.g. {\"dataset\": \"fashion-mnist\"}");
  }
  spec.in = DatasetRequest::fromJson(json.at("in"), "data.in");
  completeOptions(spec.in, catalogue, "data.in");
  if (json.contains("validation_share")) {
    OptionSchema schema;
    schema.number("validation_share", 0.1, "").range(0.0, 0.5);
    const Json given =
        Params::check(schema.options()[0], json.at("validation_share"), "data.validation_share");
    spec.validationShare =
        given.is_string() ? parseFraction(given.get<std::string>()).value() : given.get<double>();
  }
  spec.validationLimit = wholeAt(json, "validation_limit", "data.", 0, 0, 1000000000);
  if (spec.validationLimit > 0) {
    if (json.contains("validation_share")) {
      throw Error::badInput("there is a share and a number of validation images",
                            "data.validation_limit", "leave one of the two out");
    }
    spec.validationShare = 0.0;
  }

  const Json protocol = json.value("protocol", Json::object());
  const Params params(protocolSchema(), protocol, "data.protocol", {});
  spec.protocol.type = params.getText("type");
  for (const long long known : params.getIntList("known")) spec.protocol.known.push_back(known);
  spec.protocol.knownCount = params.getInt("known_count");
  const bool split = spec.protocol.type == "open-split";
  if (split && spec.protocol.known.empty() && spec.protocol.knownCount < 2) {
    throw Error::badInput("open-split needs at least two known classes", "data.protocol",
                          "give \"known\": [0, 1, ...] or \"known_count\": 6");
  }
  if (!split && (!spec.protocol.known.empty() || spec.protocol.knownCount != 0)) {
    throw Error::badInput("known classes belong to the protocol open-split", "data.protocol",
                          "set \"type\": \"open-split\"");
  }
  if (std::set<std::int64_t>(spec.protocol.known.begin(), spec.protocol.known.end()).size() !=
      spec.protocol.known.size()) {
    throw Error::badInput("a class is listed twice", "data.protocol.known");
  }

  if (json.contains("open") && !json.at("open").is_null()) {
    spec.open = DatasetRequest::fromJson(json.at("open"), "data.open");
    completeOptions(*spec.open, catalogue, "data.open");
    if (sameSource(*spec.open, spec.in, catalogue) && shareClasses(*spec.open, spec.in)) {
      throw Error::badInput("the in set is also the open set", "data.open",
                            "choose another set, or give the two disjoint \"classes\"");
    }
  }

  const Json outs = json.value("out", Json::array());
  if (!outs.is_array()) throw Error::badInput("this is not a list", "data.out");
  if (outs.empty() && !split) {
    throw Error::badInput("there is no out set", "data.out",
                          "name at least one, e.g. [{\"dataset\": \"noise-uniform\"}]");
  }
  std::set<std::string> names;
  if (split) names.insert(kUnknownClasses);
  for (std::size_t i = 0; i < outs.size(); ++i) {
    const std::string path = "data.out[" + std::to_string(i) + "]";
    Json asked = outs[i];
    // An attack within a set may be written as the object that it is.
    if (asked.is_object() && asked.contains("options") && asked.at("options").is_object()) {
      Json& options = asked.at("options");
      if (options.contains("attack") && options.at("attack").is_object()) {
        options["attack"] = options.at("attack").dump();
      }
    }
    DatasetRequest request = DatasetRequest::fromJson(asked, path);
    completeOptions(request, catalogue, path);
    if (sameSource(request, spec.in, catalogue) && shareClasses(request, spec.in)) {
      throw Error::badInput("the in set is also an out set", path,
                            "choose another set, or give the two disjoint \"classes\"");
    }
    if (spec.open && sameSource(request, *spec.open, catalogue) &&
        shareClasses(request, *spec.open)) {
      throw Error::badInput("the open set that is trained with is also tested on", path,
                            "choose another set, or give the two disjoint \"classes\"");
    }
    if (!names.insert(request.displayName()).second) {
      throw Error::badInput("'" + request.displayName() + "' appears twice", path,
                            "give each its own \"label\"");
    }
    spec.out.push_back(std::move(request));
  }
}

void readClassifier(const Json& json, Specification& spec, const Registries& registries) {
  requireKeys(json, "classifier", {"network", "recipe"});
  if (!json.contains("network")) {
    throw Error::badInput("the network is missing", "classifier.network",
                          "name one, e.g. \"lenet5\"");
  }
  spec.network = readComponent(json.at("network"), registries.networks, "classifier.network");
  Json recipe = json.value("recipe", Json("standard"));
  // An attack within a recipe may be written as the object that it is.
  if (recipe.is_object() && recipe.contains("attack") && recipe.at("attack").is_object()) {
    recipe["attack"] = recipe.at("attack").dump();
  }
  spec.recipe = readComponent(recipe, registries.recipes, "classifier.recipe");
  spec.network.label = spec.network.type;
  spec.recipe.label = spec.recipe.type;
  // Builds the recipe once, for the checks between options that only its constructor makes.
  registries.recipes.make(spec.recipe.type, spec.recipe.options, "classifier.recipe");
}

void readEvaluation(const Json& json, Specification& spec) {
  const Params params(evaluationSchema(), json, "evaluation", {"health_thresholds"});
  spec.evaluation.settings = params.getTextList("settings");
  spec.evaluation.mode = params.getText("mode");
  spec.evaluation.metrics = params.getTextList("metrics");
  if (spec.evaluation.mode == "cross") {
    if (!json.contains("metrics")) spec.evaluation.metrics = kFixedMetrics;
    for (const auto& metric : spec.evaluation.metrics) {
      if (metric.ends_with("_fixed")) continue;
      throw Error::badInput("'" + metric + "' ranks scores, but an attack that stops at the " +
                                "threshold does not find the worst score",
                            "evaluation.metrics",
                            "use fpr_fixed and tpr_fixed, or the mode maximise");
    }
  }
  spec.evaluation.bootstrap = params.getInt("bootstrap");
  spec.evaluation.batchSize = params.getInt("batch_size");
  spec.evaluation.rankSaturation = params.getBool("rank_saturation");
  spec.evaluation.imagePairs = params.getInt("image_pairs");
  spec.evaluation.health = params.getText("health");
  spec.evaluation.healthImages = params.getInt("health_images");
  spec.evaluation.healthThresholds = json.value("health_thresholds", Json::object());
  HealthThresholds(spec.evaluation.healthThresholds, "evaluation.health_thresholds");
  if (spec.evaluation.settings.empty()) {
    throw Error::badInput("there is no setting", "evaluation.settings",
                          "expected some of clean, in, out, in_out");
  }
}

void readPublished(const Json& json, Specification& spec) {
  if (!json.is_array()) throw Error::badInput("this is not a list", "published");
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string path = "published[" + std::to_string(i) + "]";
    requireKeys(json[i], path,
                {"detector", "attack", "setting", "out", "auroc", "metric", "value", "source"});
    PublishedFigure figure;
    figure.detector = textAt(json[i], "detector", path + ".", "");
    figure.attack = textAt(json[i], "attack", path + ".", "");
    figure.out = textAt(json[i], "out", path + ".", "");
    figure.source = textAt(json[i], "source", path + ".", "");
    figure.metric = textAt(json[i], "metric", path + ".", "auroc");
    if (std::find(kPublishedMetrics.begin(), kPublishedMetrics.end(), figure.metric) ==
        kPublishedMetrics.end()) {
      throw Error::badInput("'" + figure.metric + "' is not published with a run", path + ".metric",
                            "expected one of " + join(kPublishedMetrics, ", "));
    }
    // The accuracy of a classifier has neither setting nor out set.
    figure.setting =
        textAt(json[i], "setting", path + ".", figure.metric == "accuracy" ? "" : "clean");
    const std::string key = figure.metric == "auroc" ? "auroc" : "value";
    if (!json[i].contains(key) || !json[i].at(key).is_number()) {
      throw Error::badInput("the figure is missing", path + "." + key);
    }
    figure.value = json[i].at(key).get<double>();
    spec.published.push_back(std::move(figure));
  }
}

}  // namespace

const OptionSchema& evaluationSchema() {
  static const OptionSchema schema = [] {
    OptionSchema options;
    options.textList("settings", kSettings, "Which of the two test sets the adversary perturbs")
        .choices = kSettings;
    options
        .choice("mode", "maximise", {"maximise", "cross"},
                "maximise: the worst score found, for AUROC; cross: stop once the threshold that "
                "keeps 95 % of the clean in set is crossed, for rates at that threshold")
        .from("peers of both kinds are compared wrongly when mixed: pitfall 8");
    options
        .textList("metrics", {"auroc", "aupr_out", "fpr95_id", "tnr95"},
                  "Metrics shown in tables; all are computed and stored")
        .choices = kMetrics;
    options.integer("bootstrap", 1000, "Replicates of the 95 % bootstrap interval")
        .range(100, 100000)
        .expert();
    options
        .integer("batch_size", 256,
                 "Images per forward in scoring and attacks; 0: chosen by the size of the network")
        .range(0, 65536)
        .in("images");
    options
        .boolean("rank_saturation", true,
                 "Stop attacking a sample whose rank can no longer change; exact for every metric")
        .expert();
    options.integer("image_pairs", 12, "Images before and after kept per detector, attack and set")
        .range(0, 1000)
        .in("images");
    options
        .choice("health", "quick", {"quick", "full"},
                "quick: the checks that cost next to nothing; full: also those that take attacks "
                "of their own (twice the steps, black box, transfer, unbounded, ...)")
        .from("Carlini et al. 2019, section 5");
    options.integer("health_images", 100, "In images and out images of the costly health checks")
        .range(4, 100000)
        .in("images")
        .expert();
    return options;
  }();
  return schema;
}

const OptionSchema& protocolSchema() {
  static const OptionSchema schema = [] {
    OptionSchema options;
    options
        .choice("type", "multiclass", {"multiclass", "open-split"},
                "multiclass: the whole in set against the out sets; open-split: some classes "
                "known, the rest unknown")
        .simple();
    options.integerList("known", {}, "open-split: the classes that are known");
    options.integer("known_count", 0, "open-split without a list: so many classes, drawn")
        .range(0, 1000);
    return options;
  }();
  return schema;
}

Specification Specification::fromJson(const Json& json, const Registries& registries,
                                      const DatasetCatalogue& catalogue) {
  requireKeys(json, "",
              {"name", "seed", "device", "threads", "data", "classifier", "detectors", "attacks",
               "curves", "evaluation", "published"});
  Specification spec;
  spec.name = textAt(json, "name", "", "Untitled experiment");
  spec.seed = static_cast<std::uint64_t>(wholeAt(json, "seed", "", 0, 0, 1LL << 53));
  spec.device = textAt(json, "device", "", "auto");
  spec.threads = static_cast<int>(wholeAt(json, "threads", "", 0, 0, 1024));
  if (!json.contains("data")) {
    throw Error::badInput("the data are missing", "data",
                          "expected {\"in\": {...}, \"out\": [...]}");
  }
  readData(json.at("data"), spec, catalogue);
  if (json.contains("classifier") && !json.at("classifier").is_null()) {
    readClassifier(json.at("classifier"), spec, registries);
  }

  const Json detectors = json.value("detectors", Json::array());
  if (!detectors.is_array() || detectors.empty()) {
    throw Error::badInput("there is no detector", "detectors",
                          "name at least one, e.g. [{\"type\": \"msp\"}]");
  }
  for (std::size_t i = 0; i < detectors.size(); ++i) {
    const std::string path = "detectors[" + std::to_string(i) + "]";
    auto request = readComponent(detectors[i], registries.detectors, path);
    const auto detector = registries.detectors.make(request.type, request.options, path);
    if (detector->traits().needsClassifier && spec.network.type.empty()) {
      throw Error::badInput("'" + request.type + "' needs a classifier", path,
                            "add \"classifier\": {\"network\": \"lenet5\"}");
    }
    spec.detectors.push_back(std::move(request));
  }
  labelAll(spec.detectors, registries.detectors, "detectors");

  const Json attacks = json.value("attacks", Json::array());
  if (!attacks.is_array()) throw Error::badInput("this is not a list", "attacks");
  for (std::size_t i = 0; i < attacks.size(); ++i) {
    const std::string path = "attacks[" + std::to_string(i) + "]";
    auto request = readComponent(attacks[i], registries.attacks, path);
    registries.attacks.make(request.type, request.options, path);
    spec.attacks.push_back(std::move(request));
  }
  labelAll(spec.attacks, registries.attacks, "attacks");
  readEvaluation(json.value("evaluation", Json::object()), spec);
  const auto& settings = spec.evaluation.settings;
  if (spec.attacks.empty() &&
      std::find(settings.begin(), settings.end(), "clean") == settings.end()) {
    throw Error::badInput("without an attack only the setting clean has results",
                          "evaluation.settings", "add clean, or an attack");
  }
  if (json.contains("curves")) spec.curves = readCurves(json.at("curves"), spec, registries);
  requireMatchingParts(spec, registries, catalogue);
  if (json.contains("published")) readPublished(json.at("published"), spec);
  return spec;
}

Json Specification::readJson(const std::string& path) {
  // Closing a file drops the locks that SQLite holds on it for this process: a database that is
  // open in the window must not be read as text because somebody chose it by mistake.
  if (std::error_code ignored; std::filesystem::exists(path + "-wal", ignored)) {
    throw Error::badInput("this is a database in use", path, "choose another file");
  }
  const std::string text = readFile(path);
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const std::size_t end = std::min(error.byte, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<long>(end), '\n');
    const auto lastBreak = text.rfind('\n', end == 0 ? 0 : end - 1);
    const auto column = lastBreak == std::string::npos ? end : end - lastBreak - 1;
    throw Error::badInput("this is not JSON",
                          path + ":" + std::to_string(line) + ":" + std::to_string(column),
                          "check for a missing comma, quote or bracket there");
  }
}

Json Specification::toJson() const {
  Json json;
  json["name"] = name;
  json["seed"] = seed;
  json["device"] = device;
  json["threads"] = threads;
  json["data"]["in"] = in.toJson();
  json["data"]["out"] = Json::array();
  for (const auto& request : out) json["data"]["out"].push_back(request.toJson());
  if (open) json["data"]["open"] = open->toJson();
  json["data"]["protocol"] = {{"type", protocol.type}};
  if (protocol.type == "open-split") {
    json["data"]["protocol"]["known"] = protocol.known;
    json["data"]["protocol"]["known_count"] = protocol.knownCount;
  }
  if (validationLimit > 0) {
    json["data"]["validation_limit"] = validationLimit;
  } else {
    json["data"]["validation_share"] = validationShare;
  }
  if (!network.type.empty()) {
    json["classifier"]["network"] = writeComponent(network, false);
    json["classifier"]["recipe"] = writeComponent(recipe, false);
  }
  json["detectors"] = Json::array();
  for (const auto& request : detectors) json["detectors"].push_back(writeComponent(request, true));
  json["attacks"] = Json::array();
  for (const auto& request : attacks) json["attacks"].push_back(writeComponent(request, true));
  json["evaluation"] = {
      {"settings", evaluation.settings},         {"mode", evaluation.mode},
      {"metrics", evaluation.metrics},           {"bootstrap", evaluation.bootstrap},
      {"batch_size", evaluation.batchSize},      {"rank_saturation", evaluation.rankSaturation},
      {"image_pairs", evaluation.imagePairs},    {"health", evaluation.health},
      {"health_images", evaluation.healthImages}};
  if (!evaluation.healthThresholds.empty()) {
    json["evaluation"]["health_thresholds"] = evaluation.healthThresholds;
  }
  if (!curves.empty()) {
    json["curves"] = Json::array();
    for (const auto& curve : curves) json["curves"].push_back(bulwark::toJson(curve));
  }
  if (!published.empty()) {
    json["published"] = Json::array();
    for (const auto& figure : published) {
      Json entry = {{"detector", figure.detector},
                    {"attack", figure.attack},
                    {"setting", figure.setting},
                    {"out", figure.out}};
      if (figure.metric == "auroc") {
        entry["auroc"] = figure.value;
      } else {
        entry["metric"] = figure.metric;
        entry["value"] = figure.value;
      }
      entry["source"] = figure.source;
      json["published"].push_back(std::move(entry));
    }
  }
  return json;
}

std::string Specification::hash() const {
  Json json = toJson();
  for (const char* key : {"name", "device", "threads", "published"}) json.erase(key);
  return sha256(json.dump());
}

}  // namespace bulwark
