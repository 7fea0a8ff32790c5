#include "core/metrics/interval.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/metrics/roc.h"
#include "core/metrics/score_levels.h"
#include "core/metrics/summary.h"

namespace bulwark {
namespace {

/// Scores of one detector replaced by their ranks among the distinct scores.
class RankedScores {
 public:
  RankedScores(std::span<const double> in, std::span<const double> out)
      : levels_(scoreLevels(in, out)),
        inCount_(levels_.levels.size()),
        outCount_(levels_.levels.size()) {
    const auto rank = [&](double score) {
      const auto at = std::lower_bound(
          levels_.levels.begin(), levels_.levels.end(), score,
          [](const ScoreLevel& level, double value) { return level.score < value; });
      return static_cast<std::uint32_t>(at - levels_.levels.begin());
    };
    for (double score : in) inRank_.push_back(rank(score));
    for (double score : out) outRank_.push_back(rank(score));
  }

  double auroc() const { return bulwark::auroc(levels_); }

  double aurocOf(const std::vector<std::uint32_t>& in, const std::vector<std::uint32_t>& out) {
    std::fill(inCount_.begin(), inCount_.end(), 0);
    std::fill(outCount_.begin(), outCount_.end(), 0);
    for (std::uint32_t i : in) ++inCount_[inRank_[i]];
    for (std::uint32_t i : out) ++outCount_[outRank_[i]];
    std::int64_t below = 0;
    std::int64_t halves = 0;
    for (std::size_t k = 0; k < inCount_.size(); ++k) {
      halves += outCount_[k] * (2 * below + inCount_[k]);
      below += inCount_[k];
    }
    return static_cast<double>(halves) /
           (2.0 * static_cast<double>(in.size()) * static_cast<double>(out.size()));
  }

 private:
  ScoreLevels levels_;
  std::vector<std::uint32_t> inRank_, outRank_;  // of the k-th image
  std::vector<std::int64_t> inCount_, outCount_;
};

void checkOptions(const BootstrapOptions& options) {
  if (options.replicates < 1) {
    throw Error::badInput("a bootstrap of " + std::to_string(options.replicates) + " replicates",
                          "metrics", "expected at least 1");
  }
  if (!(options.level > 0.0 && options.level < 1.0)) {
    throw Error::badInput("an interval of level " + formatNumber(options.level), "metrics",
                          "expected 0 < level < 1");
  }
}

/// Calls `statistic(in, out)` on resampled indices and summarises what it returns.
template <class Statistic>
void resample(std::size_t nIn, std::size_t nOut, const BootstrapOptions& options,
              Statistic&& statistic, Bootstrap& result) {
  const IndexSource source = options.indices ? options.indices : indexSource(options.seed);
  std::vector<std::uint32_t> in(nIn);
  std::vector<std::uint32_t> out(nOut);
  result.replicates.reserve(static_cast<std::size_t>(options.replicates));
  for (int b = 0; b < options.replicates; ++b) {
    if (options.task != nullptr) options.task->checkpoint();
    for (auto& index : in) index = static_cast<std::uint32_t>(source(nIn));
    for (auto& index : out) index = static_cast<std::uint32_t>(source(nOut));
    result.replicates.push_back(statistic(in, out));
  }
  result.mean = mean(result.replicates);
  result.sampleSd = result.replicates.size() > 1 ? sampleSd(result.replicates) : 0.0;
  const double tail = (1.0 - options.level) / 2.0;
  result.interval.low = percentile(result.replicates, tail);
  result.interval.high = percentile(result.replicates, 1.0 - tail);
}

/// Sample variance of the placements: for each image of one class, the share of the other class on
/// its right side (ties 1/2).
double placementVariance(const ScoreLevels& scores, Positive own) {
  const auto n = static_cast<double>(own == Positive::In ? scores.nIn : scores.nOut);
  const auto other = static_cast<double>(own == Positive::In ? scores.nOut : scores.nIn);
  const double average = auroc(scores);
  double squares = 0.0;
  std::int64_t otherBelow = 0;
  for (const ScoreLevel& level : scores.levels) {
    const std::int64_t mine = own == Positive::In ? level.in : level.out;
    const std::int64_t theirs = own == Positive::In ? level.out : level.in;
    double right = static_cast<double>(otherBelow) + 0.5 * static_cast<double>(theirs);
    if (own == Positive::In) right = other - right;  // out images should lie above
    const double deviation = right / other - average;
    squares += static_cast<double>(mine) * deviation * deviation;
    otherBelow += theirs;
  }
  return squares / (n - 1.0);
}

}  // namespace

double delongStandardError(std::span<const double> in, std::span<const double> out) {
  const ScoreLevels scores = scoreLevels(in, out);
  if (scores.nIn < 2 || scores.nOut < 2) {
    throw Error::badInput("a standard error needs at least two in and two out images", "metrics");
  }
  return std::sqrt(placementVariance(scores, Positive::In) / static_cast<double>(scores.nIn) +
                   placementVariance(scores, Positive::Out) / static_cast<double>(scores.nOut));
}

IndexSource indexSource(Seed seed) {
  const auto random = std::make_shared<Random>(seed);
  return [random](std::uint64_t n) { return random->below(n); };
}

Bootstrap bootstrapAuroc(std::span<const double> in, std::span<const double> out,
                         const BootstrapOptions& options) {
  checkOptions(options);
  RankedScores ranked(in, out);
  Bootstrap result;
  result.estimate = ranked.auroc();
  resample(
      in.size(), out.size(), options,
      [&](const auto& a, const auto& b) { return ranked.aurocOf(a, b); }, result);
  return result;
}

PairedBootstrap bootstrapDifference(const PairedScores& scores, const BootstrapOptions& options) {
  checkOptions(options);
  if (scores.firstIn.size() != scores.secondIn.size() ||
      scores.firstOut.size() != scores.secondOut.size()) {
    throw Error::badInput("a paired comparison of different numbers of images (" +
                              std::to_string(scores.firstIn.size()) + " + " +
                              std::to_string(scores.firstOut.size()) + " against " +
                              std::to_string(scores.secondIn.size()) + " + " +
                              std::to_string(scores.secondOut.size()) + ")",
                          "metrics", "score the same images with both detectors");
  }
  RankedScores first(scores.firstIn, scores.firstOut);
  RankedScores second(scores.secondIn, scores.secondOut);
  PairedBootstrap result;
  result.estimate = first.auroc() - second.auroc();
  resample(
      scores.firstIn.size(), scores.firstOut.size(), options,
      [&](const auto& a, const auto& b) { return first.aurocOf(a, b) - second.aurocOf(a, b); },
      result);
  const auto& all = result.replicates;
  const auto low = std::count_if(all.begin(), all.end(), [](double d) { return d <= 0.0; });
  const auto high = std::count_if(all.begin(), all.end(), [](double d) { return d >= 0.0; });
  result.pValue = std::min(
      1.0, 2.0 * static_cast<double>(std::min(low, high)) / static_cast<double>(all.size()));
  return result;
}

double percentile(std::vector<double> values, double q) {
  if (values.empty()) throw Error::badInput("a percentile of no values", "metrics");
  std::sort(values.begin(), values.end());
  const double position = static_cast<double>(values.size() - 1) * std::clamp(q, 0.0, 1.0);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  const double share = position - static_cast<double>(below);
  return values[below] + share * (values[above] - values[below]);
}

}  // namespace bulwark
