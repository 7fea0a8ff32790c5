#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/attacks/attack.h"

namespace bulwark {

/// A sample taking its place in a row of the batch, at the start of a restart.
struct Seat {
  std::int64_t row = 0;
  std::int64_t sample = 0;   ///< position in the set under attack
  std::int64_t restart = 0;  ///< 0, 1, ...
  Seed seed{0};              ///< of this sample and restart: independent of batch and row
  torch::Tensor start = {};  ///< [C, H, W] where the starting points are given (CPU)
};

/// What one pass over the batch found at the walker's points; all on the device, one row each.
struct Evaluation {
  torch::Tensor judged;     ///< [W] float64: the true value
  torch::Tensor guide;      ///< [W] float64; undefined for a walker without gradients
  torch::Tensor gradient;   ///< [W, C, H, W'] of the guide; undefined likewise
  torch::Tensor magnitude;  ///< [W]: largest absolute entry of the gradient per row
  /// Iterate that each row was at: 0 for its start. Rows at the last one, and idle rows, are moved
  /// too; where they go does not matter.
  std::vector<std::int64_t> steps;
};

/// How an iterative attack moves. It knows a batch of current points; the walk around it evaluates
/// them, keeps the best point per sample, lets finished samples go and seats others.
class Walker {
 public:
  virtual ~Walker() = default;
  /// [W, C, H, W'] on the device, within ball and box: evaluated next. Not written to outside.
  virtual const torch::Tensor& points() const = 0;
  /// `images` [seats, C, H, W'] on the device: the clean images of samples that begin a restart in
  /// the rows given. State of those rows starts anew.
  virtual void seat(const std::vector<Seat>& seats, const torch::Tensor& images) = 0;
  /// Goes on from `points()`, which have been evaluated, to the next points.
  virtual void move(const Evaluation& evaluation) = 0;
  /// Keeps `rows` (int64, on the device) in their order: the batch shrinks.
  virtual void keep(const torch::Tensor& rows) = 0;
  /// The samples in `rows` are finished: these rows are idle until others are seated in them.
  virtual void leave(const std::vector<std::int64_t>& /*rows*/) {}
};

/// Makes the walker of a batch from the images [W, C, H, W'] that its rows hold at first.
using WalkerFactory = std::function<std::unique_ptr<Walker>(const torch::Tensor& images)>;

/// Which point of a sample is its result.
enum class Kept {
  Best,  ///< the best of all iterates and the clean image
  Last,  ///< the last iterate, or the first beyond `WalkPlan::enough`: what some papers report
};

struct WalkPlan {
  std::string name;  ///< in messages: "pgd"
  ThreatModel threat;
  std::int64_t steps = 1;  ///< moves per restart; one more point is evaluated
  std::int64_t restarts = 1;
  /// The first iterate of every restart is the clean image, so that its value, where it is given,
  /// need not be found again.
  bool startsClean = false;
  bool gradients = true;  ///< false: only values are evaluated (black box)
  /// `Last` takes one restart and ignores rank saturation: a value that is reported whatever came
  /// before cannot be final early. The trajectory still holds the best values, so that what the
  /// last iterate gives away shows (check H25).
  Kept keeps = Kept::Best;
  /// With `leading` > 0, gradients at the first so many iterates of a restart take
  /// `leadingForwards` more forwards per image of the batch (A3 is led by something beside the
  /// objective then).
  std::int64_t leading = 0, leadingForwards = 0;
  /// A sample is finished at its first iterate whose judged value exceeds this, in either mode.
  double enough = std::numeric_limits<double>::infinity();
};

/// Walks every image, keeping the best point per sample over all iterates of all restarts, the
/// clean image included (unless the plan keeps the last).
///
/// One forward per step (S5): the value of iterate k comes out of the pass whose gradient makes
/// iterate k + 1; the last iterate costs one forward without a backward.
///
/// A sample leaves as soon as its best value passes the bound: in `Maximise` mode that of rank
/// saturation (S1), in `Cross` mode the threshold; the plan may set a lower one.
///
/// All passes have one constant batch size, W = ceil(N / ceil(N / batchSize)), and sample i is
/// propagated in row i mod W, with or without rank saturation. Rows of a pass do not influence
/// each other, so a sample's values cannot depend on who else has left: S1 is exact by
/// construction, whatever the kernels do with batch sizes and row positions. Where many rows are
/// idle, the walk first measures on the images at hand whether rows may move (bit for bit the
/// same values and gradients in another row or batch size), and only then fills rows out of turn
/// and shrinks the batch.
///
/// Resuming (`context.progress`): samples that an earlier execution has finished take part again
/// for as many passes as they took, without being computed, so that every other sample finds the
/// rows, and the counters the numbers, of an execution that was never cut short. Passes that hold
/// nothing else cost nothing.
AttackResult walk(const WalkPlan& plan, const WalkerFactory& walker, Objective& objective,
                  const torch::Tensor& images, const AttackContext& context);

}  // namespace bulwark
