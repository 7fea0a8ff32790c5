#include "core/metrics/operating_point.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/metrics/removal_sequence.h"

namespace bulwark {
namespace {

void checkTpr(double tpr) {
  if (tpr > 0.0 && tpr <= 1.0) return;
  throw Error::badInput("a true positive rate of " + formatNumber(tpr) + " cannot be asked for",
                        "metrics", "expected 0 < tpr <= 1");
}

/// Index of the first point of the curve with TPR >= tpr. A quotient of counts that equals a
/// decimal such as 0.95 exactly is also the nearest double to it, so >= needs no tolerance.
std::size_t firstAt(const RocCurve& curve, double tpr) {
  checkTpr(tpr);
  const auto found = std::lower_bound(curve.tpr.begin(), curve.tpr.end(), tpr);
  return static_cast<std::size_t>(found - curve.tpr.begin());
}

double mdcFpr(const ScoreLevels& scores, double tpr) {
  const RemovalSequence sequence = removalSequence(scores);
  // The original removes the least normal image first, so it meets the loosest threshold first;
  // argmin returns the first of equals, which is the most pessimistic.
  std::size_t best = 0;
  double bestDistance = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < sequence.in.size(); ++k) {
    const double distance =
        std::abs(static_cast<double>(sequence.in[k]) / static_cast<double>(scores.nIn) - tpr);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = k;
    }
  }
  return static_cast<double>(sequence.out[best]) / static_cast<double>(scores.nOut);
}

double odinFpr(std::span<const double> in, std::span<const double> out, double tpr) {
  std::vector<double> a(in.begin(), in.end());
  std::vector<double> b(out.begin(), out.end());
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  const double lowest = std::min(a.front(), b.front());
  const double highest = std::max(a.back(), b.back());
  constexpr int steps = 100000;
  double sum = 0.0;
  int used = 0;
  for (int k = 0; k < steps; ++k) {
    // In normality scores: kept in >= delta, accepted out > delta; here the signs are reversed.
    const double threshold = highest - (highest - lowest) * k / steps;
    const auto kept = std::upper_bound(a.begin(), a.end(), threshold) - a.begin();
    const double reached = static_cast<double>(kept) / static_cast<double>(a.size());
    if (reached < tpr - 0.0005 || reached > tpr + 0.0005) continue;
    const auto accepted = std::lower_bound(b.begin(), b.end(), threshold) - b.begin();
    sum += static_cast<double>(accepted) / static_cast<double>(b.size());
    ++used;
  }
  return used == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / used;
}

}  // namespace

OperatingPoint pointAtTpr(const ScoreLevels& scores, Positive positive, double tpr) {
  const RocCurve curve = rocCurve(scores, positive);
  const std::size_t k = firstAt(curve, tpr);
  return {curve.thresholds[k], curve.tpr[k], curve.fpr[k]};
}

double fprAtTpr(const ScoreLevels& scores, Positive positive, double tpr) {
  return pointAtTpr(scores, positive, tpr).fpr;
}

double fprAtTprInterpolated(const ScoreLevels& scores, Positive positive, double tpr) {
  const RocCurve curve = rocCurve(scores, positive);
  const std::size_t k = firstAt(curve, tpr);
  if (curve.tpr[k] == tpr) return curve.fpr[k];
  const double share = (tpr - curve.tpr[k - 1]) / (curve.tpr[k] - curve.tpr[k - 1]);
  return curve.fpr[k - 1] + share * (curve.fpr[k] - curve.fpr[k - 1]);
}

double fprAtTprNearest(const ScoreLevels& scores, Positive positive, double tpr) {
  checkTpr(tpr);
  const RocCurve curve = rocCurve(scores, positive);
  std::size_t best = 0;
  double bestDistance = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < curve.tpr.size(); ++k) {
    const double distance = std::abs(curve.tpr[k] - tpr);
    // The margin makes two points equally far on both sides of the target equal in doubles too.
    if (distance < bestDistance - 1e-12) {
      bestDistance = distance;
      best = k;
    }
  }
  return curve.fpr[best];
}

double zhaoThreshold(std::span<const double> in, double share) {
  checkTpr(share);
  if (in.empty()) throw Error::badInput("there are no in scores", "metrics");
  std::vector<double> sorted(in.begin(), in.end());
  std::sort(sorted.begin(), sorted.end());
  const auto kept = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[kept == 0 ? 0 : kept - 1];
}

double fprCompatible(std::span<const double> in, std::span<const double> out, FprRule rule,
                     double tpr) {
  checkTpr(tpr);
  checkScores(in, out);
  switch (rule) {
    case FprRule::ZhaoCode: {
      const double threshold = zhaoThreshold(in, tpr);
      const auto accepted =
          std::count_if(out.begin(), out.end(), [&](double s) { return s <= threshold; });
      return static_cast<double>(accepted) / static_cast<double>(out.size());
    }
    case FprRule::MdcCode:
      return mdcFpr(scoreLevels(in, out), tpr);
    case FprRule::OdinCode:
      break;
  }
  return odinFpr(in, out, tpr);
}

double tnrAt95(const ScoreLevels& scores) {
  return 1.0 - fprAtTpr(scores, Positive::In, 0.95);
}

double detectionAccuracy(const ScoreLevels& scores) {
  const RocCurve curve = rocCurve(scores, Positive::Out);
  double best = 0.5;
  for (std::size_t k = 0; k < curve.tpr.size(); ++k) {
    best = std::max(best, (curve.tpr[k] + 1.0 - curve.fpr[k]) / 2.0);
  }
  return best;
}

double detectionAccuracyWeighted(const ScoreLevels& scores) {
  // Counted with everything below or at a level kept as in.
  std::int64_t right = scores.nOut;
  std::int64_t best = right;
  for (const ScoreLevel& level : scores.levels) {
    right += level.in - level.out;
    best = std::max(best, right);
  }
  return static_cast<double>(best) / static_cast<double>(scores.nIn + scores.nOut);
}

double detectionError(const ScoreLevels& scores, double tpr) {
  const RocCurve curve = rocCurve(scores, Positive::In);
  double best = 1.0;
  for (std::size_t k = firstAt(curve, tpr); k < curve.tpr.size(); ++k) {
    best = std::min(best, (1.0 - curve.tpr[k]) / 2.0 + curve.fpr[k] / 2.0);
  }
  return best;
}

}  // namespace bulwark
