#include "core/metrics/precision_recall.h"

#include "core/metrics/removal_sequence.h"

namespace bulwark {

PrCurve precisionRecallCurve(const ScoreLevels& scores, Positive positive) {
  const bool outPositive = positive == Positive::Out;
  const auto positives = static_cast<double>(outPositive ? scores.nOut : scores.nIn);
  PrCurve curve;
  const std::size_t count = scores.levels.size();
  curve.recall.reserve(count);
  curve.precision.reserve(count);
  curve.thresholds.reserve(count);
  std::int64_t found = 0;
  std::int64_t predicted = 0;
  for (std::size_t k = 0; k < count; ++k) {
    const ScoreLevel& level = scores.levels[outPositive ? count - 1 - k : k];
    found += outPositive ? level.out : level.in;
    predicted += level.in + level.out;
    curve.recall.push_back(static_cast<double>(found) / positives);
    curve.precision.push_back(static_cast<double>(found) / static_cast<double>(predicted));
    curve.thresholds.push_back(level.score);
  }
  return curve;
}

PrCurve precisionRecallCurve(std::span<const double> in, std::span<const double> out,
                             Positive positive) {
  return precisionRecallCurve(scoreLevels(in, out), positive);
}

double averagePrecision(const ScoreLevels& scores, Positive positive) {
  const bool outPositive = positive == Positive::Out;
  const std::size_t count = scores.levels.size();
  std::int64_t found = 0;
  std::int64_t predicted = 0;
  double sum = 0.0;  // of newly found positives times precision; divided by all positives once
  for (std::size_t k = 0; k < count; ++k) {
    const ScoreLevel& level = scores.levels[outPositive ? count - 1 - k : k];
    const std::int64_t fresh = outPositive ? level.out : level.in;
    found += fresh;
    predicted += level.in + level.out;
    if (fresh == 0) continue;
    sum += static_cast<double>(fresh) * static_cast<double>(found) / static_cast<double>(predicted);
  }
  return sum / static_cast<double>(outPositive ? scores.nOut : scores.nIn);
}

double averagePrecision(std::span<const double> in, std::span<const double> out,
                        Positive positive) {
  return averagePrecision(scoreLevels(in, out), positive);
}

double auprTrapezoid(const ScoreLevels& scores, Positive positive, PrStart start) {
  const PrCurve curve = precisionRecallCurve(scores, positive);
  double recall = 0.0;
  double precision = 0.5;
  if (start == PrStart::First) precision = curve.precision.front();
  if (start == PrStart::One) precision = 1.0;
  double area = 0.0;
  for (std::size_t k = 0; k < curve.recall.size(); ++k) {
    area += (curve.recall[k] - recall) * (curve.precision[k] + precision) / 2.0;
    recall = curve.recall[k];
    precision = curve.precision[k];
  }
  return area;
}

double auprMdc(const ScoreLevels& scores, Positive positive) {
  const RemovalSequence sequence = removalSequence(scores);
  const bool outPositive = positive == Positive::Out;
  const auto positives = static_cast<double>(outPositive ? scores.nOut : scores.nIn);
  // Walked from nothing accepted to everything accepted; the original starts at (0, 0), skips
  // points without a prediction, and ends at (1, 0.5).
  double recall = 0.0;
  double precision = 0.0;
  double area = 0.0;
  const auto step = [&](double nextRecall, double nextPrecision) {
    area += (nextRecall - recall) * (nextPrecision + precision) / 2.0;
    recall = nextRecall;
    precision = nextPrecision;
  };
  const std::size_t count = sequence.in.size();
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t at = outPositive ? k : count - 1 - k;
    const std::int64_t in = outPositive ? scores.nIn - sequence.in[at] : sequence.in[at];
    const std::int64_t out = outPositive ? scores.nOut - sequence.out[at] : sequence.out[at];
    if (in + out == 0) continue;
    const auto found = static_cast<double>(outPositive ? out : in);
    step(found / positives, found / static_cast<double>(in + out));
  }
  step(1.0, 0.5);
  return area;
}

}  // namespace bulwark
