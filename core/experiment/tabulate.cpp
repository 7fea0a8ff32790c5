#include "core/experiment/tabulate.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "core/metrics/detection.h"
#include "core/metrics/precision_recall.h"
#include "core/metrics/roc.h"

namespace bulwark {
namespace {

/// Leaves out points inside a horizontal or vertical stretch: the curve stays exactly the same.
void dropCollinear(std::vector<double>& x, std::vector<double>& y) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool inside =
        kept > 0 && i + 1 < x.size() &&
        ((x[kept - 1] == x[i] && x[i] == x[i + 1]) || (y[kept - 1] == y[i] && y[i] == y[i + 1]));
    if (inside) continue;
    x[kept] = x[i];
    y[kept] = y[i];
    ++kept;
  }
  x.resize(kept);
  y.resize(kept);
}

struct Cell {
  std::string detector, attack, setting, out;
};

/// Points that only cross a threshold have no worst score, so nothing that ranks them has a
/// meaning.
void clearRankMetrics(DetectionMetrics& metrics) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  for (double* value :
       {&metrics.auroc, &metrics.auprOut, &metrics.auprIn, &metrics.fpr95Id, &metrics.fpr95Ood,
        &metrics.tnr95, &metrics.detectionAccuracy, &metrics.ciLow, &metrics.ciHigh,
        &metrics.aurocPessimistic, &metrics.aurocOptimistic, &metrics.tieShare}) {
    *value = none;
  }
}

void addCell(const Cell& cell, const ScoreSet& in, const ScoreSet& out, const ClassTable& classes,
             const BootstrapOptions& bootstrap, double threshold, bool ranked, Tabulated& table,
             Task& task) {
  DetectionMetrics metrics = evaluate(in.scores, out.scores, bootstrap, threshold);
  if (!ranked) clearRankMetrics(metrics);
  ResultRow row;
  row.detector = cell.detector;
  row.attack = cell.attack;
  row.setting = cell.setting;
  row.out = cell.out;
  row.auroc = metrics.auroc;
  row.auprOut = metrics.auprOut;
  row.auprIn = metrics.auprIn;
  row.fpr95Id = metrics.fpr95Id;
  row.fpr95Ood = metrics.fpr95Ood;
  row.tnr95 = metrics.tnr95;
  row.detectionAccuracy = metrics.detectionAccuracy;
  row.nIn = metrics.nIn;
  row.nOut = metrics.nOut;
  row.ciLow = metrics.ciLow;
  row.ciHigh = metrics.ciHigh;
  row.extra = {{"auroc_pessimistic", metrics.aurocPessimistic},
               {"auroc_optimistic", metrics.aurocOptimistic},
               {"tie_share", metrics.tieShare},
               {"distinct_share", metrics.distinctShare}};
  for (const auto& info : metricInfos()) {
    if (info.name.ends_with("_fixed")) row.extra[info.name] = *metricValue(metrics, info.name);
  }
  if (ranked) classes.writeMetrics(in, out, row.extra, task);
  table.rows.push_back(std::move(row));
  if (!ranked) return;

  const ScoreLevels levels = scoreLevels(in.scores, out.scores);
  RocCurve roc = rocCurve(levels);
  dropCollinear(roc.fpr, roc.tpr);
  table.curves.push_back({cell.detector, cell.attack, cell.setting, cell.out, "roc",
                          std::move(roc.fpr), std::move(roc.tpr)});
  PrCurve pr = precisionRecallCurve(levels);
  table.curves.push_back({cell.detector, cell.attack, cell.setting, cell.out, "pr",
                          std::move(pr.recall), std::move(pr.precision)});
}

}  // namespace

void ScoreTable::add(ScoreSet set) {
  sets_.push_back(std::move(set));
}

const ScoreSet& ScoreTable::at(const std::string& detector, const std::string& attack,
                               const std::string& dataset, bool out) const {
  for (const auto& set : sets_) {
    if (set.detector == detector && set.attack == attack && set.dataset == dataset &&
        set.out == out) {
      return set;
    }
  }
  throw std::logic_error("no scores of " + detector + " on " + dataset);
}

Tabulated tabulate(const Specification& specification, const std::string& in,
                   const std::vector<std::string>& outs, const ScoreTable& scores,
                   const ClassTable& classes, Seed seed, Task& task) {
  const auto& settings = specification.evaluation.settings;
  const auto wanted = [&](const std::string& setting) {
    return std::find(settings.begin(), settings.end(), setting) != settings.end();
  };
  Tabulated table;
  task.begin("metrics", static_cast<std::int64_t>(specification.detectors.size() * outs.size()),
             "detector and out set pairs");
  for (const auto& detector : specification.detectors) {
    for (const auto& out : outs) {
      BootstrapOptions bootstrap;
      bootstrap.replicates = static_cast<int>(specification.evaluation.bootstrap);
      bootstrap.seed = seed.child("bootstrap").child(out);
      bootstrap.task = &task;
      const auto score = [&](const std::string& attack, bool isOut) -> const ScoreSet& {
        return scores.at(detector.label, attack, isOut ? out : in, isOut);
      };
      const double threshold = thresholdKeeping95(score("", false).scores);
      const bool ranked = specification.evaluation.mode == "maximise";
      if (wanted("clean")) {
        addCell({detector.label, "", "clean", out}, score("", false), score("", true), classes,
                bootstrap, threshold, true, table, task);
      }
      for (const auto& attack : specification.attacks) {
        if (attack.type == "joint") continue;  // a rate of its own, no scores
        for (const char* setting : {"in", "out", "in_out"}) {
          if (!wanted(setting)) continue;
          const std::string name = setting;
          const std::string inAttack = name == "out" ? "" : attack.label;
          const std::string outAttack = name == "in" ? "" : attack.label;
          addCell({detector.label, attack.label, name, out}, score(inAttack, false),
                  score(outAttack, true), classes, bootstrap, threshold, ranked, table, task);
        }
      }
      task.advance();
    }
  }
  task.end();
  return table;
}

}  // namespace bulwark
