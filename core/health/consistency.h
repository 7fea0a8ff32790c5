#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/attacks/attack.h"
#include "core/health/check.h"
#include "core/store/records.h"

namespace bulwark {

/// An attack as the checks compare it with others.
struct AttackFacts {
  std::string label, type;
  Json options = Json::object();
  ThreatModel threat = {};
};

/// Whether an FGSM takes its step along what judges it, not along a cost of the classifier that the
/// judge does not see; true for other attacks.
bool followsJudge(const AttackFacts& attack);

/// Scores, results and attacks of one run.
struct RunFacts {
  const std::vector<ScoreSet>& sets;
  const std::vector<ResultRow>& rows;
  std::vector<AttackFacts> attacks = {};
  /// Labels of the detectors whose score is random. Their sets hold one fresh draw per image,
  /// their trajectories best means over draws: H1, H2 and H25 do not apply to them.
  std::set<std::string> randomised = {};
};

/// Labels of the attacks whose points need not be worse than the clean ones
/// (core/health/other_aim.h).
std::set<std::string> otherAims(const RunFacts& facts);

/// H1 to H5: what the numbers of a run must obey among themselves.
///
/// H3 compares two attacks when all but the radius and the step size is equal, H4 when all but the
/// steps, or all but the restarts, and the step size is: a step is set to suit the radius and the
/// number of steps, and a larger budget that finds less deserves its light at any step.
std::vector<HealthCheck> checkResults(const HealthThresholds& thresholds, const RunFacts& facts);

/// H6 and H7 from the audits made while attacking: worst relative difference of rescoring, worst
/// excess over ball and box, over `audited` of `attacked` sets; `random` of the audited are of
/// random scores, for which there is no H6: another draw is another score.
std::vector<HealthCheck> checkAudits(const HealthThresholds& thresholds, double worstRescoring,
                                     double worstExcess, std::int64_t audited,
                                     std::int64_t attacked, std::int64_t random = 0);

/// H8: `attack`, built with a radius of 0, must return `images` [N, C, H, W] and the clean values
/// exactly. Without clean values in `context` they are computed here, and by the attack for itself.
HealthCheck checkZeroRadius(const HealthThresholds& thresholds, const std::string& subject,
                            const Attack& attack, Objective& objective, const torch::Tensor& images,
                            const AttackContext& context);

/// H9: AUROC of one detector on the same images clean, attacked, and attacked then rounded to 8
/// bits per channel.
HealthCheck checkRoundTrip(const HealthThresholds& thresholds, const std::string& subject,
                           double clean, double attacked, double rounded);

}  // namespace bulwark
