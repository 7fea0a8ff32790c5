#include "core/experiment/curve_request.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/attacks/attack.h"
#include "core/attacks/joint.h"
#include "core/base/error.h"
#include "core/base/text.h"

namespace bulwark {
namespace {

const std::vector<std::string> kQuantities = {"epsilon", "steps", "restarts", "propagations"};

/// Up to where an l-inf adversary can turn any image into any other.
const std::vector<std::string> kRadii = {"0",      "1/255",  "2/255",  "4/255",   "8/255",
                                         "16/255", "32/255", "64/255", "128/255", "1"};
const std::vector<std::string> kSteps = {"1", "5", "10", "25", "50", "100"};
const std::vector<std::string> kRestarts = {"1", "2", "5", "10"};

std::vector<std::string> customary(const std::string& over) {
  if (over == "epsilon") return kRadii;
  if (over == "steps") return kSteps;
  return over == "restarts" ? kRestarts : std::vector<std::string>{};
}

/// Numbers in a list of texts become texts: 10 is as good as "10".
Json textsOf(Json curve) {
  if (!curve.is_object() || !curve.contains("values") || !curve.at("values").is_array()) {
    return curve;
  }
  for (auto& value : curve["values"]) {
    if (value.is_number()) value = value.dump();
  }
  return curve;
}

/// Whether the attack tells what it had found after each propagation: not where it keeps its last
/// point, and an ensemble not where a member does not.
bool recordsProgress(const ComponentRequest& attack, const Registry<Attack>& attacks) {
  const auto lacks = [&](const std::string& type) {
    const auto& traits = attacks.info(type).traits;
    return std::count(traits.begin(), traits.end(), "no intermediate results") > 0;
  };
  if (lacks(attack.type)) return false;
  const auto& options = attacks.info(attack.type).options;
  const Params params(options, attack.options, attack.label, {"type", "label"});
  if (options.find("keep") && params.getText("keep") == "last") return false;
  if (!options.find("members")) return true;
  const auto members = params.getTextList("members");
  return std::none_of(members.begin(), members.end(), [&](const std::string& member) {
    return attacks.contains(member) && lacks(member);
  });
}

CurveRequest readCurve(const Json& json, const Specification& spec, const Registries& registries,
                       const std::string& path) {
  const Params params(curveSchema(), textsOf(json), path, {});
  CurveRequest curve;
  curve.over = params.getText("over");
  curve.attack = params.getText("attack");
  curve.values = params.getTextList("values");
  curve.until = params.getNumber("until");
  std::vector<std::string> labels;
  for (const auto& attack : spec.attacks) labels.push_back(attack.label);
  if (curve.attack.empty()) {
    if (labels.size() != 1) {
      throw Error::badInput(
          "the attack is missing", params.pathOf("attack"),
          labels.empty() ? "add an attack to the specification" : "one of " + join(labels, ", "));
    }
    curve.attack = labels[0];
  }
  if (std::find(labels.begin(), labels.end(), curve.attack) == labels.end()) {
    const std::string typo = suggestion(curve.attack, labels);
    throw Error::badInput("the specification has no attack '" + curve.attack + "'",
                          params.pathOf("attack"),
                          (typo.empty() ? "" : typo + " ") + "it has: " + join(labels, ", "));
  }
  const auto& attack = attackOf(curve, spec);
  if (dynamic_cast<const JointAttack*>(
          registries.attacks.make(attack.type, attack.options, params.pathOf("attack")).get())) {
    throw Error::badInput("the attack '" + curve.attack + "' has no AUROC", params.pathOf("attack"),
                          "choose an attack on the score alone");
  }
  const std::string varied = variedOption(curve);
  if (varied.empty()) {
    if (!curve.values.empty()) {
      throw Error::badInput("the propagations of a run are not chosen", params.pathOf("values"),
                            "leave the values out: one run gives the whole curve");
    }
    if (!recordsProgress(attack, registries.attacks)) {
      throw Error::badInput("the attack '" + curve.attack +
                                "' does not record what it had found after each propagation",
                            params.pathOf("attack"),
                            "draw the curve of an attack that keeps the best point of every step, "
                            "such as pgd or apgd");
    }
  } else if (!registries.attacks.info(attack.type).options.find(varied)) {
    throw Error::badInput("the attack '" + curve.attack + "' has no option '" + varied + "'",
                          params.pathOf("over"), "choose another attack, or over another quantity");
  }
  if (curve.over != "epsilon" && curve.until > 0.0) {
    throw Error::badInput("only a curve over epsilon can end early", params.pathOf("until"));
  }
  if (curve.values.empty()) curve.values = customary(curve.over);
  for (std::size_t i = 0; i < curve.values.size(); ++i) {
    const std::string where = params.pathOf("values") + "[" + std::to_string(i) + "]";
    const Option* option = registries.attacks.info(attack.type).options.find(varied);
    const Json value = optionsAt(curve, attack, i).at(varied);
    Params::check(*option, value, where);
    try {
      registries.attacks.make(attack.type, optionsAt(curve, attack, i), where);
    } catch (const Error& error) {
      // What the option may be depends on others: a radius above 1 is for l2 only.
      if (error.where() != where + "." + varied) throw;
      throw Error::badInput(error.problem(), where, error.hint());
    }
    const auto numbers = numbersOf(curve);
    if (i > 0 && !(numbers[i] > numbers[i - 1])) {
      throw Error::badInput(curve.values[i] + " does not exceed " + curve.values[i - 1], where,
                            "list the values in ascending order");
    }
  }
  return curve;
}

}  // namespace

const OptionSchema& curveSchema() {
  static const OptionSchema schema = [] {
    OptionSchema options;
    options
        .choice("over", "epsilon", kQuantities,
                "What the AUROC is drawn against: the radius, the steps, the restarts, or the "
                "propagations per image along one run")
        .from("checks H3, H19 and H20: more effort must not help the detector")
        .simple();
    options.text("attack", "", "Label of the attack; may be left out when there is only one")
        .simple();
    options.textList("values", {},
                     "Ascending: fractions such as 8/255 for epsilon, whole numbers for steps and "
                     "restarts; empty: from 0 to 1, 1 to 100, 1 to 10");
    options
        .number("until", 0,
                "Over epsilon: the last value is the first whose AUROC, in the hardest setting "
                "evaluated, is not above this; 0.5 is chance")
        .range(0, 1)
        .in("AUROC");
    return options;
  }();
  return schema;
}

std::vector<CurveRequest> readCurves(const Json& json, const Specification& spec,
                                     const Registries& registries) {
  if (!json.is_array()) throw Error::badInput("this is not a list", "curves");
  std::vector<CurveRequest> curves;
  if (json.empty()) return curves;
  if (spec.evaluation.mode == "cross") {
    throw Error::badInput(
        "curves show the AUROC, but an attack that stops at the threshold does "
        "not find the worst score",
        "curves", "leave them out, or use the mode maximise");
  }
  const auto& settings = spec.evaluation.settings;
  if (std::all_of(settings.begin(), settings.end(),
                  [](const auto& setting) { return setting == "clean"; })) {
    throw Error::badInput("no setting is attacked", "curves", "add in_out to evaluation.settings");
  }
  std::set<std::pair<std::string, std::string>> given;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string path = "curves[" + std::to_string(i) + "]";
    curves.push_back(readCurve(json[i], spec, registries, path));
    if (!given.insert({curves.back().over, curves.back().attack}).second) {
      throw Error::badInput(
          "'" + curves.back().attack + "' over " + curves.back().over + " appears twice", path,
          "join the values in one list");
    }
  }
  return curves;
}

Json toJson(const CurveRequest& curve) {
  Json json = {{"over", curve.over}, {"attack", curve.attack}, {"values", curve.values}};
  if (curve.over == "epsilon") json["until"] = curve.until;
  return json;
}

const ComponentRequest& attackOf(const CurveRequest& curve, const Specification& spec) {
  return *std::find_if(spec.attacks.begin(), spec.attacks.end(),
                       [&](const auto& attack) { return attack.label == curve.attack; });
}

std::string variedOption(const CurveRequest& curve) {
  if (curve.over == "epsilon") return "eps";
  return curve.over == "propagations" ? "" : curve.over;
}

Json optionsAt(const CurveRequest& curve, const ComponentRequest& attack, std::size_t index) {
  Json options = attack.options;
  const std::string varied = variedOption(curve);
  if (varied.empty()) return options;
  const std::string& value = curve.values[index];
  // Whole numbers must reach an integer option as such; a fraction may stay a text.
  const bool whole = !value.empty() && value.find_first_not_of("0123456789") == std::string::npos &&
                     value.size() < 10;
  options[varied] = whole ? Json(std::stoll(value)) : Json(value);
  return options;
}

std::vector<double> numbersOf(const CurveRequest& curve) {
  std::vector<double> numbers;
  for (const auto& value : curve.values) numbers.push_back(parseFraction(value).value_or(NAN));
  return numbers;
}

}  // namespace bulwark
