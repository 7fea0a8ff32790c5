#pragma once

#include <torch/torch.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/attacks/attack.h"
#include "core/attacks/class_gradients.h"

namespace bulwark {

/// How far a point is from its image, for attacks that look for the nearest crossing.
enum class Distance {
  Linf,
  L2,
  Changed,  ///< number of entries that differ
};

/// One search for a crossing near one sample, beginning in a row of the batch.
struct Quest {
  std::int64_t row = 0;
  std::int64_t sample = 0;  ///< position in the set under attack
  std::int64_t number = 0;  ///< 0, 1, ... among the searches for the same threshold
  double threshold = 0.0;
  double nearest = 0.0;      ///< distance found by the searches before it; +inf: none
  Seed seed{0};              ///< of this sample and number: independent of batch and row
  torch::Tensor start = {};  ///< [C, H, W] where the starting points are given (CPU)
};

/// What one pass over the batch found at the seeker's points; on the device, one row each.
struct Sight {
  torch::Tensor judged;  ///< [W] float64: the true value
  torch::Tensor margin;  ///< [W] float64: judged value minus threshold; > 0 beyond it
  torch::Tensor values;  ///< [W, M] float64: the functions followed; a score's: the margin
  std::shared_ptr<ClassGradients> gradients;  ///< of the M functions; null when no row goes on
  torch::Tensor logits;                       ///< [W, K], undefined for a score
  torch::Tensor labels;                       ///< [W] int64, undefined for a score
  torch::Tensor crossed;                      ///< [W] bool: `Seeker::crossed`
};

/// How an attack looks for a near crossing. It knows a batch of current points; the driver around
/// it evaluates them, remembers the nearest crossing per sample and seats samples in idle rows.
class Seeker {
 public:
  virtual ~Seeker() = default;
  /// [W, C, H, W'] on the device, within the box: evaluated next. Not written to outside.
  virtual const torch::Tensor& points() const = 0;
  /// `images` [quests, C, H, W'] on the device: the clean images. The rows' state starts anew.
  virtual void begin(const std::vector<Quest>& quests, const torch::Tensor& images) = 0;
  /// [W, M] from logits [W, K], with their graph: what is differentiated. Classifiers only.
  virtual torch::Tensor functions(const torch::Tensor& logits, const torch::Tensor& labels) = 0;
  /// [W] bool: which points count as having succeeded.
  virtual torch::Tensor crossed(const Sight& sight) const { return sight.margin > 0; }
  /// Goes on from `points()`, which have been evaluated. Returns [W] bool: searches that are over.
  virtual torch::Tensor move(const Sight& sight) = 0;
  /// Keeps `rows` (int64, on the device) in their order: the batch shrinks.
  virtual void keep(const torch::Tensor& rows) = 0;
};

/// Makes the seeker of a batch from the images [W, C, H, W'] that its rows hold at first.
using SeekerFactory = std::function<std::unique_ptr<Seeker>(const torch::Tensor& images)>;

/// What the gradients of all classes may take together.
constexpr std::int64_t kGradientBytes = std::int64_t{256} << 20;

struct NearestPlan {
  std::string name;    ///< in messages: "deepfool"
  ThreatModel threat;  ///< Norm::None: a crossing counts wherever it is
  Distance distance = Distance::L2;
  std::int64_t passes = 1;  ///< most points evaluated per search
  std::int64_t quests = 1;  ///< searches per sample and threshold: targets x restarts
  /// Every point on the way is within the budget (JSMA: so many pixels), so the best one counts;
  /// no threshold is needed to maximise. Otherwise, without a ball, only crossings count.
  bool everyPoint = false;
  /// Gradients of several functions are held at once up to this; see `ClassGradients`.
  std::int64_t gradientBytes = kGradientBytes;
};

/// Looks for the nearest crossing of each threshold of the context, sample by sample.
///
/// A threshold is crossed when the judged value exceeds it; a classifier's is 0 where none is
/// given. In a ball the result is the point of largest judged value among the clean image, all
/// points evaluated inside the ball, and per threshold the nearest crossing (the last point, where
/// there is none) moved into the ball. A sample leaves as soon as that value passes
/// `finishBound`. `AttackResult::distances` holds the nearest crossing's distance.
///
/// Batches keep one size and samples their rows exactly as in `walk`, and a search that was cut
/// short goes on as a walk does. The step of trajectory and snapshots is one pass of the sample.
///
/// Throws `Error` (Failed) when a score comes without a threshold.
AttackResult seekNearest(const NearestPlan& plan, const SeekerFactory& seeker, Objective& objective,
                         const torch::Tensor& images, const AttackContext& context);

/// [W] float64: distance of each of `points` from its image.
torch::Tensor distancesBetween(const torch::Tensor& points, const torch::Tensor& images,
                               Distance distance);

/// The options "eps", "norm" and "bounded" of attacks that minimise a distance, and their ball:
/// `Norm::None` when unbounded.
void addNearestOptions(OptionSchema& options, const std::string& norm, const std::string& eps,
                       const std::string& source);
ThreatModel nearestThreatOf(const Params& params, const std::string& attack);

/// int64 on `device`: the rows of `quests`.
torch::Tensor rowsOf(const std::vector<Quest>& quests, const torch::Device& device);
/// Upper bound of the thresholds tried per image, for the cost estimate.
constexpr std::int64_t kMostThresholds = 3;

}  // namespace bulwark
