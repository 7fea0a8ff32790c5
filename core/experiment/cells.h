#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/attacks/attack.h"
#include "core/detectors/detector.h"
#include "core/experiment/cell_audit.h"
#include "core/experiment/class_table.h"
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
  /// Of the images scored by detectors that judge an image as one of its predicted class.
  const ClassTable& classes() const { return classes_; }
  /// Of the attacked (detector, attack, set), by this execution or an earlier one; some are missing
  /// where the run was begun by a version that did not keep them.
  const std::vector<CellAudit>& audits() const { return audits_; }
  std::int64_t attackedCells() const { return attackedCells_; }
  /// Labels of the detectors scored so far whose score is random.
  const std::set<std::string>& randomised() const { return randomised_; }

 private:
  std::vector<double> score(const FittedDetector& detector, const ImageSet& set);
  /// Keeps the predicted classes of a set's images (`read` hands them out) as the part `name` of
  /// the run; what an earlier execution has kept is taken.
  void noteClasses(const FittedDetector& detector, const ScoreSet& scores, const std::string& name,
                   const std::function<torch::Tensor(std::int64_t, std::int64_t)>& read);
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
  std::vector<CellAudit> audits_;
  std::set<std::string> randomised_;
  std::int64_t attackedCells_ = 0, cleanCells_ = 0;
  ClassTable classes_;
};

}  // namespace bulwark
