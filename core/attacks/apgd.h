#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/attacks/attack.h"
#include "core/attacks/ball.h"
#include "core/attacks/walk.h"

namespace bulwark {

/// What APGD climbs.
enum class ApgdLoss {
  Score,         ///< the objective's own guide: a detector's score, a classifier's cross-entropy
  CrossEntropy,  ///< on a score the same as `Score`: softplus of it rises with it
  Dlr,
  Targeted,  ///< the targeted DLR, for each of the most likely wrong classes in turn
  Margin,    ///< largest other logit minus the true one
};

struct ApgdPlan {
  std::string name = "apgd";
  ThreatModel threat;
  std::int64_t steps = 100;
  std::int64_t restarts = 1;  ///< per target where the loss has targets
  ApgdLoss loss = ApgdLoss::Score;
  std::int64_t targets = 9;  ///< at most; never more than the wrong classes there are
  double rho = 0.75;         ///< share of rising steps below which the step is halved
  /// Starts that are given are those of every target; false: of the targets one after another.
  bool sharedStarts = false;
};

/// Auto-PGD as an attack of its own, or as a member of an ensemble.
std::unique_ptr<Attack> makeApgd(const ApgdPlan& plan);

/// Numbers of moves after which APGD looks at its step, rising; the last one is `steps` or below:
/// 22, 41, 57, 70, 80, 87, 93, 99 of 100 (Croce and Hein 2020, section 3.2).
std::vector<std::int64_t> apgdCheckpoints(std::int64_t steps);

/// Auto-PGD's walk (Croce and Hein, ICML 2020, algorithm 1): a projected ascent with momentum that
/// halves its step, and returns to its best point, where the loss has stopped rising.
class ApgdWalker : public Walker {
 public:
  /// Starts come from `Seat::start` where given, else they are drawn.
  ApgdWalker(const ThreatModel& threat, std::int64_t steps, double rho,
             const torch::Tensor& images);

  const torch::Tensor& points() const override { return points_; }
  void seat(const std::vector<Seat>& seats, const torch::Tensor& images) override;
  void move(const Evaluation& evaluation) override;
  void keep(const torch::Tensor& rows) override;

  /// [W] in pixel units: the step of each row's latest move.
  const torch::Tensor& stepSizes() const { return step_; }

 private:
  torch::Tensor start(const torch::Tensor& image, Seed seed) const;
  void record(const Evaluation& evaluation);
  void reviewSteps(const std::vector<std::int64_t>& steps);
  std::vector<torch::Tensor*> state();

  ThreatModel threat_;
  double rho_;
  std::vector<std::int64_t> periods_;  // by move: its length where a period ends, else 0
  Ball ball_;
  torch::Tensor points_, previous_, direction_, buffer_, drift_;  // [W, C, H, W']
  torch::Tensor bestPoint_, bestDirection_;
  torch::Tensor step_, pull_;                           // float32 [W]
  torch::Tensor bestValue_, lastValue_, valueAtCheck_;  // float64 [W]
  torch::Tensor rises_;                                 // float64 [W], since the last checkpoint
  torch::Tensor halved_;                                // bool [W], at the last checkpoint
};

}  // namespace bulwark
