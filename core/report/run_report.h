#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/store/records.h"

namespace bulwark {

/// Everything of one run that a report can show; parts that are not wanted stay empty.
struct RunReport {
  RunRecord run;
  std::vector<DatasetRecord> datasets;
  std::vector<EpochMetric> epochs;
  std::vector<ResultRow> results;
  std::vector<CurveRecord> curves;
  std::vector<ScoreSet> scores;
  std::vector<ImagePair> pairs;
};

/// A metric of a row by its name in JSON ("auroc", "fpr95_id", ...), also those in `extra`.
std::optional<double> metricValue(const ResultRow& row, const std::string& metric);

/// A figure from the literature that a row is compared with.
struct PublishedValue {
  double auroc = 0.0;
  std::string source;
};

/// The label of the detector that a published figure or a claim calls `name`: that very label, or
/// the only one that is made of the type `name` and options, "svdd (nu=0.2)"; `name` where there is
/// neither.
std::string detectorLabel(const Json& specification, const std::string& name);

/// The entry of the specification's `published` list that belongs to this row, if any.
std::optional<PublishedValue> publishedValue(const RunRecord& run, const ResultRow& row);

/// "Clean", "In", "Out", "In & Out"; another name as it is.
std::string settingTitle(const std::string& setting);
/// "clean" for an empty name.
std::string attackTitle(const std::string& attack);
/// The run's name, with its number: "demo (run 3)".
std::string runTitle(const RunRecord& run);

/// Whether the attacked figures of the runs can be right: clean >= in, clean >= out and
/// in_out <= min(in, out), for every detector, out set and attack that aims at the score.
struct Consistency {
  int rows = 0;                         ///< compared (run, detector, attack, out set)
  int consistent = 0;                   ///< of which every bound holds
  std::vector<std::string> violations;  ///< one line each
  /// "consistent: 12 of 12 rows (clean >= in, clean >= out, in_out <= min(in, out))"
  std::string line() const;
};
Consistency checkConsistency(const std::vector<RunReport>& runs);

}  // namespace bulwark
