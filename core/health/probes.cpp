#include "core/health/probes.h"

#include <algorithm>
#include <cmath>

#include "core/attacks/ball.h"
#include "core/base/text.h"
#include "core/health/convergence.h"
#include "core/health/planted.h"
#include "core/health/probe_attacks.h"
#include "core/metrics/roc.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

/// Of each kind, for H34 to be amber or red: one image that holds out moves the AUROC of fewer by
/// more than the limits are apart.
constexpr std::int64_t kTwinImages = 50;

std::string aurocText(double value) {
  return "AUROC " + formatFixed(value, 3);
}

/// Standard deviation of both together.
double spreadOf(const std::vector<double>& in, const std::vector<double>& out) {
  const auto all =
      torch::cat({torch::tensor(in, torch::kFloat64), torch::tensor(out, torch::kFloat64)});
  return all.std(false).item<double>();
}

/// Quantile of column `column` of [n, times].
double quantile(const torch::Tensor& values, std::int64_t column, double share) {
  const auto sorted = std::get<0>(values.select(1, column).sort());
  const auto position =
      static_cast<std::int64_t>(std::lround(share * static_cast<double>(sorted.size(0) - 1)));
  return sorted[position].item<double>();
}

HealthSeries pathSeries(const ProbeSetting& setting, const std::vector<std::int64_t>& times,
                        const torch::Tensor& path, const char* set) {
  HealthSeries series{.kind = "best_score",
                      .detector = setting.label,
                      .attack = setting.reference.label,
                      .set = set};
  for (std::size_t t = 0; t < times.size(); ++t) {
    const auto column = static_cast<std::int64_t>(t);
    series.x.push_back(static_cast<double>(times[t]));
    series.y.push_back(quantile(path, column, 0.5));
    series.low.push_back(quantile(path, column, 0.1));
    series.high.push_back(quantile(path, column, 0.9));
  }
  return series;
}

/// One examination; each function is one check.
class Examination {
 public:
  Examination(const HealthThresholds& thresholds, const ProbeSetting& setting, Seed seed,
              Task& task)
      : thresholds_(thresholds),
        setting_(setting),
        seed_(seed),
        task_(task),
        attacks_(setting, seed, task) {}

  HealthReport run() {
    baseline();
    doubledSteps();
    restarts();
    blackBox();
    noise();
    transfer();
    radii();
    if (setting_.ofRun) {
      planted();
      twin();
    }
    return std::move(report_);
  }

 private:
  /// The detail begins with the attack that is examined.
  void add(const std::string& id, double value, const std::string& detail) {
    const std::string about = setting_.reference.label + (detail.empty() ? "" : ": " + detail);
    report_.checks.push_back(judged(thresholds_, id, setting_.label, value, about));
  }
  void addOfRun(const std::string& id, double value, const std::string& detail) {
    report_.checks.push_back(
        judged(thresholds_, id, "", value, setting_.reference.label + ": " + detail));
  }
  void skipOfRun(const std::string& id, const std::string& why) {
    report_.checks.push_back(notApplicable(id, "", why));
  }
  void skip(const std::string& id, const std::string& why) {
    report_.checks.push_back(notApplicable(id, setting_.label, why));
  }
  std::int64_t option(const char* key, std::int64_t fallback) const {
    const auto found = setting_.reference.options.find(key);
    return found != setting_.reference.options.end() && found->is_number()
               ? found->get<std::int64_t>()
               : fallback;
  }

  /// The attack as it is, on these images, and H24 per image: of its restarts the worst.
  void baseline() {
    const std::int64_t steps = option("steps", 1), last = steps * option("restarts", 1);
    std::vector<std::int64_t> times;
    const std::int64_t stride = std::max<std::int64_t>(1, last / 25);
    const auto late = static_cast<std::int64_t>(lateSteps(static_cast<std::size_t>(steps)));
    for (std::int64_t t = 0; t <= last; t += stride) times.push_back(t);
    std::vector<std::int64_t> ends;  // ten restarts tell enough
    for (std::int64_t end = steps; end <= std::min(last, 10 * steps); end += steps) {
      ends.push_back(end);
      times.push_back(end - late);
      times.push_back(end);
    }
    times.push_back(last);
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());
    white_ = attacks_.run(*attacks_.variant({}), setting_.reference.label, nullptr, times);
    report_.series.push_back(pathSeries(setting_, times, white_.inPath, "in"));
    report_.series.push_back(pathSeries(setting_, times, white_.outPath, "out"));
    if (steps < 3) {
      skip("H24", "the attack is not iterative");
      return;
    }
    const auto column = [&](std::int64_t time) {
      return std::find(times.begin(), times.end(), time) - times.begin();
    };
    std::vector<double> shares;
    for (const auto& path : {white_.inPath, -white_.outPath}) {
      for (std::int64_t i = 0; i < path.size(0); ++i) {
        const double first = path[i][0].item<double>();
        double worst = 0.0;
        for (const auto t : ends) {
          const double before = path[i][column(t - late)].item<double>();
          const double end = path[i][column(t)].item<double>();
          if (end > first) worst = std::max(worst, (end - before) / (end - first));
        }
        shares.push_back(worst);
      }
    }
    std::sort(shares.begin(), shares.end());
    add("H24", shares[static_cast<std::size_t>(0.9 * static_cast<double>(shares.size() - 1))],
        "nine of ten images have at most this share");
  }

  /// Length of a step; 0: made from the number of steps, so that twice as many are half as long.
  double ownStep() const {
    const auto found = setting_.reference.options.find("step_size");
    if (found == setting_.reference.options.end()) return 0.0;
    const double given = found->is_string() ? parseFraction(found->get<std::string>()).value_or(0.0)
                                            : found->get<double>();
    const bool fixed = setting_.reference.type == "bim_a" || setting_.reference.type == "bim_b";
    return given == 0.0 && fixed ? setting_.reference.threat.epsilon / 40.0 : given;
  }

  void doubledSteps() {
    if (!setting_.reference.options.contains("steps"))
      return skip("H22", "the attack has no steps");
    Json changes = {{"steps", 2 * option("steps", 1)}};
    if (const double size = ownStep(); size > 0.0) changes["step_size"] = size / 2.0;
    const auto longer = attacks_.run(*attacks_.variant(changes), "twice the steps");
    add("H22", std::max(0.0, white_.auroc - longer.auroc),
        aurocText(white_.auroc) + " with " + std::to_string(option("steps", 1)) + " steps, " +
            formatFixed(longer.auroc, 3) + " with twice as many");
  }

  void restarts() {
    const auto& options = setting_.reference.options;
    if (!options.contains("restarts") || !options.value("random_start", true)) {
      return skip("H23", "the attack has no random starts");
    }
    const std::int64_t steps = option("steps", 1), all = setting_.budget.restarts;
    std::vector<std::int64_t> counts;
    for (const std::int64_t count : {std::int64_t{1}, std::int64_t{2}, std::int64_t{5}, all / 2}) {
      if (count > 0 && count < all) counts.push_back(count);
    }
    counts.push_back(all);
    std::sort(counts.begin(), counts.end());
    counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
    std::vector<std::int64_t> times;
    for (const auto count : counts) times.push_back(count * steps);
    const auto many =
        attacks_.run(*attacks_.variant({{"restarts", all}}), "restarts", nullptr, times);
    HealthSeries series{.kind = "auroc_restarts",
                        .detector = setting_.label,
                        .attack = setting_.reference.label,
                        .set = ""};
    double half = 1.0;
    for (std::size_t t = 0; t < times.size(); ++t) {
      const auto column = static_cast<std::int64_t>(t);
      const auto in = many.inPath.select(1, column).contiguous();
      const auto out = many.outPath.select(1, column).contiguous();
      const double value = auroc(std::span(in.data_ptr<double>(), in.numel()),
                                 std::span(out.data_ptr<double>(), out.numel()));
      series.x.push_back(static_cast<double>(counts[t]));
      series.y.push_back(value);
      if (counts[t] == std::max<std::int64_t>(1, all / 2)) half = value;
    }
    report_.series.push_back(series);
    add("H23", std::max(0.0, half - many.auroc),
        aurocText(half) + " with " + std::to_string(all / 2) + " starts, " +
            formatFixed(many.auroc, 3) + " with " + std::to_string(all) + ", " +
            formatFixed(series.y.front(), 3) + " with one");
  }

  void blackBox() {
    if (!setting_.registries.attacks.contains("square")) {
      return skip("H27", "there is no attack called square");
    }
    const auto& info = setting_.registries.attacks.info("square");
    Json options = {{"eps", setting_.reference.threat.epsilon},
                    {"norm", setting_.reference.threat.norm == Norm::L2 ? "l2" : "linf"}};
    for (const auto& entry : info.options.options()) {
      if (entry.key == "queries" || entry.key == "steps")
        options[entry.key] = setting_.budget.squareQueries;
    }
    const auto square = setting_.registries.attacks.make("square", options, "health");
    const auto black = attacks_.run(*square, "square");
    HealthSeries scatter{.kind = "blackbox_gain",
                         .detector = setting_.label,
                         .attack = "square against " + setting_.reference.label,
                         .set = ""};
    // What the attacker gains: scores of in images rise, those of out images fall. An image whose
    // rank the white box has made final stopped there, so what more there was to gain says nothing.
    const double lowestIn = *std::min_element(white_.in.begin(), white_.in.end());
    const double highestOut = *std::max_element(white_.out.begin(), white_.out.end());
    for (std::size_t i = 0; i < white_.in.size(); ++i) {
      if (white_.in[i] > highestOut) continue;
      scatter.x.push_back(white_.in[i] - attacks_.cleanIn()[i]);
      scatter.y.push_back(black.in[i] - attacks_.cleanIn()[i]);
    }
    for (std::size_t i = 0; i < white_.out.size(); ++i) {
      if (white_.out[i] < lowestIn) continue;
      scatter.x.push_back(attacks_.cleanOut()[i] - white_.out[i]);
      scatter.y.push_back(attacks_.cleanOut()[i] - black.out[i]);
    }
    report_.series.push_back(scatter);
    beside("H27", "square, which needs no gradients,", black);
  }

  /// What another attack adds to the white box, each image taking the worse of the two: alone, one
  /// that is weaker on most images would hide that it is stronger on some.
  void beside(const std::string& id, const std::string& name, const BothAttacked& other) {
    BothAttacked both = white_;
    const double lowestIn = *std::min_element(white_.in.begin(), white_.in.end());
    const double highestOut = *std::max_element(white_.out.begin(), white_.out.end());
    const double spread = spreadOf(attacks_.cleanIn(), attacks_.cleanOut());
    std::size_t won = 0;
    // A gain counts where the rank is not final and by more than a score is reproduced.
    const auto take = [&](double& best, double found, double direction, bool isFinal) {
      const double scale = std::max({std::abs(best), std::abs(found), spread});
      won += !isFinal && direction * (found - best) > thresholds_.amber("H6") * scale;
      best = direction * std::max(direction * best, direction * found);
    };
    for (std::size_t i = 0; i < both.in.size(); ++i) {
      take(both.in[i], other.in[i], 1.0, white_.in[i] > highestOut);
    }
    for (std::size_t i = 0; i < both.out.size(); ++i) {
      take(both.out[i], other.out[i], -1.0, white_.out[i] < lowestIn);
    }
    const double value = auroc(both.in, both.out);
    const std::size_t images = both.in.size() + both.out.size();
    const double fall = std::max(0.0, white_.auroc - value);
    add(id, fall,
        name + " did better on " +
            formatFixed(100.0 * static_cast<double>(won) / static_cast<double>(images), 1) +
            " % of the images (" + std::to_string(won) + " of " + std::to_string(images) +
            "); with it the AUROC falls by " + formatFixed(fall, 4) + " to " +
            formatFixed(value, 3));
    HealthCheck& check = report_.checks.back();
    if (100 * won > images) {
      check.verdict = Verdict::Red;
      check.forced = true;
      check.detail += "; more than 1 % of the images is red whatever the limits";
    }
    if (check.verdict != Verdict::Green) {
      check.detail += ": the gradient attack is too weak or gradients are masked";
    }
  }

  /// H28: uniform draws from the ball (its cube for l2, projected).
  void noise() {
    if (setting_.detector.traits().randomised) {
      return skip("H28", "the score is random: the best of many draws wins by luck");
    }
    const auto half = std::max<std::int64_t>(1, setting_.budget.noiseImages / 2);
    int won = 0, tried = 0;
    task_.begin("health: random noise on " + setting_.label, 2 * half * setting_.budget.draws,
                "draws");
    for (const bool out : {false, true}) {
      const auto& images = out ? setting_.out : setting_.in;
      const auto& best = out ? white_.out : white_.in;
      for (std::int64_t i = 0; i < std::min(half, images.size(0)); ++i, ++tried) {
        const double direction = out ? -1.0 : 1.0;
        const double found = bestOfDraws(
            images.narrow(0, i, 1), direction,
            seed_.child(out ? "noise out" : "noise in").child(static_cast<std::uint64_t>(i)));
        won += found > direction * best[static_cast<std::size_t>(i)];
      }
    }
    task_.end();
    add("H28", won,
        std::to_string(won) + " of " + std::to_string(tried) + " images, " +
            std::to_string(setting_.budget.draws) + " draws each");
  }

  double bestOfDraws(const torch::Tensor& image, double direction, Seed seed) {
    const torch::NoGradGuard noGrad;
    const auto threat = setting_.reference.threat;
    Random random(seed);
    double best = -std::numeric_limits<double>::infinity();
    for (std::int64_t done = 0; done < setting_.budget.draws;) {
      const std::int64_t count = std::min(setting_.batchSize, setting_.budget.draws - done);
      const auto clean = image.expand({count, -1, -1, -1});
      auto noise = torch::empty(clean.sizes(), torch::kFloat32);
      auto* data = noise.data_ptr<float>();
      for (std::int64_t i = 0; i < noise.numel(); ++i) {
        data[i] = static_cast<float>((2.0 * random.uniform() - 1.0) * threat.epsilon);
      }
      auto points = clean + noise;
      Ball(threat, clean.contiguous()).project(points);
      const auto scores = setting_.detector.score(toDevice(points, setting_.device));
      best = std::max(best, (scores * direction).max().item<double>());
      done += count;
      task_.advance(count);
    }
    return best;
  }

  void transfer() {
    if (!setting_.surrogate) return skip("H29", "there is no other score to transfer from");
    const auto moved = attacks_.run(*attacks_.variant({}),
                                    "transfer from " + setting_.surrogateName, setting_.surrogate);
    beside("H29", "the images made for " + setting_.surrogateName, moved);
  }

  void radii() {
    if (!setting_.reference.options.contains("eps")) {
      skip("H30", "the attack has no radius");
      return skip("H31", "the attack has no radius");
    }
    const auto at = [&](double eps, const char* name) {
      Json changes = {{"eps", eps}, {"norm", "linf"}};
      if (setting_.reference.options.contains("step_size")) {
        changes["step_size"] = 2.5 * eps / static_cast<double>(option("steps", 1));
      }
      return attacks_.run(*attacks_.variant(changes), name).auroc;
    };
    const double all = at(1.0, "eps = 1"), half = at(0.5, "eps = 0.5");
    add("H30", all, aurocText(all));
    add("H31", half, aurocText(half));
    if (setting_.reference.threat.norm != Norm::Linf) return;
    HealthSeries series{.kind = "auroc_eps",
                        .detector = setting_.label,
                        .attack = setting_.reference.label,
                        .set = ""};
    series.x = {0.0, setting_.reference.threat.epsilon, 0.5, 1.0};
    series.y = {auroc(attacks_.cleanIn(), attacks_.cleanOut()), white_.auroc, half, all};
    report_.series.push_back(series);
  }

  void planted() {
    if (!setting_.features) return skipOfRun("H33", "there are no features to plant a point in");
    task_.begin("health: planted points", setting_.in.size(0), "images");
    const double missed = missedPlants(*setting_.features, *attacks_.variant({}), setting_,
                                       seed_.child("planted"), task_);
    task_.end();
    addOfRun("H33", missed, "on a linear readout of the classifier's features");
  }

  void twin() {
    if (!setting_.twin) return skipOfRun("H34", "there is no plainly trained twin");
    const ProbeSetting& plain = setting_;
    const ProbeSetting other{.detector = *plain.twin,
                             .label = "an undefended twin",
                             .registries = plain.registries,
                             .in = plain.in,
                             .out = plain.out,
                             .inLabels = plain.inLabels,
                             .reference = plain.reference,
                             .device = plain.device,
                             .batchSize = plain.batchSize};
    ProbeAttacks attacks(other, seed_.child("twin"), task_);
    const double value = attacks.run(*attacks.variant({}), setting_.reference.label).auroc;
    const auto fewer = std::min(setting_.in.size(0), setting_.out.size(0));
    if (fewer < kTwinImages && value > thresholds_.amber("H34")) {
      return skipOfRun("H34", aurocText(value) + " on " + std::to_string(fewer) +
                                  " images of a kind; " + std::to_string(kTwinImages) +
                                  " are needed to judge it");
    }
    addOfRun("H34", value, aurocText(value));
  }

  const HealthThresholds& thresholds_;
  const ProbeSetting& setting_;
  Seed seed_;
  Task& task_;
  ProbeAttacks attacks_;
  BothAttacked white_;
  HealthReport report_;
};

}  // namespace

const std::vector<std::string>& probedChecks() {
  static const std::vector<std::string> ids = {"H22", "H23", "H24", "H27", "H28",
                                               "H29", "H30", "H31", "H33", "H34"};
  return ids;
}

double probePasses(const ProbeSetting& setting) {
  const auto attack =
      setting.registries.attacks.make(setting.reference.type, setting.reference.options, "health");
  const auto once = static_cast<double>(attack->forwardsPerImage() + attack->backwardsPerImage());
  const auto images = static_cast<double>(setting.in.size(0) + setting.out.size(0));
  return setting.budget.passes({.passes = once,
                                .restarts = setting.reference.options.value("restarts", 1.0),
                                .images = images,
                                .surrogate = setting.surrogate != nullptr,
                                .features = setting.ofRun && setting.features != nullptr,
                                .twin = setting.ofRun && setting.twin != nullptr});
}

HealthReport probe(const HealthThresholds& thresholds, const ProbeSetting& setting, Seed seed,
                   Task& task) {
  return Examination(thresholds, setting, seed, task).run();
}

}  // namespace bulwark
