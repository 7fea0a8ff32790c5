#pragma once

#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/json.h"

namespace bulwark {

enum class Verdict { Green, Amber, Red, NotApplicable };

std::string toString(Verdict verdict);

/// What a check asks, before any number is known. A value up to `amber` is green, up to `red`
/// amber, beyond it red; `red` infinite: the check warns but never spoils a result.
struct HealthRule {
  std::string id;      ///< "H22"
  std::string group;   ///< "consistent", "attackable" or "converged": the three lights
  std::string title;   ///< "converged: twice the steps change little"
  std::string rule;    ///< what the value is and how large it may be
  std::string source;  ///< "Carlini et al. 2019", "AutoAttack flags", "IoAF"; "own"
  double amber = 0.0, red = 0.0;
  bool costly = false;  ///< takes attacks of its own: made on request only
};

/// H1 to H36 of the published list, in order, then those of our own.
const std::vector<HealthRule>& healthRules();
/// Throws `std::logic_error` for an id that is none.
const HealthRule& healthRule(const std::string& id);

/// The limits of the rules, some of them changed by a specification.
class HealthThresholds {
 public:
  HealthThresholds() = default;
  /// {"H22": 0.02} moves the green limit; the red one keeps its ratio to it (or its value, where
  /// the green limit was 0). {"H22": [0.005, 0.02]} gives both, null in the second place: never
  /// red. Throws `Error` (BadInput) at `path` for an unknown id or a value that is no limit.
  explicit HealthThresholds(const Json& given, const std::string& path = "health_thresholds");

  double amber(const std::string& id) const { return limits(id).first; }
  double red(const std::string& id) const { return limits(id).second; }

 private:
  std::pair<double, double> limits(const std::string& id) const;
  std::map<std::string, std::pair<double, double>> changed_;
};

/// One check of an evaluation's soundness: its number against a rule and a threshold.
struct HealthCheck {
  std::string id = {};
  std::string subject = {};  ///< "knn" or "pgd on knn"; empty: the whole run
  std::string group = {}, title = {}, rule = {}, source = {};
  Verdict verdict = Verdict::NotApplicable;
  double value = 0.0;      ///< NaN where not applicable
  double threshold = 0.0;  ///< the green limit
  double limit = 0.0;      ///< the red one; +inf: never red
  std::string detail = {};
  /// More than the number speaks for the verdict (a gradient is not finite): other limits alone do
  /// not make it milder.
  bool forced = false;

  Json toJson() const;
  static HealthCheck fromJson(const Json& json);
  /// "H27 red 0.02 instead of 0.01": how far the limits it was judged by are not those of its rule;
  /// empty where they are, or where nothing was judged.
  std::string changedLimits() const;
  /// "H15 knn".
  std::string name() const { return subject.empty() ? id : id + " " + subject; }
};

/// Judges `value` (NaN is red) by the rule of `id`.
HealthCheck judged(const HealthThresholds& thresholds, const std::string& id,
                   const std::string& subject, double value, const std::string& detail = {});
/// The check does not apply, and why.
HealthCheck notApplicable(const std::string& id, const std::string& subject,
                          const std::string& why);

/// The summary of a run with its stored numbers judged by other limits, which it keeps under
/// "health_thresholds" ({}: the published ones). Nothing is measured. A verdict for which more
/// than the number spoke becomes no milder. Throws `Error` (BadInput) as `HealthThresholds` does.
Json rejudged(Json summary, const Json& thresholds);

/// "health: 2 amber (H14 knn, H15 msp), 17 green; limits not the published ones: H27 red 0.02
/// instead of 0.01": what is worst first, without the last part where no limit was changed.
std::string healthLine(const std::vector<HealthCheck>& checks);
/// That of a run's stored checks, those of earlier versions included; without checks the line that
/// was stored.
std::string healthLineOf(const Json& summary);

/// A small plot beside the checks (peers C.5): `low` and `high` may be empty.
struct HealthSeries {
  std::string kind;  ///< best_score, auroc_eps, auroc_restarts, gradient_norms, blackbox_gain
  std::string detector, attack, set;
  std::vector<double> x = {}, y = {}, low = {}, high = {};
  Json toJson() const;
};

/// What examining an evaluation gives.
struct HealthReport {
  std::vector<HealthCheck> checks;
  std::vector<HealthSeries> series;
  void add(HealthReport other);
};

}  // namespace bulwark
