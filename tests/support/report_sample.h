#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/metrics/detection.h"
#include "core/metrics/precision_recall.h"
#include "core/metrics/roc.h"
#include "core/report/run_report.h"

/// A small finished run with everything a report can show; the labels hold the characters that
/// LaTeX, HTML, Markdown and CSV treat as special.
namespace sample {

inline const char* kOut = "50% <glyphs> & \"x\"";
inline const char* kDetector = "rel_maha #1, v2";
inline const char* kAttack = "pgd (eps=8/255)";

inline bulwark::ScoreSet scores(const std::string& detector, const std::string& attack,
                                const std::string& dataset, bool out, double centre) {
  bulwark::ScoreSet set;
  set.detector = detector;
  set.attack = attack;
  set.dataset = dataset;
  set.out = out;
  for (int k = 0; k < 50; ++k) set.scores.push_back(centre + std::sin(k * 1.7 + centre));
  if (!attack.empty()) {
    set.saturated.assign(50, 0);
    set.saturated[3] = 1;
    set.trajectory = {0.5, 0.75, 1.0};
  }
  return set;
}

inline void addRow(bulwark::RunReport& report, const std::string& detector,
                   const std::string& attack, const std::string& setting, const std::string& out,
                   const bulwark::ScoreSet& in, const bulwark::ScoreSet& outs) {
  bulwark::BootstrapOptions options;
  options.replicates = 100;
  const auto m = bulwark::evaluate(in.scores, outs.scores, options);
  bulwark::ResultRow row;
  row.detector = detector;
  row.attack = attack;
  row.setting = setting;
  row.out = out;
  row.auroc = m.auroc;
  row.auprOut = m.auprOut;
  row.auprIn = m.auprIn;
  row.fpr95Id = m.fpr95Id;
  row.fpr95Ood = m.fpr95Ood;
  row.tnr95 = m.tnr95;
  row.detectionAccuracy = m.detectionAccuracy;
  row.nIn = m.nIn;
  row.nOut = m.nOut;
  row.ciLow = m.ciLow;
  row.ciHigh = m.ciHigh;
  row.extra = {{"tie_share", m.tieShare}};
  report.results.push_back(row);
  const auto roc = bulwark::rocCurve(in.scores, outs.scores);
  report.curves.push_back({detector, attack, setting, out, "roc", roc.fpr, roc.tpr});
  const auto pr = bulwark::precisionRecallCurve(in.scores, outs.scores);
  report.curves.push_back({detector, attack, setting, out, "pr", pr.recall, pr.precision});
}

inline bulwark::RunReport run(std::int64_t id = 7) {
  bulwark::RunReport report;
  report.run.id = id;
  report.run.name = "demo & \"more\"";
  report.run.state = bulwark::RunState::Done;
  report.run.seed = 42;
  report.run.device = "cpu";
  report.run.specification = bulwark::Json::parse(R"json({
    "name": "demo", "seed": 42,
    "data": {"in": {"dataset": "fashion-mnist"}, "protocol": {"type": "multiclass"}},
    "classifier": {"network": {"type": "lenet5"}, "recipe": {"type": "standard", "epochs": 3}},
    "detectors": [{"type": "relative_mahalanobis", "label": "rel_maha #1, v2"}, {"type": "msp"}],
    "attacks": [{"type": "pgd", "label": "pgd (eps=8/255)", "eps": 0.03137254901960784,
                 "steps": 10}],
    "published": [
      {"detector": "msp", "attack": "", "setting": "clean", "out": "mnist", "auroc": 0.9125,
       "source": "Lee_2018, <table> 2 & 3"}]})json");
  report.run.environment = {{"torch", "1.13.1"}, {"threads", 2}};
  report.run.timings = {{"train", 12.5}, {"evaluate", 75.0}};
  report.run.summary = {{"classifier", {{"accuracy_clean", 0.9123}}},
                        {"health", {"no saturated scores"}}};
  report.run.note = "first <try>";
  report.datasets.push_back({"in", "fashion-mnist", 50, "0123456789abcdef", {}});
  for (int epoch = 1; epoch <= 3; ++epoch) {
    report.epochs.push_back({"train", epoch, "loss", 1.0 / epoch});
    report.epochs.push_back({"train", epoch, "accuracy", 1.0 - 0.5 / epoch});
  }
  for (const std::string detector : {kDetector, "msp"}) {
    const auto in = scores(detector, "", "fashion-mnist", false, 0.0);
    const auto inHit = scores(detector, kAttack, "fashion-mnist", false, 1.4);
    report.scores.push_back(in);
    report.scores.push_back(inHit);
    for (const std::string out : {kOut, "mnist"}) {
      const auto o = scores(detector, "", out, true, 1.3);
      const auto oHit = scores(detector, kAttack, out, true, 0.2);
      report.scores.push_back(o);
      report.scores.push_back(oHit);
      addRow(report, detector, "", "clean", out, in, o);
      addRow(report, detector, kAttack, "in", out, inHit, o);
      addRow(report, detector, kAttack, "out", out, in, oHit);
      addRow(report, detector, kAttack, "in_out", out, inHit, oHit);
      report.curves.push_back(
          {detector, kAttack, "in", out, "auroc-epsilon", {0, 0.5}, {0.9, 0.8}});
      report.curves.push_back(
          {detector, kAttack, "in_out", out, "auroc-epsilon", {0, 0.5}, {0.9, 0.25}});
      report.curves.push_back({detector, kAttack, "out", out, "auroc-steps", {1, 10}, {0.7, 0.6}});
    }
  }
  for (auto& row : report.results) {
    if (row.detector != kDetector) continue;
    row.extra["logit_weight_curve"] = {{"own", 0.5},
                                       {"weights", {0.0, 0.5, 1.0}},
                                       {"tnr95_per_class", {0.25, 0.75, 0.5}},
                                       {"auroc_per_class", {0.5, 0.875, 0.625}}};
  }
  bulwark::ImagePair pair;
  pair.id = 1;
  pair.detector = "msp";
  pair.attack = kAttack;
  pair.dataset = kOut;
  pair.out = true;
  pair.channels = 1;
  pair.height = 2;
  pair.width = 3;
  pair.before = {0.0F, 0.2F, 0.4F, 0.6F, 0.8F, 1.0F};
  pair.after = {0.1F, 0.2F, 0.4F, 0.6F, 0.8F, 0.95F};
  report.pairs.push_back(pair);
  return report;
}

}  // namespace sample
