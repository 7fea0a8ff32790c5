#include "core/health/consistency.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "core/base/text.h"
#include "core/health/other_aim.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

using Settings = std::map<std::string, double>;  // AUROC by setting
using Cells = std::map<std::tuple<std::string, std::string, std::string>, Settings>;

/// Without the attacks that no order between attacked and clean holds for.
Cells cellsOf(const std::vector<ResultRow>& rows, const std::set<std::string>& without) {
  Cells cells;
  for (const auto& row : rows) {
    if (std::isnan(row.auroc)) continue;  // attacks that only crossed a threshold
    if (without.contains(row.attack)) continue;
    cells[{row.detector, row.attack, row.out}][row.setting] = row.auroc;
  }
  return cells;
}

const ScoreSet* find(const std::vector<ScoreSet>& sets, const ScoreSet& like,
                     const std::string& attack) {
  const auto found = std::find_if(sets.begin(), sets.end(), [&](const ScoreSet& set) {
    return set.detector == like.detector && set.attack == attack && set.dataset == like.dataset &&
           set.out == like.out;
  });
  return found == sets.end() ? nullptr : &*found;
}

HealthCheck neverBetter(const HealthThresholds& thresholds, const RunFacts& facts,
                        const std::set<std::string>& without) {
  const auto& sets = facts.sets;
  double worst = 0.0;
  std::string detail;
  bool any = false, random = false;
  for (const auto& set : sets) {
    if (set.attack.empty() || without.contains(set.attack)) continue;
    if (facts.randomised.contains(set.detector)) {
      random = true;
      continue;
    }
    const ScoreSet* clean = find(sets, set, "");
    if (!clean || clean->scores.size() != set.scores.size()) continue;
    any = true;
    const double direction = set.out ? -1.0 : 1.0;
    for (std::size_t i = 0; i < set.scores.size(); ++i) {
      const double gain = direction * (clean->scores[i] - set.scores[i]);
      if (gain <= worst) continue;
      worst = gain;
      detail =
          set.attack + " on " + set.detector + ", " + set.dataset + ", image " + std::to_string(i);
    }
  }
  if (any) return judged(thresholds, "H1", "", worst, detail);
  return notApplicable("H1", "",
                       random ? "the score is random: an attacked draw may pass a clean one by luck"
                              : "nothing was attacked");
}

HealthCheck togetherWorst(const HealthThresholds& thresholds, const RunFacts& facts,
                          const Cells& cells) {
  double worst = 0.0;
  std::string detail;
  bool any = false, random = false;
  for (const auto& [key, settings] : cells) {
    const auto& [detector, attack, out] = key;
    if (attack.empty()) continue;
    if (facts.randomised.contains(detector)) {
      random = true;
      continue;
    }
    const auto check = [&, cell = detector + ", " + attack + ", " + out](
                           const Settings& lowIn, const std::string& low, const Settings& highIn,
                           const std::string& high) {
      if (!lowIn.contains(low) || !highIn.contains(high)) return;
      any = true;
      const double breach = lowIn.at(low) - highIn.at(high);
      if (breach <= worst) return;
      worst = breach;
      detail = cell + ": " + low + " above " + high;
    };
    check(settings, "in_out", settings, "in");
    check(settings, "in_out", settings, "out");
    if (const auto clean = cells.find({detector, "", out}); clean != cells.end()) {
      check(settings, "in", clean->second, "clean");
      check(settings, "out", clean->second, "clean");
    }
  }
  if (any) return judged(thresholds, "H2", "", worst, detail);
  return notApplicable("H2", "",
                       random ? "the score is random: an attacked draw may pass a clean one by luck"
                              : "no two settings to compare");
}

/// A number in one spelling: specifications keep "8/255" and 1 beside 0.0314 and 1.0.
Json sameSpelling(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return value;
  const auto number = parseFraction(value.get<std::string>());
  return number ? Json(*number) : value;
}

/// The options of an attack but for some, by which it is recognised in another strength. Its norm
/// and radius are compared as its threat; a step size only goes with radius and steps.
std::string identity(const AttackFacts& attack, std::set<std::string> without) {
  without.insert({"eps", "norm", "step_size"});
  std::map<std::string, Json> rest;
  for (const auto& [key, value] : attack.options.items()) {
    if (!without.contains(key)) rest[key] = sameSpelling(value);
  }
  return attack.type + Json(rest).dump();
}

/// Largest AUROC by which `stronger` is above `weaker` over all cells and settings.
struct Breach {
  bool any = false;
  double worst = 0.0;
  std::string detail;
  void compare(const Cells& cells, const std::string& weaker, const std::string& stronger) {
    for (const auto& [key, settings] : cells) {
      const auto& [detector, attack, out] = key;
      if (attack != weaker) continue;
      const auto other = cells.find({detector, stronger, out});
      if (other == cells.end()) continue;
      for (const auto& [setting, auroc] : settings) {
        const auto found = other->second.find(setting);
        if (found == other->second.end()) continue;
        any = true;
        if (found->second - auroc <= worst) continue;
        worst = found->second - auroc;
        detail = stronger + " is weaker than " + weaker + " on " + detector + ", " + out + ", " +
                 setting;
      }
    }
  }
};

double numberOf(const AttackFacts& attack, const char* key) {
  const auto found = attack.options.find(key);
  return found != attack.options.end() && found->is_number() ? found->get<double>() : 0.0;
}

HealthCheck monotoneInRadius(const HealthThresholds& thresholds, const RunFacts& facts,
                             const Cells& cells) {
  Breach breach;
  for (const auto& a : facts.attacks) {
    for (const auto& b : facts.attacks) {
      if (!(a.threat.epsilon < b.threat.epsilon) || a.threat.norm != b.threat.norm) continue;
      if (identity(a, {}) != identity(b, {})) continue;
      breach.compare(cells, a.label, b.label);
    }
  }
  return breach.any ? judged(thresholds, "H3", "", breach.worst, breach.detail)
                    : notApplicable("H3", "", "no attack on a score with two radii");
}

HealthCheck monotoneInEffort(const HealthThresholds& thresholds, const RunFacts& facts,
                             const Cells& cells) {
  Breach breach;
  for (const auto& a : facts.attacks) {
    for (const auto& b : facts.attacks) {
      for (const char* key : {"steps", "restarts"}) {
        if (!(numberOf(a, key) < numberOf(b, key)) || a.threat.epsilon != b.threat.epsilon ||
            a.threat.norm != b.threat.norm || identity(a, {key}) != identity(b, {key})) {
          continue;
        }
        breach.compare(cells, a.label, b.label);
      }
    }
  }
  for (const auto& set : facts.sets) {
    const double direction = set.out ? -1.0 : 1.0;
    for (std::size_t i = 1; i < set.trajectory.size(); ++i) {
      breach.any = true;
      const double fall = direction * (set.trajectory[i - 1] - set.trajectory[i]);
      if (fall <= breach.worst) continue;
      breach.worst = fall;
      breach.detail = set.attack + " on " + set.detector + ", " + set.dataset +
                      ": the best score gets worse at step " + std::to_string(i);
    }
  }
  return breach.any ? judged(thresholds, "H4", "", breach.worst, breach.detail)
                    : notApplicable("H4", "", "no attack in steps");
}

double numberOf(const AttackFacts& attack, const char* name, double otherwise) {
  const auto found = attack.options.find(name);
  return found != attack.options.end() && found->is_number() ? found->get<double>() : otherwise;
}

/// Whether AutoAttack runs its member `name`; without the option it runs all of them.
bool runsMember(const AttackFacts& ensemble, const char* name) {
  const auto found = ensemble.options.find("members");
  if (found == ensemble.options.end() || !found->is_array()) return true;
  return std::find(found->begin(), found->end(), Json(name)) != found->end();
}

/// Whether AutoAttack runs this attack itself, with no less effort, so that it must not be weaker;
/// or whether it is a single step, which none of its climbs may be weaker than. A3 and CAA go ways
/// of their own and contain no attack that could be listed beside them.
bool isMember(const AttackFacts& member, const AttackFacts& ensemble) {
  if (ensemble.type != "autoattack" || member.threat.norm != ensemble.threat.norm ||
      member.threat.epsilon > ensemble.threat.epsilon || numberOf(member, "restarts", 1) > 1) {
    return false;
  }
  if (member.type == "square") {
    return runsMember(ensemble, "square") &&
           numberOf(member, "queries", 5000) <= numberOf(ensemble, "square_queries", 5000);
  }
  const bool targeted = runsMember(ensemble, "apgd_t"), climbs = runsMember(ensemble, "apgd_ce");
  // No member, and a part of none: what it finds, a hundred steps must find.
  if (member.type == "fgsm") return followsJudge(member) && (targeted || climbs);
  const double steps = numberOf(ensemble, "steps", 100);
  // On a score, apgd_t is PGD and APGD from another start.
  if (member.type == "pgd") {
    return targeted && numberOf(member, "momentum", 0) == 0.0 &&
           numberOf(member, "steps", 20) <= steps;
  }
  const bool apgd = member.type == "apgd" && (climbs || targeted);
  const bool fab =
      (member.type == "fab" || member.type == "fab_t") && runsMember(ensemble, "fab_t");
  return (apgd || fab) && numberOf(member, "steps", 100) <= steps;
}

HealthCheck ensembleWorst(const HealthThresholds& thresholds, const RunFacts& facts,
                          const Cells& cells) {
  Breach breach;
  for (const auto& ensemble : facts.attacks) {
    for (const auto& member : facts.attacks) {
      if (isMember(member, ensemble)) breach.compare(cells, member.label, ensemble.label);
    }
  }
  return breach.any ? judged(thresholds, "H5", "", breach.worst, breach.detail)
                    : notApplicable("H5", "", "no ensemble beside its members");
}

}  // namespace

std::set<std::string> otherAims(const RunFacts& facts) {
  std::set<std::string> labels;
  for (const auto& attack : facts.attacks) {
    if (aimsElsewhere(attack.type, attack.options)) labels.insert(attack.label);
  }
  return labels;
}

bool followsJudge(const AttackFacts& attack) {
  return !followsCost(attack.type, attack.options);
}

std::vector<HealthCheck> checkResults(const HealthThresholds& thresholds, const RunFacts& facts) {
  const auto others = otherAims(facts);
  const Cells cells = cellsOf(facts.rows, others);
  return {neverBetter(thresholds, facts, others), togetherWorst(thresholds, facts, cells),
          monotoneInRadius(thresholds, facts, cells), monotoneInEffort(thresholds, facts, cells),
          ensembleWorst(thresholds, facts, cells)};
}

std::vector<HealthCheck> checkAudits(const HealthThresholds& thresholds, double worstRescoring,
                                     double worstExcess, std::int64_t audited,
                                     std::int64_t attacked, std::int64_t random) {
  if (audited == 0) {
    const std::string why =
        attacked == 0 ? "nothing was attacked" : "no audit of the attacked sets was kept";
    return {notApplicable("H6", "", why), notApplicable("H7", "", why)};
  }
  std::string detail;
  if (audited < attacked) {
    detail = "measured on " + std::to_string(audited) + " of " + std::to_string(attacked) +
             " attacked sets; of the others no audit was kept";
  }
  const auto excess = judged(thresholds, "H7", "", worstExcess, detail);
  if (random >= audited) {
    return {notApplicable("H6", "", "the score is random: another draw is another score"), excess};
  }
  if (random > 0) {
    detail += (detail.empty() ? "" : "; ") + std::to_string(random) +
              " sets of random scores do not count";
  }
  return {judged(thresholds, "H6", "", worstRescoring, detail), excess};
}

HealthCheck checkZeroRadius(const HealthThresholds& thresholds, const std::string& subject,
                            const Attack& attack, Objective& objective, const torch::Tensor& images,
                            const AttackContext& context) {
  const auto clean =
      context.clean.defined()
          ? context.clean
          : objective.judge(toDevice(images, context.device), torch::arange(images.size(0)))
                .to(torch::kCPU, torch::kFloat64);
  const auto result = attack.perturb(objective, images, context);
  const double pixels = (result.images - images).abs().max().item<double>();
  const double values = (result.values - clean).abs().max().item<double>();
  return judged(thresholds, "H8", subject, std::max(pixels, values));
}

HealthCheck checkRoundTrip(const HealthThresholds& thresholds, const std::string& subject,
                           double clean, double attacked, double rounded) {
  const double fall = clean - attacked;
  if (!(fall > 0.01)) return notApplicable("H9", subject, "AUROC falls by less than 0.01");
  return judged(
      thresholds, "H9", subject, std::max(0.0, (rounded - attacked) / fall),
      "AUROC " + formatFixed(attacked, 3) + ", after rounding " + formatFixed(rounded, 3));
}

}  // namespace bulwark
