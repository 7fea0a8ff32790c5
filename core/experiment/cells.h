#pragma once

#include <string>
#include <vector>

#include "core/attacks/attack.h"
#include "core/detectors/detector.h"
#include "core/experiment/experiment_data.h"
#include "core/experiment/runner.h"
#include "core/experiment/source_models.h"
#include "core/experiment/tabulate.h"

namespace bulwark {

/// A fitted detector under the name it has in the results.
struct FittedDetector {
  std::string label;
  std::unique_ptr<Detector> detector;
};

/// An attack under the name it has in the results.
struct NamedAttack {
  std::string label;
  std::unique_ptr<Attack> attack;
};

/// Scores of a few images of one attacked set, also after rounding to 8 bits per channel (H9).
struct RoundTrip {
  std::string detector, attack;
  bool out = false;
  std::vector<double> clean = {}, attacked = {}, rounded = {};
};

/// Scores every (detector, attack, set) of an experiment, clean first, then attacked.
///
/// The in set is attacked once per (detector, attack) and shared by all out sets (S2); samples
/// whose rank is final leave early (S1). A cell that the journal already holds is taken from it.
class CellEvaluator {
 public:
  CellEvaluator(const Specification& specification, const ExperimentData& data,
                const torch::Device& device, Seed seed, Journal& journal, Task& task);

  /// Where transfer attacks find the models they craft on; outlives this.
  void use(SourceModels& sources) { sources_ = &sources; }

  void scoreClean(const FittedDetector& detector);
  /// After `scoreClean` of the same detector.
  void attack(const FittedDetector& detector, const NamedAttack& attack, bool attackIn,
              bool attackOut);

  const ScoreTable& scores() const { return scores_; }
  /// Largest relative difference between a stored attacked score and a fresh scoring of the stored
  /// image (H6), largest excess over the ball and the box (H7), over the audited cells.
  double worstRescoring() const { return worstRescoring_; }
  double worstExcess() const { return worstExcess_; }
  const std::vector<RoundTrip>& roundTrips() const { return roundTrips_; }
  /// Attacked (detector, attack, set), and how many of them this execution has audited: those that
  /// an earlier execution had finished were audited there.
  std::int64_t attackedCells() const { return attackedCells_; }
  std::int64_t auditedCells() const { return auditedCells_; }

 private:
  std::vector<double> score(const FittedDetector& detector, const ImageSet& set);
  std::vector<double> thresholds(const std::string& detector, double direction) const;
  void attackSet(const FittedDetector& detector, const NamedAttack& attack, const NamedSet& set,
                 bool out, double saturation);

  const Specification& specification_;
  const ExperimentData& data_;
  torch::Device device_;
  Seed seed_;
  Journal& journal_;
  Task& task_;
  SourceModels* sources_ = nullptr;
  ScoreTable scores_;
  std::vector<RoundTrip> roundTrips_;
  double worstRescoring_ = 0.0;
  double worstExcess_ = 0.0;
  std::int64_t attackedCells_ = 0, auditedCells_ = 0;
};

}  // namespace bulwark
