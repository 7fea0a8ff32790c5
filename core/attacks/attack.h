#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "core/attacks/objective.h"
#include "core/attacks/progress.h"
#include "core/base/random.h"
#include "core/base/task.h"
#include "core/registry/registries.h"

namespace bulwark {

enum class Norm {
  Linf,
  L2,
  None,  ///< no ball: only the pixel box
};

/// What an attack is after; the two are never mixed in one table.
enum class AttackMode {
  Maximise,  ///< the worst value, what AUROC needs; only a final rank ends a sample early
  Cross,     ///< any point beyond the threshold, what a rate at a fixed threshold needs
};

/// Norm, radius in units of the [0, 1] range, and the pixel box [0, 1].
struct ThreatModel {
  Norm norm = Norm::Linf;
  double epsilon = 0.0;
};

struct AttackResources;

/// Everything around one attack on one set of images.
struct AttackContext {
  torch::Device device = torch::kCPU;
  std::int64_t batchSize = 256;
  Seed seed{0};  ///< starts are drawn per sample from it: independent of the batch size
  Task& task;    ///< advanced by one unit per image finished
  /// Judged values of the clean images [N] (float64, CPU) if already known, so that the attacked
  /// score can equal the clean one exactly; undefined: the attack computes them.
  torch::Tensor clean = {};
  /// Starting points [N, restarts, C, H, W] instead of drawn ones, to repeat what another program
  /// did from the same noise; undefined: drawn from the seed.
  torch::Tensor starts = {};
  /// Points [N, C, H, W] within the ball where the first restart of an attack that starts anywhere
  /// begins, such as the best ones of a smaller ball (S4); undefined: like the other restarts.
  torch::Tensor warm = {};
  /// Where finished samples go and what an earlier execution, cut short, had finished; null: an
  /// attack that is interrupted begins again.
  AttackProgress* progress = nullptr;
  /// S1, rank saturation: a sample whose best judged value has passed this bound leaves the
  /// active batch, because its rank can no longer change. +inf: never.
  double saturation = std::numeric_limits<double>::infinity();
  AttackMode mode = AttackMode::Maximise;
  /// Judged values that count as crossed when exceeded, for attacks that need a decision. `Cross`:
  /// exactly one. `Maximise`: several to try, keeping the worst point found (methods: 5, 50 and
  /// 95 % quantiles of the pooled clean scores); 0 alone for a classifier's margin.
  std::vector<double> thresholds = {};
  /// Positions whose best image after each of `snapshotSteps` is kept, for the image page.
  std::vector<std::int64_t> snapshotSamples = {};
  std::vector<std::int64_t> snapshotSteps = {};
  /// The classifier, the true classes and other models (core/attacks/resources.h); may be null.
  const AttackResources* resources = nullptr;
};

/// Images in one pass over `count` of them: batches of one size, as few as `batchSize` allows.
inline std::int64_t passSize(std::int64_t count, std::int64_t batchSize) {
  const std::int64_t batches = (count + batchSize - 1) / batchSize;
  return batches > 0 ? (count + batches - 1) / batches : 0;
}

/// The judged value beyond which a sample is finished: its rank is final, or it has crossed.
double finishBound(const AttackContext& context);

/// The best point found per sample, the clean one included.
struct AttackResult {
  torch::Tensor images;     ///< [N, C, H, W] float32, CPU
  torch::Tensor values;     ///< [N] float64, CPU: judged value at `images`, never below the clean
                            ///< unless the attack was asked for its last point
  torch::Tensor saturated;  ///< [N] bool: left early, under S1 or having crossed
  /// [N] bool: the gradient was exactly zero at some step, a sign of masking (check H15).
  torch::Tensor zeroGradient;
  /// [N] float64: distance, in the attack's own norm, of the nearest point found that crossed the
  /// threshold (of several: any), in the ball or not; +inf: none did. Undefined for attacks that do
  /// not look for it.
  torch::Tensor distances;
  /// Mean over samples of the best judged value after 0, 1, ... steps; non-decreasing.
  std::vector<double> trajectory;
  /// [N]: the times, 0 first, at which the best judged value of a sample grew; the trajectory per
  /// sample. Empty for attacks that do not record it.
  std::vector<std::vector<Improvement>> improvements;
  /// [times of the trajectory]: forwards plus backwards of one image up to then, had it not left
  /// early. Empty like `improvements`.
  std::vector<std::int64_t> propagations;
  /// Times at which the 1st, 2nd, ... restart ends, where restarts follow one another and none
  /// depends on their number. Empty otherwise.
  std::vector<std::int64_t> restartEnds;
  /// Images propagated, also those that only fill a batch up to its constant size.
  std::int64_t forwards = 0, backwards = 0;
  torch::Tensor snapshots;       ///< [snapshotSamples, snapshotSteps, C, H, W]
  torch::Tensor snapshotValues;  ///< [snapshotSamples, snapshotSteps] float64
};

/// Perturbs images within a threat model so that an objective grows.
class Attack {
 public:
  virtual ~Attack() = default;
  virtual ThreatModel threat() const = 0;
  /// Upper bound of forwards and backwards per image, for the cost estimate.
  virtual std::int64_t forwardsPerImage() const = 0;
  virtual std::int64_t backwardsPerImage() const = 0;
  /// Whether fewer steps are the beginning of more, so that one run gives the results of all
  /// smaller numbers of steps.
  virtual bool stepsAreNested() const { return false; }
  /// `images` [N, C, H, W] float32 in [0, 1] on the CPU. With epsilon 0 the result is the input,
  /// exactly. Throws `Error`; LibTorch's out-of-memory error passes through, for the caller knows
  /// which option sets the batch size (`withMemoryAdvice`).
  virtual AttackResult perturb(Objective& objective, const torch::Tensor& images,
                               const AttackContext& context) const = 0;
};

/// Every attack that comes with the program (core/attacks/builtin.h).
void registerAttacks(Registry<Attack>& registry);

}  // namespace bulwark
