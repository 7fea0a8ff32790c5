#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/experiment/cells.h"

namespace bulwark {

/// Evaluates the curves of a specification: AUROC against radius, steps, restarts, propagations.
///
/// Starts, batches and rank saturation (S1) are those of the attack's own cells, so a curve over
/// steps, restarts or propagations passes through the attack's results. Over epsilon the best
/// points of a smaller ball are candidates and first starts in the larger one (S4), so that the
/// curve cannot rise (H3). Of a random score the last point is a fresh draw, as in the results;
/// earlier ones along one trajectory are the best means over draws that the attack saw. Each
/// attacked set is kept in the run's folder at once: a killed execution resumes within a curve.
class CurveEvaluator {
 public:
  CurveEvaluator(const Specification& specification, const Registries& registries,
                 const ExperimentData& data, const torch::Device& device, Seed seed,
                 Journal& journal, Task& task);

  /// Gives attacks the run's classifier, the true classes and other models.
  void use(SourceModels& sources) { sources_ = &sources; }

  /// All curves of the detector at `position` of the specification, whose clean scores are known.
  void evaluate(const FittedDetector& detector, std::size_t position, const ScoreTable& scores);

  const std::vector<CurveRecord>& curves() const { return curves_; }
  /// Images propagated for the curves, by earlier executions too.
  std::int64_t forwards() const { return forwards_; }
  std::int64_t backwards() const { return backwards_; }

 private:
  /// One curve of one detector; the in set and the out sets are numbered 0, 1, ...
  struct Job {
    const CurveRequest* request = nullptr;
    Detector* detector = nullptr;
    std::string label, file;
    std::vector<std::vector<double>> clean;  ///< scores per set
    bool attackIn = false, attackOut = false;
    std::vector<CurveRecord> records;  ///< a row of three settings per out set
    std::int64_t forwards = 0, backwards = 0;
  };
  /// One set under one attack, at one or several values of what is varied.
  struct AttackedSet {
    std::vector<double> x;                    ///< [K]
    std::vector<std::vector<double>> scores;  ///< [K][N]
    std::int64_t forwards = 0, backwards = 0;
    torch::Tensor images = {};  ///< [N, C, H, W] best points, where a larger ball needs them
  };
  /// A value of what is varied and the time of the attack's trajectory that shows it; -1: its end.
  using Picks = std::function<std::vector<std::pair<double, std::int64_t>>(const AttackResult&)>;

  Job begin(const CurveRequest& request, const FittedDetector& detector,
            const ScoreTable& scores) const;
  void overEpsilon(Job& job);
  void overEffort(Job& job);
  AttackedSet efforts(Job& job, std::size_t set);
  AttackedSet attack(Job& job, std::size_t set, std::size_t value, const AttackedSet* smaller,
                     const Picks& picks);
  static void keep(const AttackedSet& found, const std::filesystem::path& path);
  AttackedSet stored(const std::filesystem::path& path, std::int64_t size) const;
  AttackedSet attackAfresh(const Job& job, std::size_t set, const Attack& attack,
                           const std::string& file, const AttackedSet* smaller, const Picks& picks);
  std::unique_ptr<Attack> make(const Job& job, std::size_t value) const;
  double addPoint(Job& job, std::size_t set, double x, const std::vector<double>& in,
                  const std::vector<double>& out) const;
  const NamedSet& named(std::size_t set) const;

  const Specification& spec_;
  const Registries& registries_;
  const ExperimentData& data_;
  torch::Device device_;
  Seed seed_;
  Journal& journal_;
  Task& task_;
  SourceModels* sources_ = nullptr;
  std::vector<CurveRecord> curves_;
  std::int64_t forwards_ = 0, backwards_ = 0;
};

}  // namespace bulwark
