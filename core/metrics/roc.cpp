#include "core/metrics/roc.h"

#include <limits>

namespace bulwark {
namespace {

struct PairCounts {
  std::int64_t won = 0;   ///< (in, out) pairs with out above in
  std::int64_t tied = 0;  ///< pairs with equal scores
};

PairCounts countPairs(const ScoreLevels& scores) {
  PairCounts counts;
  std::int64_t inBelow = 0;
  for (const ScoreLevel& level : scores.levels) {
    counts.won += level.out * inBelow;
    counts.tied += level.out * level.in;
    inBelow += level.in;
  }
  return counts;
}

double pairShare(const ScoreLevels& scores, std::int64_t halves) {
  return static_cast<double>(halves) /
         (2.0 * static_cast<double>(scores.nIn) * static_cast<double>(scores.nOut));
}

}  // namespace

RocCurve rocCurve(const ScoreLevels& scores, Positive positive) {
  const bool outPositive = positive == Positive::Out;
  const double infinity = std::numeric_limits<double>::infinity();
  const auto positives = static_cast<double>(outPositive ? scores.nOut : scores.nIn);
  const auto negatives = static_cast<double>(outPositive ? scores.nIn : scores.nOut);
  RocCurve curve;
  const std::size_t count = scores.levels.size();
  curve.fpr.reserve(count + 1);
  curve.tpr.reserve(count + 1);
  curve.thresholds.reserve(count + 1);
  curve.fpr.push_back(0.0);
  curve.tpr.push_back(0.0);
  curve.thresholds.push_back(outPositive ? infinity : -infinity);
  std::int64_t in = 0;
  std::int64_t out = 0;
  for (std::size_t k = 0; k < count; ++k) {
    const ScoreLevel& level = scores.levels[outPositive ? count - 1 - k : k];
    in += level.in;
    out += level.out;
    curve.fpr.push_back(static_cast<double>(outPositive ? in : out) / negatives);
    curve.tpr.push_back(static_cast<double>(outPositive ? out : in) / positives);
    curve.thresholds.push_back(level.score);
  }
  return curve;
}

RocCurve rocCurve(std::span<const double> in, std::span<const double> out, Positive positive) {
  return rocCurve(scoreLevels(in, out), positive);
}

double auroc(const ScoreLevels& scores) {
  const PairCounts counts = countPairs(scores);
  return pairShare(scores, 2 * counts.won + counts.tied);
}

double auroc(std::span<const double> in, std::span<const double> out) {
  return auroc(scoreLevels(in, out));
}

double aurocPessimistic(const ScoreLevels& scores) {
  return pairShare(scores, 2 * countPairs(scores).won);
}

double aurocOptimistic(const ScoreLevels& scores) {
  const PairCounts counts = countPairs(scores);
  return pairShare(scores, 2 * (counts.won + counts.tied));
}

}  // namespace bulwark
